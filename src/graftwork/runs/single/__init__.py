"""One run: made ready, held to its time, trained, and what it leaves."""
