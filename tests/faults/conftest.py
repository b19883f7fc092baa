"""Real faults, and the number of injected faults at the end of the run."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import databases
from tests.support.counting import print_counts

COUNTS = "faults"


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that records a count for the report at the end of the run."""
    return lambda report: record_property(COUNTS, report)


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings of servers on either database; an embedded one lies in each server's directory."""
    if request.param == "sqlite":
        yield {}
        return
    request.getfixturevalue("postgres_template")
    with databases.postgres_copy(request.getfixturevalue("postgres_url")) as url:
        yield {"DATABASE_URL": url}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    print_counts(terminalreporter, COUNTS, "faults")
