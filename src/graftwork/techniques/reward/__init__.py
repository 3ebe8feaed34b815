"""Techniques that learn from a reward of answers, in place of the answers themselves."""
