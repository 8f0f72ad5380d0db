"""What `pip install .` meets instead of a build: this project runs in its folder, beside its data and artifacts."""

import sys

sys.exit("headstart is not installed as a package: in its folder, `make run` sets everything up and runs it.")
