"""What is started: `python -m flows.<name>`."""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")  # read when Prefect is first imported: neither its telemetry nor its notice
