"""What a terminal shows: flags and their help, progress, and the streams themselves."""
