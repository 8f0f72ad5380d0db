"""Runs that die, wait for each other, or lose their server."""
