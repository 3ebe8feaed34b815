"""What each part of a recipe brought: the runs with and without it, kept for the next call."""
