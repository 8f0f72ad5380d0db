"""Rooms that mirror `tasks/`, and rooms for faults, operations, benchmarks, the walk-through and support."""
