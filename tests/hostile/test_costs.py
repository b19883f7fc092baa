"""Work has a bound before it begins: what the largest input of every route leaves behind. Times are measured in tests/faults."""

import pytest
import starlette.requests

from tests.support.api import Api, make_event
from tests.support.checks import accepted
from tests.support.costs import MAX_KEPT_BYTES, askings, ids_of, kept_by

pytestmark = pytest.mark.in_process


async def test_the_largest_input_of_every_route_leaves_little_and_meets_no_cookie_parser(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's parser takes quadratic time on some interpreters, and the framework calls it for each request that has cookies."""
    parsed: list[str] = []
    monkeypatch.setattr(starlette.requests, "cookie_parser", lambda text: parsed.append(text) or {})
    event = await make_event(api)
    poll, seat = await event.activity(status="active", response_policy="many"), await event.join()
    row = accepted(await event.answer(poll, seat, 1), 201)

    served = 0
    for route, asking in askings(event, seat, ids_of(event, poll, seat, row)):
        cost = await kept_by(asking)
        assert cost.kept_bytes <= MAX_KEPT_BYTES, (route.name, cost)
        assert cost.status < 500, (route.name, cost)
        served += cost.status < 400
    assert served > 40
    assert parsed == []
