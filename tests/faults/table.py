"""One line per fault: what was done, what was promised, held or not. And the same as a table, FAULTS.md.

A test with the marker `fault(done, promised)` tries a fault, each of its parametrizations one of its own;
`{name}` in the texts stands for a parameter. The marker `slow` keeps a test out of `make test`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TABLE = Path(__file__).with_name("FAULTS.md")
HEAD = """\
# Faults

What is done to the program, what it promises, and the test that shows it: `make faults` tries them all.
Written by `make faults-table`, and compared with the tests by `tests/faults/test_table.py`.

| fault | how many | promise | test |
|---|---|---|---|
"""
OUTCOMES = {"passed": "held", "failed": "NOT HELD", "skipped": "not tried"}
_collected = pytest.StashKey[list[pytest.Item]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-fault-table", action="store_true", help=f"write {TABLE.name}")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(done, promised): tries a fault; {name} stands for a parameter")
    config.addinivalue_line("markers", "slow: not part of `make test`")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[_collected] = list(items)  # before -m takes any away
    if config.getoption("--write-fault-table"):
        TABLE.write_text(table(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    report: Any = yield
    if item.get_closest_marker("fault") and (report.when == "call" or not report.passed):
        outcome, (done, promised) = OUTCOMES[report.outcome], _texts(item)
        report.user_properties.append(("fault", (outcome, done, promised)))  # pytest-xdist carries it to who prints
        report.sections.append(("the fault", f"{outcome}: {done}: {promised}"))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reports = [
        dict(getattr(each, "user_properties", ()))  # of what can't be collected there are none
        for kind in ("passed", "failed", "error", "skipped")
        for each in terminalreporter.getreports(kind)
    ]
    tried = [properties["fault"] for properties in reports if "fault" in properties]
    if not tried or "not slow" in config.getoption("-m"):  # `make test` tries a few of them in passing
        return
    terminalreporter.section("faults")
    for outcome, done, promised in tried:
        terminalreporter.write_line(f"{outcome:9} | {done} | {promised}")
    inputs = sum(properties.get("inputs", 0) for properties in reports)
    counts = Counter(outcome for outcome, *_ in tried)
    counted = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES.values() if counts[outcome])
    terminalreporter.write_line(f"{len(tried)} faults and {inputs} generated inputs: {counted}")


def _texts(item: Any) -> tuple[str, str]:
    """Done and promised, with the parameters' values."""
    done, promised = item.get_closest_marker("fault").args
    values = {name: _short(value) for name, value in _parameters(item).items()}
    return done.format(**values), promised.format(**values)


def _parameters(item: Any) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def table(config: pytest.Config) -> str:
    """The table of all collected faults, one row per test function."""
    by_test: dict[str, list[Any]] = {}
    for item in config.stash[_collected]:
        if item.get_closest_marker("fault"):
            by_test.setdefault(item.nodeid.partition("[")[0], []).append(item)
    rows = []
    for test, items in sorted(by_test.items()):
        values = {p: " / ".join(dict.fromkeys(_short(_parameters(i)[p]) for i in items)) for p in _parameters(items[0])}
        done, promised = (text.format(**values) for text in items[0].get_closest_marker("fault").args)
        rows.append(f"| {done} | {len(items)} | {promised} | `{test}` |\n")
    return HEAD + "".join(rows)
