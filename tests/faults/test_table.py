import pytest

from tests.faults.table import TABLE, table


def test_the_table_tells_what_is_tried(request: pytest.FixtureRequest) -> None:
    """Of the test files in this session; `make faults-table` writes it."""
    files = {item.path.name for item in request.session.items}
    rows = [row for row in TABLE.read_text().splitlines() if any(f"`{file}::" in row for file in files)]
    assert rows == [row for row in table(request.config).splitlines() if any(f"`{file}::" in row for file in files)]
