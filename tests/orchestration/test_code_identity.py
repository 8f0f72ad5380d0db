"""What a cache key is made of: copies of the project are edited, and asked which stages that would recompute."""

import gc
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from tasks.orchestration.cache import code_identity as cache
from tasks.storage.roots import ROOT, data_root
from tests.support.runs import QUICK, flags, run_experiment

STAGES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (*ROOT.glob("tasks/*.py"), *ROOT.glob("tasks/study/*.py"))
    if "@stage(" in path.read_text()
}
TRAIN, REPORT = {"tasks.train", "tasks.study.train_arms"}, {"tasks.report", "tasks.study.report_study"}
ASK = "import json, sys; from tasks.orchestration.cache.code_identity import code_identity as c;"
ASK += "print(json.dumps({stage: c(stage) for stage in sys.argv[1:]}))"


class Project:
    """A copy of the project's code, which may be edited."""

    def __init__(self, folder: Path) -> None:
        self.root, self.libraries = folder / "project", folder / "libraries"
        for name in ("flows", "tasks"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", self.root)

    def edit(self, within: str, old: str, new: str) -> None:
        """In the one file below `within` that has `old`."""
        (file,) = [f for f in (self.root / within).rglob("*") if f.is_file() and old in f.read_text("utf-8")]
        file.write_text(file.read_text().replace(old, new))

    def install(self, distribution: str, imported: str) -> None:
        """Another version of a library, as far as anyone can ask for it."""
        folder = self.libraries / f"{distribution}-99.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 99\n")
        (folder / "top_level.txt").write_text(f"{imported}\n")

    def identities(self) -> dict[str, list[dict[str, str]]]:
        """By stage: its modules and its libraries."""
        environment = os.environ | {"PYTHONPATH": str(self.libraries), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", ASK, *sorted(STAGES)], cwd=self.root, env=environment, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    def run(self) -> set[str]:
        """What a run computes that finds in the cache what the project as it is has computed."""
        done = subprocess.run(
            [sys.executable, "-m", "flows.transfer_learning", "--replicates=2", *flags(QUICK)], cwd=self.root,
            env=os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value()), "HEADSTART_DATA": str(data_root())},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return set(re.findall(r"Task run '(.+)' - Finished in state Completed", done.stderr))

    def recomputed(self) -> set[str]:
        """The stages whose keys are not those of the project as it is."""
        return {stage for stage, theirs in self.identities().items() if theirs != list(cache.code_identity(stage))}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_there_are_stages_to_ask_about() -> None:
    assert {*TRAIN, *REPORT, "tasks.download", "tasks.normalize", "tasks.split", "tasks.evaluate"} <= STAGES


def test_what_only_carries_work_recomputes_nothing(project: Project) -> None:
    project.edit("tasks/orchestration", "{done} of {total} training runs", "{done} of {total}")
    project.edit("tasks/orchestration", "max_workers=CORES", "max_workers=1")
    for library in ("distributed", "prefect", "pydantic", "filelock"):
        project.install(library, library)
    assert project.recomputed() == set()


def test_words_about_code_recompute_nothing(project: Project) -> None:
    """Every module's docstring, comments, and what is said of each setting."""
    for module in (project.root / "tasks").rglob("*.py"):
        text = module.read_text("utf-8").replace('"""', '"""Edited: ', 1) + "\n\n# A comment.\n"
        module.write_text(re.sub(r'(\bdescription=f?)"', r'\1"Edited: ', text) if "settings" in module.name else text)
    assert (project.root / "tasks/experiment/settings.py").read_text().count('description=f"Edited: ') == 1
    assert project.recomputed() == set()


def test_a_plot_recomputes_the_reports(project: Project) -> None:
    project.edit("tasks/experiment/reports", "DPI = ", "DPI = 1 + ")
    assert project.recomputed() == REPORT


def test_a_template_recomputes_its_report(project: Project) -> None:
    with (project.root / "tasks/experiment/reports/templates/page.html.j2").open("a") as template:
        template.write("<!-- edited -->")
    assert project.recomputed() == REPORT


def test_a_settings_default_counts_where_settings_do(project: Project) -> None:
    project.edit("tasks/experiment", "= 1e-3", "= 2e-3")
    recomputed = project.recomputed()
    assert recomputed >= {"tasks.study.evaluate_study", *REPORT}
    assert not recomputed & {"tasks.split", "tasks.evaluate", *TRAIN}


