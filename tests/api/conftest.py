"""These tests speak HTTP and leave rows behind, nothing else: on PostgreSQL they share one database, emptied after each."""

from collections.abc import Iterator

import pytest

from tests.support import databases
from tests.support.exports import Gate, held_exports


def pytest_itemcollected(item: pytest.Item) -> None:
    """Measure what the twin on SQLite runs: watching every line doubles a test's time, and both run the same lines here."""
    case = getattr(item, "callspec", None)
    if case is not None and case.params.get("database_url") == "postgresql":
        item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session")
def shared_database(postgres_template: str, postgres_url: str) -> Iterator[str]:
    with databases.postgres_copy(postgres_url) as url:
        yield url


@pytest.fixture
def postgres_database(shared_database: str) -> Iterator[str]:
    yield shared_database
    databases.empty_postgres(shared_database)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Hold exports at each row until the test lets them pass."""
    gate = held_exports(monkeypatch)
    yield gate
    gate.open()
