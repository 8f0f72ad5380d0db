"""The Prefect server that a command starts for itself where none answers."""
