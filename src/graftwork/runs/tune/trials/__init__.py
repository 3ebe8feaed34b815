"""A trial: its run, what it reads, and what is kept of it, here and on other machines."""
