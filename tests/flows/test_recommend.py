"""The recommendation, from labelled images to a model: on scikit-learn's digits and a Keras model."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from flows.recommend import transfer_recommend
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.prediction import predict_files
from tasks.experiment.recommend.methods import LOGISTIC, MAJORITY, SCRATCH
from tasks.experiment.recommend.settings import Question
from tasks.orchestration.workers.runners import task_runner
from tests.support.runs import run
from tests.walkthrough import digits

pytestmark = pytest.mark.usefixtures("prefect_server", "artifacts")
QUESTION = Question(
    dataset="digits", classes=("three", "eight"), source_models=("digits.keras#features",), methods=("probe",),
    labels=40, quick=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with digits/, of which a three is among the eights, digits.npz with test images, and digits.keras."""
    folder = tmp_path_factory.mktemp("brought")
    digits.write_npz(folder / "digits.npz")
    digits.write_folder(folder / "digits", images=300)
    wrong = sorted((folder / "digits/three").iterdir())[0]
    wrong.rename(folder / "digits/eight" / wrong.name)
    digits.write_model(folder / "digits.keras", epochs=2)
    return folder


@pytest.fixture(autouse=True)
def _there(brought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(brought)


def ask(question: Question, seed: int = 1) -> tuple[Path, dict[str, Any], list[tuple[str, str]]]:
    folder, metrics, states = run(transfer_recommend, question=question, seed=seed)
    return Path(folder), metrics, states


@pytest.mark.slow
def test_from_a_folder_and_a_model_to_a_model_that_predicts(brought: Path, artifacts: Path) -> None:
    question = QUESTION.model_copy(update={"labels": None})
    folder, metrics, _ = ask(question)
    choice = metrics["choice"]
    names = [each["name"] for each in choice["candidates"]]
    assert names[:2] == [MAJORITY, LOGISTIC]  # the cheapest to run
    assert {*names[2:]} == {SCRATCH, "probe digits.keras up to features"}
    assert choice["images"] == sum(len(list((brought / "digits" / name).iterdir())) for name in ("three", "eight"))
    expected = choice["expected"]
    assert 0.5 < expected["low"] < expected["estimate"] < expected["high"] <= 1
    assert metrics["test"] is None  # nothing was set aside
    assert metrics["answer"].startswith(f"{choice['chosen'][0].upper()}{choice['chosen'][1:]}: ")
    wrong = sorted((brought / "digits/eight").iterdir())[0].name
    assert f"eight/{wrong}" in [mistake["file"] for mistake in choice["mistakes"]]
    assert f"eight/{wrong}" in (folder / "report.md").read_text()

    model = folder / "models/recommended.keras"
    card = yaml.safe_load(model.with_suffix(".md").read_text().split("---\n")[1])
    assert card["classes"] == ["three", "eight"]
    said = predict_files(model, [brought / "digits/eight"])
    assert np.mean([getattr(each, "class_name", "") == "eight" for each in said]) > 0.8
    loaded = keras.models.load_model(model)
    assert loaded.input_shape == (None, 8, 8)

    # Another way to use the source judges only that one.
    _, _, states = ask(question.model_copy(update={"methods": ("probe", "fine-tune")}))
    judged = {name.partition(",")[0]: state for name, state in states if name.startswith("judge ")}
    assert judged.pop("judge fine-tune digits.keras up to features") == "Completed"
    assert {*judged.values()} == {"Cached"}


@pytest.mark.slow
def test_on_dask_it_answers_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = []
    for where in ("threads", "dask"):
        monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / where))
        (tmp_path / where).mkdir()
        _, metrics, _ = run(transfer_recommend, task_runner(where), question=QUESTION, seed=1)
        answers.append(metrics)
    assert answers[0] == answers[1]


@pytest.mark.slow
def test_test_images_play_no_part_but_are_told_of(artifacts: Path) -> None:
    question = QUESTION.model_copy(update={"dataset": "digits.npz", "classes": (3, 8), "labels": 40})
    folder, metrics, _ = ask(question)
    assert metrics["test"]["images"] == int(np.sum(np.isin(digits.load()[1][-360:], (3, 8))))
    assert 0.5 < metrics["test"]["accuracy"] <= 1
    assert "test images, which played no part in it" in (folder / "report.md").read_text()
    assert [row["labels"] for row in metrics["data"]["classes"]] == metrics_counts(metrics)


def metrics_counts(metrics: dict[str, Any]) -> list[int]:
    """Of each class the labels, as the confusion matrix has them."""
    return [round(sum(row)) for row in metrics["choice"]["confusion"]]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"dataset": "gone"}, "dataset gone does not exist"),
    ({"classes": ("three", "ten")}, "no class 'ten'"),
    ({"classes": ("three",)}, "classes is three alone: there is nothing to tell apart"),
    ({"labels": 5_000}, "labels is 5000, but there are"),
    ({"source_models": ("gone.keras",)}, "gone.keras is not a file that Keras saved"),
    ({"source_models": ("digits.keras#hiden",)}, "has no layer 'hiden'"),
]


@pytest.mark.parametrize(("changes", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_cant_be_used_is_refused_before_any_training(artifacts: Path, changes: dict, says: str) -> None:
    before = set((artifacts / "store").glob("judge/*"))
    with pytest.raises(UnusableInputError) as refused:
        ask(QUESTION.model_copy(update=changes))
    assert says in str(refused.value)
    assert set((artifacts / "store").glob("judge/*")) == before
