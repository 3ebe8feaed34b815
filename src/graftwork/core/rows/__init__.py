"""What is done to rows before a network reads them, and what is kept of them."""
