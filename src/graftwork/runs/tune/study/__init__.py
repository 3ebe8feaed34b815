"""The study: what is proposed, from what, and which study it is."""
