"""Real servers, workers and browsers; they take minutes."""
