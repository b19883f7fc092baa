"""Exclude the hostile tests from coverage, which would double their time.

They look for faults, not for lines that nothing runs.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.counting import print_counts

COUNTS = "counts"


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--cases")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--rounds")


@pytest.fixture
def first(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--first")


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--long")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> str:
    return request.config.getoption("--seed")


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that records a count for the report at the end of the run."""
    return lambda report: record_property(COUNTS, report)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    print_counts(terminalreporter, COUNTS, "sent")
