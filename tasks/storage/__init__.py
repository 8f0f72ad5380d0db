"""Where results are kept, on one machine or for many."""
