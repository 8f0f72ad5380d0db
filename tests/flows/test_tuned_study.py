"""The study with tuned arms: tuning seeds, recipes, the tables, the cache."""

import math
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from flows.study import transfer_study
from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.settings import Experiment
from tasks.experiment.study.answers import KEYS
from tasks.experiment.study.tuned import arms as tuned_arms
from tasks.experiment.study.tuned import trials, tuning
from tests.support import signals
from tests.support.runs import run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture(scope="module")
def settings(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    """Of a tuned study that takes seconds with --quick, on small images that were made up."""
    data = signals.write_npz(tmp_path_factory.mktemp("made") / "made.npz", images=900)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuned_arms, "QUICK_GRID", Grid(rates=(0.1, 0.3), steps=24, folds=2, widenings=0))
        patch.setattr(tuned_arms, "QUICK_BUDGETS", (12, 60))
        yield Experiment(
            dataset=str(data), target_classes=(4, 5), target_samples=24, hidden_layers=1, hidden_units=12,
            source_epochs=3, target_epochs=4, frozen_epochs=2, learning_rate=0.01,
        )  # fmt: skip


def trained(states: list[tuple[str, str]]) -> list[str]:
    return sorted(name for name, state in states if name.startswith(("train_", "transfer_")) and state == "Completed")


@pytest.fixture(scope="module")
def tuned(settings: Experiment) -> tuple[Path, dict]:
    return run(transfer_study, experiment=settings, quick=True)[:2]


def test_tuned_arms_from_tuning_seeds_to_tables(tuned: tuple[Path, dict]) -> None:
    folder, _ = tuned
    runs, curves, tuning = (pd.read_parquet(folder / f"{name}.parquet") for name in ("runs", "curves", "tuning"))
    pd.testing.assert_frame_equal(runs, pd.read_csv(folder / "runs.csv"), check_dtype=False)
    own = runs.query("samples == 24 and normalization == 'standardize'")
    by = own.groupby("chosen_by").arm.agg(set)
    assert by["cross-validation"] == {"S*", "T*", "SELF*", "STAT*", "RLAB*", "LP*", "LPFT*"}
    assert by["validation images"] == {"S*", "T*"}
    assert by["notebook"] >= {"scratch", "transfer", "STAT20", "RLAB20"}
    assert set(runs[runs.arm == "S*"].samples) == {12, 24, 60}
    assert not runs.duplicated(KEYS).any()
    assert set(curves.arm) == {"S*", "T*", "SELF*", "STAT*", "RLAB*", "LPFT*", "scratch", "transfer"}
    assert set(tuning.seed) == set(tuned_arms.QUICK_SEEDS)
    assert not set(tuning.seed) & set(runs.seed)
    assert tuning[tuning.arm == "LP*"].learning_rate.isna().all()


def test_recipes_are_within_a_standard_error_of_the_lowest_of_what_was_tried(tuned: tuple[Path, dict]) -> None:
    folder, metrics = tuned
    tuning, runs = pd.read_parquet(folder / "tuning.parquet"), pd.read_parquet(folder / "runs.parquet")
    recipes = metrics["study"]["tuned"]["recipes"]
    assert len(recipes) == 7 + 2 + 2 * 2
    for recipe in recipes:
        if recipe["arm"] == "LP*":
            continue
        of_trial = [f"{name} == {recipe[name]!r}" for name in ("arm", "samples", "chosen_by")]
        points = tuning.query(" and ".join(of_trial)).groupby(["learning_rate", "epochs"])
        tried, images = points.error.mean(), points.images.sum().iloc[0]
        assert recipe["chosen_by"] != "cross-validation" or images == 2 * recipe["samples"]  # of two tuning seeds
        noise = math.sqrt(tried.min() * (1 - tried.min()) / images)
        assert tried[recipe["learning_rate"], recipe["epochs"]] <= tried.min() + noise + 1e-9
        trained = runs.query(" and ".join(of_trial))
        assert set(trained.learning_rate) == {recipe["learning_rate"]}
        assert set(trained.epochs) == {recipe["epochs"]}


