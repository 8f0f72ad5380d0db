"""The program broken on purpose: one line per fault in FAULTS.md."""
