"""What an environment is: made by name or code, taken apart into plain observations and actions, played in."""
