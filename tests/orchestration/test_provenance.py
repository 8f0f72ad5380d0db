"""What a run says of the code that made it, and how it is repeated."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from flows.study import transfer_study
from flows.transfer_learning import transfer_learning
from tasks.experiment.settings import Experiment
from tasks.orchestration.provenance import checkout, command
from tasks.orchestration.terminal.command_line import parse_parameters


def git(folder: Path, *arguments: str) -> str:
    own = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    return subprocess.run(
        ["git", "-C", str(folder), *own, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_the_commit_and_whether_the_tree_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert checkout(tmp_path) == (None, None)
    git(tmp_path, "init", "-q")
    assert checkout(tmp_path) == (None, None)  # it has no commit yet
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "train.py").write_text("train()")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    assert checkout(tmp_path) == (commit, False)
    (tmp_path / "notes.txt").touch()  # git does not know it, and no code runs it
    assert checkout(tmp_path) == (commit, False)
    (tmp_path / "tasks" / "new.py").touch()
    assert checkout(tmp_path) == (commit, True)
    (tmp_path / "tasks" / "new.py").unlink()
    (tmp_path / "tasks" / "train.py").write_text("train_better()")
    assert checkout(tmp_path) == (commit, True)
    assert checkout(tmp_path / "tasks") == (None, None)  # a copy inside somebody's checkout is not it


def test_where_there_is_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout(tmp_path) == (None, None)


def test_the_command_that_repeats_a_run_gives_its_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = Experiment(dataset="my data/it's.npz", target_classes=("a b", "c"), balanced=True, image_size=(8, 9))
    given = {"experiment": experiment, "replicates": 3, "seed": 42, "stop_early": True, "refresh": False, "keep": 5}
    words = shlex.split(command(transfer_learning, given))
    assert words[:3] == [".venv/bin/python", "-m", "flows.transfer_learning"]
    monkeypatch.setattr(sys, "argv", words[2:])
    parsed = parse_parameters(transfer_learning, "flows.transfer_learning")
    assert {name: parsed[name] for name in given} == given | {"keep": None}
    assert command(transfer_study, {}) == ".venv/bin/python -m flows.study"