def test_more_replicates_tune_nothing_and_train_the_new_ones(tuned: tuple[Path, dict], settings: Experiment) -> None:
    _, metrics, states = run(transfer_study, experiment=settings, quick=True, replicates=3)
    assert metrics["study"]["tuned"]["recipes"] == tuned[1]["study"]["tuned"]["recipes"]
    new = ["train_A", "train_A", "train_A_permuted", "train_arms", "train_arms", "train_tuned"]  # two kinds of pixels
    assert trained(states) == [f"{name} seed 44" for name in new]
    assert not [name for name, state in states if name.startswith("tune_arms") and state == "Completed"]


def test_broken_off_while_it_tunes_and_while_it_trains_it_goes_on_where_it_was(
    tuned: tuple[Path, dict], settings: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: what kill -9 leaves of a stage is the same for all of them, and tested in tests/faults."""
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    left = {"try_out": threading.Semaphore(3), "train_chosen": threading.Semaphore(1)}
    begun: list[str] = []

    def let(module: ModuleType, name: str) -> None:
        works = getattr(module, name)

        def called(*given: Any, **how: Any) -> Any:
            if not left[name].acquire(blocking=False):
                raise RuntimeError(f"{name} broken off")
            begun.append(name)
            return works(*given, **how)

        monkeypatch.setattr(module, name, called)

    let(tuning, "try_out")
    let(trials, "train_chosen")
    for name in left:
        with pytest.raises(RuntimeError, match=f"{name} broken off"):
            run(transfer_study, experiment=settings, quick=True)
        left[name].release(100)
    _, metrics, states = run(transfer_study, experiment=settings, quick=True)
    computed = [
        name for name, state in states if state == "Completed" and name.startswith(("tune_arms", "train_tuned"))
    ]
    assert len(computed) == 1, f"all but one seed's networks were there, but this was computed: {computed}"
    # Two tuning seeds, three budgets, and a second round at one of them: none is tried twice.
    assert Counter(begun) == {"try_out": 2 * (3 + 1), "train_chosen": 2}
    assert metrics == tuned[1]


def test_nested_each_seed_chooses_its_own_recipes(tuned: tuple[Path, dict], settings: Experiment) -> None:
    folder, metrics, states = run(transfer_study, experiment=settings, quick=True, nested=True)
    assert not [name for name, _ in states if name.startswith("tune_arms")]
    assert set(pd.read_parquet(folder / "tuning.parquet").seed) == {42, 43}
    recipes = metrics["study"]["tuned"]["recipes"]
    assert [recipe["seed"] for recipe in recipes] == [42] * 13 + [43] * 13
    runs = pd.read_parquet(folder / "runs.parquet")
    for recipe in recipes:
        (row,) = runs.query(
            f"arm == {recipe['arm']!r} and samples == {recipe['samples']} and chosen_by == {recipe['chosen_by']!r} and "
            f"seed == {recipe['seed']}"
        ).itertuples()
        assert recipe["arm"] == "LP*" or row.learning_rate == recipe["learning_rate"]


def test_all_class_pairs_are_tuned_each_for_itself(tuned: tuple[Path, dict], settings: Experiment) -> None:
    folder, metrics, _ = run(transfer_study, experiment=settings, quick=True, pairs=True, pair_replicates=2)
    runs = pd.read_parquet(folder / "runs.parquet").query("arm == 'T*' and samples == 24")
    assert runs[runs.chosen_by == "cross-validation"].classes.nunique() == 15
    assert "classes" in metrics["study"]["tuned"]
    of_pairs = [recipe for recipe in metrics["study"]["tuned"]["recipes"] if recipe["classes"] != "4 5"]
    assert sorted({recipe["arm"] for recipe in of_pairs}) == ["S*", "T*"]
    assert len(of_pairs) == 2 * 14
