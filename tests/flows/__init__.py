"""Whole flows on a real Prefect server of the tests' own."""
