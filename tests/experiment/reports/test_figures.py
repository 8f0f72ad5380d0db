from pathlib import Path

from PIL import Image

from tasks.experiment.reports.figures import DPI, Figure, Plot, draw_plots, figure_with_axes


def draw(values: list[float]) -> Figure:
    figure, (ax,) = figure_with_axes(1, "values", width=3, height=2)
    ax.plot(values, label="values")
    ax.legend()
    return figure


def test_a_plot_is_captioned_if_there_was_something_to_draw(tmp_path: Path) -> None:
    plots = {
        "lines": Plot("Some values", draw),
        "images": Plot("Some images", draw, photographs=True),
        "none": Plot("No values", lambda values: None),
    }
    captions = {"lines": "Some values", "images": "Some images"}
    assert draw_plots(plots, [1.0, 2.0], tmp_path / "plots") == captions
    sizes = {}
    for file in (tmp_path / "plots").glob("*.png"):
        with Image.open(file) as image:
            sizes[file.name] = image.size
    assert sizes == dict.fromkeys(("lines.png", "images.png"), (3 * DPI, 2 * DPI)) | {
        "images@2x.png": (6 * DPI, 4 * DPI)
    }
    assert [file.name for file in (tmp_path / "plots").glob("*.svg")] == ["lines.svg"]


def test_the_same_plot_is_the_same_file(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        draw_plots({"lines": Plot("Some values", draw)}, [1.0, 2.0], tmp_path / folder)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "other" / file.name).read_bytes()
