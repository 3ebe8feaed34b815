"""What was learned: a network that acts, as a folder of safetensors and JSON."""
