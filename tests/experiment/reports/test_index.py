"""The page that lists all runs."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tasks.experiment.reports.index import write_index
from tasks.experiment.settings import Experiment
from tasks.storage.pruning import prune
from tasks.storage.runs import read_runs


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.links += [str(value) for name, value in attributes if name == "href"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    return tmp_path


def make_run(root: Path, name: str, day: int, **metrics: object) -> None:
    folder = root / "runs" / name
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "run.json").write_text(json.dumps({"time": f"2026-01-0{day}T02:00:00+00:00", "artifacts": []}))


def test_all_runs_are_listed_newest_first_with_answers_as_text(root: Path) -> None:
    settings = Experiment(target_samples=100, dataset="<i>mine").model_dump(mode="json")
    make_run(root, "a-older", 1, answer="<script>alert(1)</script> helps", experiment=settings)
    make_run(
        root, "javascript:x", 2, answer="It helps more.", experiment={}, verdict={"name": "First", "reason": "New."}
    )
    make_run(root, "broken", 3)
    for day, damaged in enumerate(({"answer": 1}, {"answer": "", "experiment": []}, {"run": {}, "answer": ""}), 4):
        make_run(root, f"broken-{day}", day, **damaged)
    write_index()
    page = (root / "runs" / "index.html").read_text()
    links = Links(page).links
    assert list(dict.fromkeys(link for link in links if "report" in link)) == [
        "./broken-6/report.html", "./broken-5/report.html", "./broken-4/report.html", "./broken/report.html",
        "./javascript%3Ax/report.html", "./a-older/report.html",
    ]  # fmt: skip
    assert [link for link in links if not link.startswith("./")] == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt; helps" in page
    assert "dataset &lt;i&gt;mine · target_samples 100" in page
    assert "<strong>First: New.</strong>" in page
    assert "2026-01-03 02:00 UTC: its metrics.json can't be read." in page


def test_it_is_no_run_and_outlives_pruning(root: Path) -> None:
    make_run(root, "old", 1, answer="Old.", experiment={})
    make_run(root, "new", 2, answer="New.", experiment={})
    write_index()
    assert [run.folder.name for run in read_runs()] == ["old", "new"]
    assert [(removal.kind, removal.path.name) for removal in prune(1)] == [("runs", "old")]
    write_index()
    page = (root / "runs" / "index.html").read_text()
    assert "New." in page
    assert "Old." not in page
    assert {path.name for path in root.iterdir()} <= {"runs", ".new", ".in-use"}
    assert not list((root / ".new").iterdir())
