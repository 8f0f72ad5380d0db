"""`python -m flows.predict` with a model that the flow made."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from flows import predict as predict_command
from tasks.storage.roots import ROOT
from tests.support.runs import DIGITS

pytestmark = pytest.mark.usefixtures("prefect_server", "artifacts")


Predict = Callable[..., tuple[int, str, str]]


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Predict:
    """Exit status, output and errors of `python -m flows.predict`; README's walk-through starts it as a command."""

    def main(*arguments: Path | str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["predict", *map(str, arguments)])
        status = 0
        try:
            predict_command.main()
        except SystemExit as end:
            status = int(str(end.code))
        return status, *capsys.readouterr()

    return main


def test_predict_tells_class_and_probability_of_image_files(
    first: tuple[Path, dict], brought: Path, tmp_path: Path, predict: Predict
) -> None:
    model, (file, *_) = first[0] / "models/B_on_A.keras", sorted((brought / "digits/nine").iterdir())
    with Image.open(file) as picture:
        picture.convert("RGB").resize((30, 20)).save(tmp_path / "other.jpg")
    status, said, _ = predict(model, file, tmp_path / "other.jpg")
    assert status == 0
    one, other = said.splitlines()
    name, probability = one.removeprefix(f"{file}: ").split()
    assert name in DIGITS.target_classes
    assert 1 / 3 < float(probability) <= 1
    assert other.endswith("(made grey) (resized from 30 × 20 to 8 × 8 pixels)")
    (tmp_path / "bad.png").write_bytes(b"damaged")
    status, said, refused = predict(model, tmp_path, file)  # a folder, one of its files bad
    assert status == 2
    assert [line.split(": ")[0] for line in said.splitlines()] == [str(tmp_path / "other.jpg"), str(file)]
    assert "bad.png is not a whole image" in refused
    (tmp_path / "empty").mkdir()
    assert predict(model, tmp_path / "empty") == (2, "", f"{tmp_path / 'empty'} holds no images\n")


@pytest.mark.parametrize(
    ("model", "image", "says"),
    [
        ("gone.keras", "artifacts/example/labels.png", "gone.keras is not a file that Keras saved"),
        ("README.md", "artifacts/example/labels.png", "README.md is not a file that Keras saved"),
        (None, "README.md", "README.md is not a whole image of a kind"),
        (None, "gone.png", "gone.png does not exist"),
    ],
)
def test_predict_refuses_in_a_sentence(
    first: tuple[Path, dict], model: str | None, image: str, says: str, predict: Predict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(ROOT)
    status, said, refusal = predict(model or first[0] / "models/B_on_A.keras", image)
    assert (status, said) == (2, "")
    assert says in refusal
