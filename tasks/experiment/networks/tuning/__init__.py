"""Learning rate and epochs, chosen by cross-validation."""
