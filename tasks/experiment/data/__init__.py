"""Labelled images: where they come from, what they are, how they are cut."""
