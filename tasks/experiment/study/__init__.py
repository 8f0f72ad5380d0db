"""The study as data: what is trained, and what it answers."""
