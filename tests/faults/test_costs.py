"""Work has a bound before it begins: the largest input of every route and page costs little processor time (it compares times)."""

from tests.support.api import Api, make_event
from tests.support.checks import accepted
from tests.support.costs import MAX_SLICE_S, MAX_TOTAL_S, askings, costs_of, ids_of

SLICES: dict[str, tuple[float, str]] = {
    "POST /api/v1/activity-types/{type}/validate": (
        0.02, "256 KiB pass the gate and a schema in one piece; for those who write clients and forms, and limited to 100 a second",
    ),
}  # fmt: skip
TOTALS: dict[str, tuple[float, str]] = {}
"""Exceptions, in seconds, each with its reason."""


async def test_the_largest_input_of_every_route_costs_little(api: Api) -> None:
    event = await make_event(api)
    poll, seat = (
        await event.activity(status="active", response_policy="many", responses_visibility="participants"),
        await event.join(),
    )
    row = accepted(await event.answer(poll, seat, 1), 201)
    over, measured = [], []
    for route, asking in askings(event, seat, ids_of(event, poll, seat, row)):
        cost = await costs_of(asking)
        measured.append(f"{cost.total_s * 1000:7.2f} ms, slice {cost.slice_s * 1000:6.2f} ms, {cost.status} {route.name}")
        if (
            cost.total_s > TOTALS.get(route.name, (MAX_TOTAL_S, ""))[0]
            or cost.slice_s > SLICES.get(route.name, (MAX_SLICE_S, ""))[0]
        ):
            over.append(measured[-1])
    assert over == [], "\n".join(sorted(measured, reverse=True))
