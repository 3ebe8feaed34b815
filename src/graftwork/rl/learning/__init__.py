"""One run: the algorithms of stable-baselines3 on our networks, its course, its checkpoints, its beginnings."""
