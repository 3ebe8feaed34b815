"""What a finished run is made into: a model with its evidence, its reports and its results."""
