"""Your own trained model as A, the study on your own data, and README's walk-through."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prefect.settings import PREFECT_API_URL

from flows.study import transfer_study
from flows.transfer_learning import transfer_learning
from tasks.storage.roots import ROOT
from tests.support.runs import DIGITS, run
from tests.walkthrough import digits

pytestmark = pytest.mark.usefixtures("prefect_server", "artifacts")


@pytest.mark.own_data
def test_the_study_of_three_classes_on_a_convolutional_network(artifacts: Path) -> None:
    experiment = DIGITS.vary(
        dataset="digits.npz", target_classes=(3, 8, 9), network="cnn", learning_rate=0.005, target_samples=50
    )
    folder, metrics, _ = run(transfer_study, experiment=experiment, replicates=1, tuned=False)
    table = pd.read_csv(folder / "runs.csv")
    assert set(table.classes) == {"3 8 9"}
    assert {"first 3, frozen", "self-transfer", "probe"} <= set(table.arm)
    assert metrics["study"]["labels"]["curve"][-1]["samples"] == metrics["data"]["images"]["B"]["training"]
    assert "to tell 3, 8 and 9 apart, and why?" in (folder / "report.md").read_text()
    assert metrics["study"]["help"]["error_reduction"] == metrics["error_reduction"]


@pytest.mark.own_data
def test_a_study_goes_on_without_the_pixels_on_which_a_diverges(artifacts: Path) -> None:
    experiment = DIGITS.vary(dataset="digits.npz", target_classes=(3, 8), hidden_layers=3, hidden_units=100)
    folder, metrics, _ = run(transfer_study, experiment=experiment, replicates=1, tuned=False)
    assert "pixels" not in metrics["study"]
    assert "task A diverged at this learning rate" in (folder / "report.md").read_text()


@pytest.mark.own_data
def test_a_trained_model_takes_the_place_of_A(artifacts: Path, brought: Path) -> None:
    digest = hashlib.sha256((brought / "digits.keras").read_bytes()).hexdigest()
    own = DIGITS.vary(dataset="digits.npz", target_classes=(8, 9), source_model="digits.keras", source_layer="features")
    folder, metrics, states = run(transfer_learning, experiment=own, replicates=1)
    assert ("import_A", "Completed") in states
    trained_A = {
        result for result in (folder / "run.json").read_text().split('"') if result.startswith("store/train_A")
    }
    assert not trained_A  # the brought model is A
    assert metrics["data"]["source_classes"] is None
    assert "were transferred, unchanged" in (folder / "models/A.md").read_text()
    study, answers, states = run(transfer_study, experiment=own, replicates=1, resample_target=False, tuned=False)
    assert ("import_A", "Cached") in states
    assert "pixels" not in answers["study"]
    for ours, theirs in zip(answers["replicates"], metrics["replicates"], strict=True):
        assert ours["transfer"]["accuracy"] == theirs["transfer"]["accuracy"]
    assert set(pd.read_csv(study / "runs.csv").layers) == {0, 1}
    assert hashlib.sha256((brought / "digits.keras").read_bytes()).hexdigest() == digest


@pytest.mark.own_data
def test_what_pixels_a_model_takes_is_told_or_warned_of_everywhere(artifacts: Path, brought: Path) -> None:
    """A model that was trained on pixels divided by 255, outside of it."""
    import keras

    x, y = digits.load()
    keras.utils.set_random_seed(3)
    hidden = keras.layers.Dense(32, activation="relu")
    model = keras.Sequential(
        [keras.Input((8, 8)), keras.layers.Flatten(), hidden, keras.layers.Dense(8, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[y < 8] / 255, y[y < 8], epochs=8, verbose=0)
    model.save(brought / "fractions.keras")
    own = DIGITS.vary(dataset="digits.npz", target_classes=(8, 9), source_model="fractions.keras")
    folder, metrics, _ = run(transfer_learning, experiment=own, replicates=1)
    (note,) = [note for note in metrics["data"]["notes"] if "scales pixels" in note]
    assert note.endswith("with these: set source_pixels to 0-1.")
    for file in ("report.md", "models/A.md", "models/B_on_A.md"):
        assert "set source_pixels to 0-1." in (folder / file).read_text().replace("\\", "")
    folder, metrics, _ = run(transfer_learning, experiment=own.vary(source_pixels="0-1"), replicates=1)
    assert not [note for note in metrics["data"]["notes"] if "pixels" in note]
    kept = keras.saving.load_model(folder / "models/A.keras")
    features = keras.Model(model.inputs[0], hidden.output)
    np.testing.assert_allclose(kept(x[:9]), features(x[:9] / np.float32(255)), rtol=1e-4, atol=1e-5)


@pytest.mark.own_data
def test_a_changed_model_is_never_served_from_the_cache(artifacts: Path, brought: Path) -> None:
    own = DIGITS.vary(dataset="digits.npz", target_classes=(8, 9), source_model="changing.keras")
    (brought / "changing.keras").write_bytes((brought / "digits.keras").read_bytes())
    run(transfer_learning, experiment=own, replicates=1)
    digits.write_model(brought / "changing.keras", epochs=1)
    _, _, states = run(transfer_learning, experiment=own, replicates=1)
    assert ("import_A", "Completed") in states


@pytest.mark.own_data
@pytest.mark.parametrize(("page", "fewest"), [("your-data", 6), ("recommend", 5)])
def test_the_walk_through_runs_as_written(page: str, fewest: int, tmp_path: Path) -> None:
    section = (ROOT / "docs" / f"{page}.md").read_text()
    commands = [line.strip() for line in section.splitlines() if line.startswith("    .venv/bin/python ")]
    assert len(commands) >= fewest
    for name in ("flows", "tasks", "tests", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(Path(sys.executable))
    environment = {name: value for name, value in os.environ.items() if name != "HEADSTART_ARTIFACTS"}
    environment |= {"PREFECT_API_URL": PREFECT_API_URL.value(), "PYTHONPATH": os.pathsep.join(sys.path)}
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"
    answer = (tmp_path / "artifacts/latest/report.md").read_text().splitlines()[2]
    assert answer.startswith("> ")
