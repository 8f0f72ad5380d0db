"""What README has people run."""
