"""The model of a study: the best so far, combinations, the one that is kept."""
