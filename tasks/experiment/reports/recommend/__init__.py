"""What a report of a recommendation says and shows."""
