"""What to do with few labels: candidates, judged, and the choice among them."""
