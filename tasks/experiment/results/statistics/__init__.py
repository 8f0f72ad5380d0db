"""Intervals, tests and rules, for any errors of pairs."""
