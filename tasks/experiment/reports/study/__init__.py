"""What only a study's report has."""
