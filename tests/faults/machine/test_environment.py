"""The user's own settings: environment variables, files in the home, folders that can't be used."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from prefect.settings import PREFECT_HOME, temporary_settings

from tasks.experiment.data import mirrors
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.reports.figures import Plot, draw_plots, figure_with_axes
from tasks.orchestration.servers import own_server
from tasks.storage.in_use import artifacts_in_use
from tasks.storage.roots import ROOT, UnusableArtifactsError
from tests.support.runs import answers_of, command_line

# What each of them does to a run that obeys it: other bits, other numbers, a crash, or nothing on this machine.
VARIABLES = {
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX --xla_cpu_enable_fast_math=true --no_such_flag",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_NUM_INTRAOP_THREADS": "-1",
    "TF_ENABLE_AUTO_MIXED_PRECISION": "1",
    "TF_USE_LEGACY_KERAS": "1",
    "TF2_BEHAVIOR": "0",
    "NVIDIA_TF32_OVERRIDE": "1",
    "KERAS_BACKEND": "jax",
    "KERAS_MAX_EPOCHS": "many",
    "KERAS_NNX_ENABLED": "1",
    "NPY_DISABLE_CPU_FEATURES": "SSE2 nonsense",
    "SCIPY_ARRAY_API": "1",
    "MPLBACKEND": "nonsense",
    "MATPLOTLIBRC": "/dev/full",
}
OBEYED = {
    "OMP_NUM_THREADS": "abc",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
    "PYTHONWARNDEFAULTENCODING": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONHASHSEED": "1",
    "TMPDIR": "/nowhere",
    "TZ": "Nowhere/At_All",
    "TERM": "nonsense",
    "COLUMNS": "1",
    "http_proxy": "http://127.0.0.1:9",
}
KERAS_JSON = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.01, "backend": "torch"}
MATPLOTLIBRC = {
    "text.usetex": True,
    "backend": "nonsense",
    "font.size": 40,
    "savefig.bbox": "tight",
    "axes.formatter.use_locale": True,
}
HOSTILE = [*VARIABLES, *OBEYED, *(f"keras.json: {name}" for name in KERAS_JSON),
           *(f"matplotlibrc: {name}" for name in MATPLOTLIBRC)]  # fmt: skip


def clean() -> dict[str, str]:
    """This process's environment, without what tasks.experiment has set in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KERAS_", "TF_", "MATPLOTLIB"))}


@pytest.fixture(scope="module")
def hostile(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A run that has all of it at once: its folder, what it answered and what it logged."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / ".keras").mkdir()
    (folder / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    (folder / ".config" / "matplotlib").mkdir(parents=True)
    lines = [f"{name}: {value}\n" for name, value in MATPLOTLIBRC.items()]
    (folder / ".config" / "matplotlib" / "matplotlibrc").write_text("".join(lines))
    done = command_line(folder / "artifacts", clean() | VARIABLES | OBEYED | {"HOME": str(folder)})
    said = done.stderr.decode()
    assert done.returncode == 0, said
    return folder / "artifacts" / "latest", done.stdout.decode(), said


@pytest.mark.slow
@pytest.mark.fault("a run with all of these set: {what}", "the same weights, numbers, report and plots, bit for bit")
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_settings(what: str, hostile: tuple[Path, str, str], baseline: tuple[Path, dict[str, Any]]) -> None:
    run, answer, log = hostile
    assert answers_of(run) == baseline[1]
    plots = [f"plots/{plot.name}" for plot in run.glob("plots/*")]
    assert len(plots) == 10  # five, twice each: for the folder and the UI, and for the page
    for name in ("models/A.keras", "models/B_on_A.keras", *plots):
        assert (run / name).read_bytes() == (baseline[0] / "latest" / name).read_bytes()
    ours, theirs = (next(root.glob("store/report/*/report.md")) for root in (run.parent, baseline[0]))
    assert ours.read_bytes() == theirs.read_bytes()  # before it is told which run it is of
    match what:
        case "PYTHONIOENCODING":
            assert answer.startswith(baseline[1]["answer"].replace("…", "?"))
        case "PYTHONWARNDEFAULTENCODING":
            assert "EncodingWarning" in log
            assert not [line for line in log.splitlines() if "EncodingWarning" in line and f"{ROOT}/tasks" in line]
            assert not [line for line in log.splitlines() if "EncodingWarning" in line and f"{ROOT}/flows" in line]
        case "TZ":
            record = json.loads((run / "run.json").read_text(encoding="utf-8"))
            assert record["time"].endswith("+00:00")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What TensorFlow and the others find once tasks.experiment has been imported."""
    script = "import tasks.experiment, json, os; print(json.dumps(dict(os.environ)))"
    own = clean() | VARIABLES | {"TF_CPP_MIN_LOG_LEVEL": "0"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=own, capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.fault("{name} set, which libraries read when they are imported", "none of them finds it")
@pytest.mark.parametrize("name", VARIABLES)
def test_variable(name: str, environment: dict[str, str]) -> None:
    assert environment.get(name) != VARIABLES[name]


def test_logging_of_tensorflow_stays_as_the_user_wants_it(environment: dict[str, str]) -> None:
    assert environment["TF_CPP_MIN_LOG_LEVEL"] == "0"


@pytest.mark.fault("matplotlib's {name} set to {value}", "the same plots, bit for bit")
@pytest.mark.parametrize(("name", "value"), [item for item in MATPLOTLIBRC.items() if item[0] != "backend"])
def test_matplotlib(name: str, value: object, tmp_path: Path) -> None:
    def draw(values: list[float]) -> Any:
        figure, (ax,) = figure_with_axes(1, "values")
        ax.plot(values, label=r"$\frac$")
        ax.legend()
        return figure

    plots = {"plot": Plot("", draw)}
    draw_plots(plots, [0.5, 1.5], tmp_path / "as it is")
    with matplotlib.rc_context({name: value}):
        draw_plots(plots, [0.5, 1.5], tmp_path / "set")
        assert matplotlib.rcParams[name] == value
    assert (tmp_path / "set" / "plot.png").read_bytes() == (tmp_path / "as it is" / "plot.png").read_bytes()


def use_artifacts() -> None:
    with artifacts_in_use():
        pass


def start_server() -> None:
    with temporary_settings({PREFECT_HOME: Path(os.environ["PREFECT_HOME"])}):
        own_server.start("me:secret")


@pytest.mark.fault("{name} is {value}", "one sentence says what to set")
@pytest.mark.parametrize(
    ("name", "value", "use", "says"),
    [
        ("HEADSTART_ARTIFACTS", "/dev/null/x", use_artifacts, r"/dev/null/x can't be used .*set HEADSTART_ARTIFACTS"),
        ("HEADSTART_ARTIFACTS", "/dev/null/\x1b[2J", use_artifacts, r"/dev/null/\\x1b\[2J can't be used"),
        ("HEADSTART_DATA", "/dev/null/x", mirrors.fetch, r"/dev/null/x/raw can't be made .*set HEADSTART_DATA"),
        ("PREFECT_HOME", "/dev/null/x", start_server, r"/dev/null/x can't be made .*set PREFECT_HOME"),
        (
            "SSL_CERT_FILE", "/nowhere", lambda: own_server.accepts_us("http://127.0.0.1:9/api"),
            r"no certificates can be read .*unset SSL_CERT_FILE",
        ),
    ],
)  # fmt: skip
def test_unusable(name: str, value: str, use: Callable[[], object], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises((UnusableInputError, UnusableArtifactsError, RuntimeError), match=says) as refused:
        use()
    assert str(refused.value).isprintable()
