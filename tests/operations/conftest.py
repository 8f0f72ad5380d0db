"""What the tests of operations share."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.machine import Machine, machine
from tests.support.nights import NIGHT


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """`make serve` on a machine where nothing runs."""
    with machine(tmp_path_factory.mktemp("served")) as here:
        here.serve()
        yield here


@pytest.fixture(scope="session")
def first_night(served: Machine) -> dict[str, Any]:
    """Its run, by command line."""
    done = served.run("nightly", **NIGHT)
    assert done.returncode == 0
    return served.nights()[0]
