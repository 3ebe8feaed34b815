"""Runs on the machines of a cluster: what they must have, what a run asks of them, and what is heard of it."""
