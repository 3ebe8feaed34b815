"""How far a run has come among its steps, and how a clock shortens it."""
