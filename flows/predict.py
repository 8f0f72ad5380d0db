"""Ask a kept model what image files show: `python -m flows.predict MODEL IMAGE…`."""

import sys
from pathlib import Path

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.prediction import predict_files
from tasks.orchestration.terminal.command import command_parser, reader_may_leave
from tasks.storage.files import printable


def main() -> None:
    """Print a line for each image: the file, its most probable class, that probability, and what was done to fit it.

    An image that can't be read is named in a line of the errors; the exit status is then 2.
    """
    parser = command_parser("flows.predict", __doc__)
    parser.add_argument("model", type=Path, help="a .keras file, such as artifacts/latest/models/B_on_A.keras")
    parser.add_argument("image", type=Path, nargs="+", help="image files, or folders of them")
    given = parser.parse_args()
    refused: list[UnusableInputError] = []
    try:
        with reader_may_leave():
            for said in predict_files(given.model, given.image):
                if isinstance(said, UnusableInputError):
                    refused.append(said)
                else:
                    notes = "".join(f" ({note})" for note in said.notes)
                    print(printable(f"{said.file}: {said.class_name} {said.probability:.3f}{notes}"))
    except UnusableInputError as error:
        refused.append(error)
    for each in refused:
        print(each, file=sys.stderr)
    sys.exit(2 if refused else 0)


if __name__ == "__main__":
    main()
