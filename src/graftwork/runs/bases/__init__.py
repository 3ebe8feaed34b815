"""What reads an input where several bases would do: what is measured on this machine and on these rows decides."""
