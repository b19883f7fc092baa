from collections.abc import Iterator

import pytest

from tests.support.exports import Gate, held_exports


def pytest_itemcollected(item: pytest.Item) -> None:
    """Exclude these tests from coverage: their twins on SQLite run the same lines.

    Tracing every line would double the time of a test.
    """
    case = getattr(item, "callspec", None)
    if case is not None and case.params.get("database_url") == "postgresql":
        item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Stop exports at each row until the test continues them."""
    gate = held_exports(monkeypatch)
    yield gate
    gate.open()
