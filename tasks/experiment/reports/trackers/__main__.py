"""Send a finished run to a tracker: `python -m tasks.experiment.reports.trackers mlflow artifacts/latest`.

A process of its own, so that a client can hang, print and patch what it likes without harm to a run.
"""

import argparse
import sys
from pathlib import Path

from tasks.experiment.reports.trackers.sending import TRACKERS
from tasks.experiment.reports.trackers.tracked import read_tracked
from tasks.storage.files import printable


def main() -> None:
    """Print where the run is to be seen, or one sentence of why it is not."""
    parser = argparse.ArgumentParser("python -m tasks.experiment.reports.trackers", description=__doc__)
    parser.add_argument("tracker", choices=TRACKERS)
    parser.add_argument("folder", type=lambda given: Path(given).resolve(), help="of the run")
    given = parser.parse_args()
    try:
        run = read_tracked(given.folder)
    except (OSError, ValueError, KeyError, TypeError):
        sys.exit(f"{printable(given.folder)} is not the folder of a finished run of this version")
    try:
        where = TRACKERS[given.tracker](run, given.folder)
    except ImportError as error:
        sys.exit(f"{error}: run `make trackers`")
    except Exception as error:  # whatever a client raises
        sys.exit(" ".join(str(error).split()) or type(error).__name__)
    print(where)


if __name__ == "__main__":
    main()
