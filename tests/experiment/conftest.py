"""What tests of answers and of reports share."""

import pytest

from tests.support.by_hand import study_rows


@pytest.fixture
def rows() -> list[dict]:
    return study_rows()
