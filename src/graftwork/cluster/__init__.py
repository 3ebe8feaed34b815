"""A cluster of machines that exists already: reached, checked, given work. What that work is, it does not know."""
