import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Look for what nobody thought of, at full speed: that every line runs is for the tests that name what they expect of it."""
    item.add_marker(pytest.mark.no_cover)
