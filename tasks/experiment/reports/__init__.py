"""Claims in words and plots."""
