import pytest

from tests.faults.table import TABLE, table


def test_the_table_tells_what_is_tried(request: pytest.FixtureRequest) -> None:
    """Of the test files in this session; `make faults-table` writes it."""
    files = {item.nodeid.partition("::")[0] for item in request.session.items}

    def rows(text: str) -> list[str]:
        return [row for row in text.splitlines() if any(f"`{file}::" in row for file in files)]

    assert rows(TABLE.read_text()) == rows(table(request.config))
