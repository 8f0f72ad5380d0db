"""The stages of a recommendation."""
