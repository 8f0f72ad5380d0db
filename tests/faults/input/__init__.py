"""Settings and data that nobody should give."""
