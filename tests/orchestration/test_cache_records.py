"""Which records are believed."""

import pytest
from pydantic import BaseModel

from tasks.experiment.data.dataset import DataSet
from tasks.normalize import normalize
from tasks.orchestration.cache.records import Record, declare_result, is_intact, parse_record
from tasks.storage.artifacts import Artifact

PIXELS = Artifact(path=f"store/normalize/{16 * '0'}", digest=64 * "0")
DATA = DataSet(classes=("a", "b"), image_shape=(2, 2), validation_images=1)


def record(key: str, result: BaseModel | tuple[BaseModel, ...]) -> str:
    return Record(key=key, result=result).model_dump_json()


def test_a_record_gives_what_its_stage_declares() -> None:
    assert parse_record(record(f"{normalize.name}-12", PIXELS)).result == PIXELS
    declare_result("two_handles", tuple[Artifact, DataSet])
    assert parse_record(record("two_handles-12", (PIXELS, DATA))).result == (PIXELS, DATA)
    assert not is_intact((DATA, PIXELS))
    assert is_intact((DATA,))


@pytest.mark.parametrize(
    "content",
    [
        record("normalize-12", DATA),
        record("normalize-12", PIXELS).replace("normalize-12", "normalize-13"),
        record("normalize-12", PIXELS).replace("store/normalize", "store/evaluate"),
        record("no_such_stage-12", PIXELS),
        '{"key": 7}',
        "[]",
    ],
)
def test_anything_else_is_refused(content: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        parse_record(content)
