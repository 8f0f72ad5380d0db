"""Every source of the data set, and every way in which it can fail, with real files and a real HTTP server."""

import gzip
import os
from pathlib import Path

import pytest

from tasks.experiment.data import mirrors
from tasks.experiment.data.fashion_mnist import FILES, is_valid
from tasks.experiment.data.mirrors import NoDataError, TransientNoDataError, fetch

SMALL = "t10k-labels-idx1-ubyte"


def complete(raw: Path) -> bool:
    return all(is_valid(raw / name) for name in FILES) and {f.name for f in raw.iterdir()} == set(FILES)


def test_a_folder_with_the_package_is_enough(raw: Path, content: dict[str, bytes]) -> None:
    mirrors.PACKAGE_FOLDER.mkdir()
    for name, body in content.items():
        (mirrors.PACKAGE_FOLDER / f"{name}.gz").write_bytes(gzip.compress(body, 1))
    fetch()
    assert complete(raw)


def test_packed_files_put_by_hand_are_used(raw: Path, content: dict[str, bytes]) -> None:
    raw.mkdir(parents=True)
    by_hand = list(FILES)[1:]  # one is forgotten
    for name in by_hand:
        (raw / f"{name}.gz").write_bytes(gzip.compress(content[name], 1))
    with pytest.raises(NoDataError, match="put train-images-idx3-ubyte "):
        fetch()
    assert [name for name in by_hand if not is_valid(raw / name)] == []


def test_a_mirror_gives_what_is_missing_and_replaces_what_is_damaged(
    raw: Path, content: dict[str, bytes], mirror: dict[str, tuple[int, bytes]]
) -> None:
    raw.mkdir(parents=True)
    (raw / SMALL).write_bytes(content[SMALL][:-1])
    kept = raw / "train-images-idx3-ubyte"
    kept.write_bytes(content[kept.name])
    before = kept.stat().st_mtime_ns
    seen: list[tuple[str, int, int]] = []
    fetch(lambda *step: seen.append(step))
    assert complete(raw)
    assert kept.stat().st_mtime_ns == before
    assert {file for file, _, _ in seen} == set(FILES) - {kept.name}
    assert seen[-1][1] == seen[-1][2]


@pytest.mark.parametrize(
    ("status", "body", "transient"),
    [
        (404, None, False),
        (200, gzip.compress(b"wrong"), False),
        (200, b"not gzip", False),
        (200, gzip.compress(bytes(20_000_000)), False),
        (302, None, False),
        (500, None, True),
        (429, None, True),
        (206, b"cut off", True),
    ],
    ids=["404", "wrong content", "not gzip", "gzip bomb", "redirect loop", "500", "429", "cut off in mid-body"],
)
def test_a_mirror_that_fails_is_named_and_only_passing_faults_are_worth_a_retry(
    raw: Path, mirror: dict[str, tuple[int, bytes]], status: int, body: bytes | None, transient: bool
) -> None:
    mirror[f"/{SMALL}.gz"] = (status, body or b"")
    with pytest.raises(NoDataError) as failed:
        fetch()
    assert isinstance(failed.value, TransientNoDataError) == transient
    message = str(failed.value)
    assert mirrors.MIRRORS[0] in message
    assert f"put {SMALL} (or the same with .gz) into {raw}" in message
    assert not (raw / SMALL).exists()
    assert not [f for f in raw.iterdir() if f.name.startswith(".")]


def test_offline_names_every_source_and_what_to_do(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "MIRRORS", ("https://mirror.invalid/",))
    with pytest.raises(NoDataError) as failed:
        fetch()
    assert not isinstance(failed.value, TransientNoDataError)
    for part in (str(raw), str(mirrors.PACKAGE_FOLDER), "mirror.invalid", "apt-get is not installed", "What to do"):
        assert part in str(failed.value)


def test_the_package_registry_needs_no_root_and_changes_nothing(
    raw: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    if not Path("/usr/bin/apt-get").exists():
        pytest.skip("not a Debian system")
    fetch()
    assert complete(raw)
    assert not mirrors.PACKAGE_FOLDER.exists()
