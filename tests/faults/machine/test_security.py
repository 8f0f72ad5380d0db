"""What a file, a name or a neighbour on the network could make the program do."""

import base64
import json
import math
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import httpx
import pytest

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.model_files import load_trained
from tasks.orchestration.cache.records import Record
from tasks.storage.artifacts import Artifact, save
from tasks.storage.roots import ROOT
from tests.faults.checks import assert_nothing_lost, computed_stages, sockets
from tests.support.processes import PATIENCE
from tests.support.runs import Lives, run_experiment
from tests.support.services import Server


class Payload:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def hostile_record(kind: str, target: Path) -> dict[str, Any]:
    """A record that Prefect, if it read it, would run as code."""
    pickled = base64.encodebytes(cloudpickle.dumps(Payload(target))).decode()
    match kind:
        case "a pickle":
            return {"metadata": {"serializer": {"type": "pickle"}}, "result": pickled}
        case "a pickle in its own words":
            return {"serializer": {"type": "pickle"}, "data": pickled}
        case "JSON that names a function to call":
            call = {"__class__": "os.mkdir", "data": str(target)}
            return {"metadata": {"serializer": {"type": "json"}}, "result": json.dumps(call)}
        case "JSON with a decoder of its choice":
            serializer = {"type": "json", "object_decoder": "builtins.eval"}
            return {"metadata": {"serializer": serializer}, "result": json.dumps({"a": f"open({str(target)!r}, 'w')"})}
    raise ValueError(kind)


HOSTILE = {
    "normalize": "a pickle",
    "split": "a pickle in its own words",
    "evaluate": "JSON that names a function to call",
    "report": "JSON with a decoder of its choice",
}


