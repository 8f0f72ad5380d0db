"""What differs between runs, and how their answers do: `python -m flows.compare RUN RUN …`."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.experiment.reports.comparison import Comparison, compare_runs, comparison_page
from tasks.experiment.reports.comparison_plots import COMPARISON_PLOTS
from tasks.experiment.reports.figures import draw_plots
from tasks.experiment.reports.html import to_html
from tasks.experiment.reports.metrics import Metrics, read_metrics
from tasks.orchestration.terminal.command import command_parser, reader_may_leave
from tasks.storage.files import printable, write_text
from tasks.storage.runs import NoRunError, find_run


def main() -> None:
    """Print the comparison; runs are compared with the first one."""
    parser = command_parser("flows.compare", __doc__)
    parser.add_argument("run", nargs="+", help="a run's name, its folder, latest, or latest~1 (the one before)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a self-contained page")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    given = parser.parse_args()
    runs: dict[str, Metrics] = {}
    for named in given.run:
        try:
            folder = find_run(named)
        except NoRunError as error:
            _refuse(str(error))
        if (name := folder.resolve().name if isinstance(folder, Path) else folder.name) in runs:
            _refuse(f"{printable(named)} is run {printable(name)}, which was already given: give different runs")
        try:
            runs[name] = read_metrics(folder)
        except (OSError, ValueError):
            _refuse(f"{printable(folder)} is not the folder of a finished run: it has no metrics.json that can be read")
    if len(runs) < 2:
        _refuse("give two runs or more to compare, such as latest~1 latest")
    try:
        compared = compare_runs(runs)
    except (KeyError, TypeError, AttributeError, IndexError):
        _refuse("one of these runs was made by a version that said too little in metrics.json to compare it")
    if given.html:
        try:
            _write_page(given.html, compared)
        except OSError as error:
            _refuse(f"{printable(given.html)} can't be written: {error.strerror}")
    with reader_may_leave():
        if given.json:
            print(json.dumps(compared, indent=1))
        else:
            _show(comparison_page(compared))


def _write_page(file: Path, compared: Comparison) -> None:
    with TemporaryDirectory() as folder:
        captions = draw_plots(COMPARISON_PLOTS, compared, Path(folder) / "plots")
        write_text(file, to_html(comparison_page(compared, captions), Path(folder)))


def _show(markdown: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console(markup=False, highlight=False).print(Markdown(markdown))


def _refuse(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
