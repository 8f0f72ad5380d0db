"""The study's own stages."""
