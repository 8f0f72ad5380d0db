"""What is started: `python -m flows.<name>`."""

import os

from tasks.orchestration.terminal.streams import prepare_streams, say_that_it_starts

os.environ.setdefault("DO_NOT_TRACK", "1")  # read when Prefect is first imported: neither its telemetry nor its notice
prepare_streams()  # before anything else is opened
say_that_it_starts()
# Prefect's servers on this machine are never behind the user's proxy. (urllib and httpx prefer the lower-case name.)
proxied = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
os.environ["no_proxy"] = ",".join(filter(None, (proxied, "127.0.0.1", "localhost")))
