"""The cache's records, damaged or untrue: none is believed."""

import json
import shutil
from pathlib import Path

import pytest

from tests.faults.checks import (
    DAMAGES,
    assert_heals,
    assert_nothing_lost,
    computed_stages,
    damage,
)
from tests.support.runs import Lives, run_experiment

STAGES = ["download", "normalize", "split", "train_A", "train_B_scratch", "transfer_B_on_A", "evaluate", "report"]
UNTRUE = {
    "train_A": "a cache record edited to name another seed's model",
    "train_B_scratch": "another seed's cache record under this seed's name",
    "evaluate": "a cache record of another version of the program",
    "split": "a cache record that is JSON of another shape",
    "normalize": "a cache record that names a file outside the store",
    "report": "a cache record that asks for another serializer",
}


@pytest.fixture(scope="module")
def computed_again(lives: Lives, baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The stages that a run computes which finds one record of each damaged; the next run finds all Cached."""
    artifacts = shutil.copytree(baseline[0], tmp_path_factory.mktemp("records") / "artifacts", symlinks=True)
    for i, stage in enumerate(STAGES):
        damage(next(artifacts.glob(f"cache/{stage}-*")), DAMAGES[i % len(DAMAGES)])
    computed = assert_heals(lives, artifacts, baseline)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
        assert set(run_experiment()[1].values()) == {"Cached"}
    return {name.split()[0] for name in computed}


@pytest.mark.fault("the cache record of {stage} {how}", "the stage runs again; metrics as before; then all is Cached")
@pytest.mark.parametrize(("stage", "how"), [(stage, DAMAGES[i % len(DAMAGES)]) for i, stage in enumerate(STAGES)])
def test_damaged_record(stage: str, how: str, computed_again: set[str]) -> None:
    assert stage in computed_again


def rewrite(record: Path, **changes: object) -> None:
    written = json.loads(record.read_text())
    record.write_text(json.dumps(written | {"result": json.dumps(json.loads(written["result"]) | changes)}))


def make_untrue(record: Path, other: Path, how: str) -> None:
    """`other` is of the same stage, where there is another one."""
    match how.removeprefix("a cache record "):
        case "edited to name another seed's model":
            rewrite(record, result=json.loads(json.loads(other.read_text())["result"])["result"])
        case "another seed's cache record under this seed's name":
            shutil.copy(other, record)
        case "of another version of the program":
            rewrite(record, size=7)
        case "that is JSON of another shape":
            record.write_text('[{"metadata": 7}]')
        case "that names a file outside the store":
            rewrite(record, result={"path": "../../etc", "digest": "0" * 64})
        case "that asks for another serializer":
            written = json.loads(record.read_text())
            written["metadata"]["serializer"] = {"type": "json"}
            record.write_text(json.dumps(written))


@pytest.fixture(scope="module")
def not_believed(baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The stages, one for each task run, that a run computes which finds one record of each untrue."""
    artifacts = shutil.copytree(baseline[0], tmp_path_factory.mktemp("untrue") / "artifacts", symlinks=True)
    for stage, how in UNTRUE.items():
        records = sorted(artifacts.glob(f"cache/{stage}-*"))
        make_untrue(records[0], records[-1], how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
        computed = computed_stages(assert_nothing_lost(artifacts, baseline))
        assert set(run_experiment()[1].values()) == {"Cached"}
    return computed


@pytest.mark.fault("{what}", "the record is not believed: the stage runs again; metrics as before")
@pytest.mark.parametrize(("stage", "what"), UNTRUE.items())
def test_untrue_record(stage: str, what: str, not_believed: list[str]) -> None:
    assert not_believed.count(stage) == 1, f"computed were {not_believed}"
