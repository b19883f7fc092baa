"""Bounds of work: what the largest input of every route leaves in memory.

Times are measured in tests/faults.
"""

import http.cookies

import pytest

from conflicto.settings import Settings
from tests.support.api import Api
from tests.support.costs import MAX_KEPT_BYTES, SETTINGS, kept_by, prepared_requests

pytestmark = pytest.mark.in_process


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update=SETTINGS)


async def test_the_largest_input_of_every_route_leaves_little_and_meets_no_cookie_parser(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parse cookies in linear time.

    The standard library's parser takes quadratic time on some interpreters (CVE-2024-7592).
    """
    parsed: list[str] = []
    monkeypatch.setattr(http.cookies.BaseCookie, "load", lambda self, text: parsed.append(text))
    seen = set()
    async for route, prepare in prepared_requests(api):
        cost = await kept_by(prepare)
        assert cost.kept_bytes <= MAX_KEPT_BYTES, (route.name, cost)
        assert cost.status < 400, (route.name, cost)
        seen.add(route.name)
    table = api.app.edge.pipeline._dependencies.routes
    assert seen == {route.name for route in table.routes}, "every route of the router is in the table"
    assert parsed == []
