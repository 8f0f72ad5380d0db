"""What intervals cover and what claims err, by simulation: `python -m tests.benchmarks.coverage`."""
