"""What surrounds a run: the user's settings, the network, whoever else is there."""
