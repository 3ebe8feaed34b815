"""What the loop of steps is made of: its clock, its state, its checkpoints, its guards."""
