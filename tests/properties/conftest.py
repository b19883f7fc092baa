import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Exclude property tests from coverage, at full speed.

    Tests that name their expectations ensure that every line runs.
    """
    item.add_marker(pytest.mark.no_cover)