def test_the_trainer_recomputes_what_trains(project: Project) -> None:
    """And normalize, in whose file import_A is: in milliseconds it gives the same, so nothing follows from that."""
    project.edit("tasks/experiment/networks", "w - r * g", "w - 2 * r * g")
    recomputed = project.recomputed()
    assert recomputed >= TRAIN
    assert not recomputed & {"tasks.download", "tasks.split"}


def test_a_split_recomputes_all_that_is_split_and_after(project: Project) -> None:
    project.edit("tasks/experiment/data", "np.arange(samples)", "np.arange(samples)[::-1]")
    recomputed = project.recomputed()
    assert recomputed >= {"tasks.split", "tasks.evaluate", "tasks.report", *TRAIN}
    assert "tasks.download" not in recomputed


@pytest.mark.parametrize(
    ("distribution", "imported", "recomputes", "leaves"),
    [
        ("numpy", "numpy", STAGES, set()),
        ("keras", "keras", TRAIN, {"tasks.download", "tasks.split", "tasks.evaluate"}),
        ("tensorflow_cpu", "tensorflow", TRAIN, {"tasks.download", "tasks.split", "tasks.evaluate"}),
        ("pillow", "PIL", {"tasks.download"}, {"tasks.split", "tasks.evaluate", *TRAIN}),
        ("matplotlib", "matplotlib", REPORT, STAGES - REPORT),
    ],
)
def test_a_library_recomputes_what_computes_with_it(
    project: Project, distribution: str, imported: str, recomputes: set[str], leaves: set[str]
) -> None:
    project.install(distribution, imported)
    recomputed = project.recomputed()
    assert recomputed >= recomputes
    assert not recomputed & leaves


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server", "artifacts")
def test_runs_of_an_edited_project(project: Project) -> None:
    run_experiment()
    project.edit(
        "tasks/orchestration", "epoch {number}/{training.epochs}: loss", "epoch {number} of {training.epochs}: loss"
    )
    project.edit("tasks/experiment", "Step size of plain SGD.", "How far each step goes.")
    assert project.run() == set()
    project.edit("tasks/experiment/networks", "w - r * g", "w - 2 * r * g")
    trained = {f"{name} seed {seed}" for name in ("train_A", "train_B_scratch", "transfer_B_on_A") for seed in (42, 43)}
    assert project.run() == {"normalize", *trained, "evaluate", "report"}


def test_no_key_holds_a_carrier() -> None:
    for stage in STAGES:
        assert not [name for name in cache.code_identity(stage).modules if "orchestration" in name]
        assert not cache.code_identity(stage).libraries.keys() & cache.NOT_COMPUTING
    for stage in TRAIN:
        assert "tasks.experiment.settings" not in cache.code_identity(stage).modules


@pytest.fixture
def busy_collector() -> Iterator[None]:
    """Garbage is collected all the time, and threads take turns while it is: so a fault of minutes shows at once."""

    def take_a_while(phase: str, info: dict[str, int]) -> None:
        sum(range(50))

    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.callbacks.append(take_a_while)
    gc.set_threshold(20)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.callbacks.remove(take_a_while)


def test_threads_can_ask_at_the_same_time(busy_collector: None) -> None:
    """CPython 3.11 raises SystemError (gh-106905) where two threads parse; Prefect then runs a task uncached."""
    alone = cache._code_identity.__wrapped__("tasks.report")

    def ask(_: int) -> cache.CodeIdentity:
        cache._code_identity.cache_clear()
        return cache.code_identity("tasks.report")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [alone] * 8


def test_a_library_that_is_listed_several_times_has_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_distributions", lambda: {"PIL": ["pillow"] * 3})
    assert cache.library_version("PIL") == metadata.version("pillow")


def test_code_may_be_read_beforehand() -> None:
    """In a process of its own: nothing is left to be read when a stage is asked for its identity."""
    script = """
from tasks.orchestration.cache import code_identity as cache
before = cache.code_identity("tasks.train")
cache._code_identity.cache_clear()
cache.read_all_code()
read = cache._source_hash.cache_info().misses
assert cache.code_identity("tasks.train") == before
assert cache._source_hash.cache_info().misses == read
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
