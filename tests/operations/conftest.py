"""What the tests of operations share."""

from collections.abc import Iterator

import pytest

from tests.support.machine import Machine, machine


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """`make serve` on a machine where nothing runs."""
    with machine(tmp_path_factory.mktemp("served")) as here:
        here.serve()
        yield here
