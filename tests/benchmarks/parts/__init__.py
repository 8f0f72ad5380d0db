"""The parts of `make bench`, each of which gives its rows."""
