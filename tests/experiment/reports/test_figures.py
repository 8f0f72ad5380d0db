from pathlib import Path

from PIL import Image

from tasks.experiment.reports.figures import DPI, Figure, Plot, draw_plots, figure_with_axes


def test_a_plot_is_captioned_if_there_was_something_to_draw(tmp_path: Path) -> None:
    def draw(values: list[float]) -> Figure:
        figure, (ax,) = figure_with_axes(1, "values", width=3, height=2)
        ax.plot(values)
        return figure

    plots = {"some": Plot("Some values", draw), "none": Plot("No values", lambda values: None)}
    assert draw_plots(plots, [1.0, 2.0], tmp_path / "plots") == {"some": "Some values"}
    assert [file.name for file in (tmp_path / "plots").iterdir()] == ["some.png"]
    with Image.open(tmp_path / "plots" / "some.png") as image:
        assert image.size == (3 * DPI, 2 * DPI)
