"""What is started: `python -m flows.<name>`."""