@pytest.fixture(scope="module")
def computed_again(baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The stages that a run computes which finds a hostile record of each; nothing was taken."""
    folder = tmp_path_factory.mktemp("hostile")
    artifacts = shutil.copytree(baseline[0], folder / "artifacts", symlinks=True)
    for stage, kind in HOSTILE.items():
        (record,) = artifacts.glob(f"cache/{stage}-*")
        record.write_text(json.dumps(hostile_record(kind, folder / f"taken by {kind}")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
        yield computed_stages(assert_nothing_lost(artifacts, baseline))
    assert [file.name for file in folder.iterdir()] == ["artifacts"]


@pytest.mark.fault("a cache record replaced by {kind}", "nothing of it is run; the stage runs again; metrics as before")
@pytest.mark.parametrize(("stage", "kind"), HOSTILE.items())
def test_hostile_record(stage: str, kind: str, computed_again: list[str]) -> None:
    assert stage in computed_again


@pytest.mark.slow
@pytest.mark.fault("a whole run, watched for pickles", "nothing is unpickled")
def test_nothing_unpickles(lives: Lives, tmp_path: Path) -> None:
    life = lives.start(tmp_path, {"HEADSTART_ARTIFACTS": tmp_path / "artifacts"}, trace=str(tmp_path / "trace"))
    assert life.end() == 0
    steps = (tmp_path / "trace").read_text().splitlines()
    assert [step for step in steps if "/latest" in step], steps
    assert not [step for step in steps if "pickle" in step.split()[0]]


def hostile_model(kind: str, good: Path, path: Path) -> None:
    """A model file with something foreign in it."""
    import keras

    if kind == "a Lambda layer":
        keras.Sequential([keras.Input((28, 28)), keras.layers.Lambda(lambda x: x * 0)]).save(path)
        return
    foreign = {
        "a function of Python's": {"module": "os", "class_name": "system", "config": {"command": "true"}},
        "a foreign class": {"module": "somewhere.else", "class_name": "Layer", "config": {}},
        "an own class": {"module": __name__, "class_name": "Payload", "config": {"path": "x"}},
    }[kind]
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][-1] = foreign | {"registered_name": f"x>{foreign['class_name']}"}
                content = json.dumps(config).encode()
            new.writestr(name, content)


@pytest.mark.fault(
    "a stored model with {kind}, its manifest and cache record forged to fit", "Keras refuses to load it"
)
@pytest.mark.parametrize("kind", ["a Lambda layer", "a function of Python's", "a foreign class", "an own class"])
def test_hostile_model(kind: str, artifacts_copy: Path) -> None:
    def write(folder: Path) -> None:
        shutil.copy(good / "history.json", folder)
        hostile_model(kind, good / "model.keras", folder / "model.keras")

    record = next(artifacts_copy.glob("cache/train_A-*"))
    written = json.loads(record.read_text())
    good = Artifact(**json.loads(written["result"])["result"]).folder()
    forged = Record(key=record.name, result=save("train_A", write)).model_dump_json()
    record.write_text(json.dumps(written | {"result": forged}))
    with pytest.raises((ValueError, TypeError), match=r"Lambda|could not be deserialized|Could not locate"):
        run_experiment()


@pytest.mark.fault("a source_model whose weights are {where}", "refused in one sentence")
@pytest.mark.parametrize("where", ["a link to another file", "in another file"])
def test_weights_elsewhere(where: str, baseline: tuple[Path, dict], tmp_path: Path) -> None:
    import h5py

    with zipfile.ZipFile(next(baseline[0].glob("store/train_B_scratch/*/model.keras"))) as own:
        own.extractall(tmp_path)
    (tmp_path / "secret").write_bytes(bytes(1_000_000))
    with h5py.File(tmp_path / "model.weights.h5", "r+") as weights:
        layer = weights["layers/dense/vars"]
        shape = layer["0"].shape
        del layer["0"]
        if where == "in another file":
            layer.create_dataset("0", shape, "float32", external=[(str(tmp_path / "secret"), 0, 4 * math.prod(shape))])
        else:
            layer["0"] = h5py.ExternalLink(str(tmp_path / "secret"), "/")
    with zipfile.ZipFile(tmp_path / "hostile.keras", "w") as hostile:
        for name in own.namelist():
            hostile.write(tmp_path / name, name)
    with pytest.raises(UnusableInputError, match=r"hostile\.keras can't be loaded: .*Not allowed"):
        load_trained(tmp_path / "hostile.keras")


@pytest.mark.fault(
    "parameters that look like paths", "run folders are named by numbers only, and hold nothing but the run"
)
def test_names_are_no_paths(artifacts_copy: Path) -> None:
    with pytest.raises(Exception, match=r"no class '\.\./\.\./etc'"):
        run_experiment(experiment={"target_classes": ["../../etc", 2]})
    for folder in (artifacts_copy / "runs").glob("*/"):
        assert re.fullmatch(r"\d{8}-\d{6}-\d+-samples-seeds-\d+-\d+-[0-9a-f]{8}", folder.name)


@pytest.mark.slow
@pytest.mark.fault(
    "someone else on the network", "the server listens on loopback only, and with a password set refuses others"
)
def test_server(locked_server: Server) -> None:
    """As README has it; without the password the server's health is all that it tells."""
    assert sockets(locked_server.port, "listening") == {"0100007F"}  # 127.0.0.1
    counts = f"{locked_server.api}/flows/count"
    for password, status in ((None, 401), (("someone", "wrong"), 401), (("someone", "secret"), 200)):
        assert httpx.post(counts, json={}, auth=password, timeout=PATIENCE).status_code == status


@pytest.mark.fault(
    "a package that is not the one that was locked", "pip refuses it: every line of the lock has its hash"
)
def test_lock(tmp_path: Path) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)[1:]
    assert len(pins) > 100
    assert [pin for pin in pins if not (re.match(r"\S+==\S+", pin) and "--hash=sha256:" in pin)] == []
    assert "--require-hashes -r requirements.lock" in (ROOT / "Makefile").read_text()

    with zipfile.ZipFile(tmp_path / "headstart_test-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            "headstart_test-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: headstart-test\nVersion: 1.0\n"
        )
        wheel.writestr(
            "headstart_test-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("headstart_test-1.0.dist-info/RECORD", "")
    (tmp_path / "requirements.lock").write_text(f"headstart-test==1.0 --hash=sha256:{'0' * 64}\n")
    install = [
        sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-index", "--no-deps",
        "--find-links", str(tmp_path), "--target", str(tmp_path / "site"),
        "--require-hashes", "-r", str(tmp_path / "requirements.lock"),
    ]  # fmt: skip
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "site").exists()
