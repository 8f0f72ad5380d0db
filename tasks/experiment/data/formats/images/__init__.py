"""Image files, in folders that are their classes."""
