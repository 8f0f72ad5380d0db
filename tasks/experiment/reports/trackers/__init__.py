"""Finished runs in other people's trackers, by the trackers' own clients, each an optional installation."""
