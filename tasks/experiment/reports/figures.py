"""What all plots share: figures, without pyplot's global state, their colours and files, and tables of plots."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from tasks.experiment.reports.lettering import fonts_for
from tasks.experiment.study.arms import SCRATCH, TRANSFER

Figure = Any  # matplotlib's, which is imported where one is made
Content = TypeVar("Content", contravariant=True)

COLOURS = {SCRATCH: "#c0603a", TRANSFER: "#2a6f97"}
DPI = 110
PHOTOGRAPH_DPI = 2 * DPI  # of what pages show


@dataclass(frozen=True)
class Plot(Generic[Content]):
    """caption: what it shows. draw: from what a report has; gives None if that has nothing to show.

    photographs: it shows images of the data, which are no lines.
    """

    caption: str
    draw: Callable[[Content], Figure | None]
    photographs: bool = False


def draw_plots(
    plots: Mapping[str, Plot[Content]], content: Content, folder: Path, classes: Iterable[str] = ()
) -> dict[str, str]:
    """Draw them into `folder`/<name>.png; gives the captions of what was drawn, by name.

    For pages there is <name>.svg too, or of photographs <name>@2x.png. classes: whose names plots may show.
    """
    folder.mkdir()
    captions = {}
    with own_style(classes):
        for name, plot in plots.items():
            if (figure := plot.draw(content)) is not None:
                save_figure(figure, folder / f"{name}.png", DPI)
                if plot.photographs:
                    save_figure(figure, folder / f"{name}@2x.png", PHOTOGRAPH_DPI)
                else:
                    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
                captions[name] = plot.caption
    return captions


@contextmanager
def own_style(classes: Iterable[str] = ()) -> Iterator[None]:
    """matplotlib's defaults, whatever the user has set, with fonts for these names; and a $ begins no formula."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["text.parse_math"] = False
        matplotlib.rcParams["font.family"] = fonts_for(classes)
        matplotlib.rcParams["svg.hashsalt"] = "headstart"  # the same plot gives the same file
        yield


def figure_with_axes(columns: int, title: str, width: float = 4.2, height: float = 3.6) -> tuple[Figure, list[Any]]:
    """A figure and its axes side by side; width of each, and height, in inches."""
    figure = empty_figure(width * columns, height)
    figure.suptitle(title)
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def empty_figure(width: float, height: float) -> Figure:
    """Without title or axes; in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: Path, dpi: int) -> None:
    """As a PNG with a palette: a third of the size, since Prefect stores a report's plots twice."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")  # where everything goes is found once, also for the other files of this figure
    Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(256).save(path, optimize=True)
