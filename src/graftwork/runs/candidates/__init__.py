"""What the default tries: the order of its candidates by situation, and the recipe behind each name."""
