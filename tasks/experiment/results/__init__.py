"""From answers to claims."""
