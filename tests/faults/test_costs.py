"""Bounded work: the largest input of every route and page costs little processor time."""

import pytest

from conflicto.settings import Settings
from tests.support.api import Api
from tests.support.costs import MAX_SLICE_S, MAX_TOTAL_S, SETTINGS, costs_of, prepared_requests


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update=SETTINGS)


async def test_the_largest_accepted_input_of_every_route_costs_little(api: Api) -> None:
    over, measured = [], []
    async for route, prepare in prepared_requests(api):
        cost = await costs_of(prepare)
        measured.append(f"{cost.total_s * 1000:7.2f} ms, slice {cost.slice_s * 1000:6.2f} ms, {cost.status} {route.name}")
        assert cost.status < 400, measured[-1]
        if cost.total_s > MAX_TOTAL_S or cost.slice_s > MAX_SLICE_S:
            over.append(measured[-1])
    assert over == [], "\n".join(sorted(measured, reverse=True))
