"""Several workers on one run: what they share, and how the parts of a batch become the step of the whole."""
