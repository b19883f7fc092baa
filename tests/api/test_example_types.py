"""The types of `examples/types` as strangers use them: sums, names, grids and rules of scores."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused

EXAMPLES = Path(__file__).parents[2] / "examples/types"
NUMBERS = count(1)
"""Numbers of participants, whose names must differ."""

OPTIONS = [{"id": each, "text": each.upper()} for each in "abc"]
POINTS = {"type": "points", "config": {"question": "?", "options": OPTIONS, "total": 100, "step": 1}, "secret": {"best": "b"}}
HOTSPOT = {
    "type": "hotspot", "secret": {"column": 2, "row": 1},
    "config": {"question": "?", "picture": "figure", "columns": 3, "rows": 2, "names": ["left", "heart"]},
}  # fmt: skip


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"activity_types": (EXAMPLES, EXAMPLES / "hotspot/src/conflicto_hotspot")})


@pytest.fixture
async def event(api: Api) -> Event:
    return await make_event(api)


async def submit(api: Api, event: Event, activity: dict[str, Any], text: str) -> Any:
    seat = await event.join(f"Anna {next(NUMBERS)}")
    return await api.post(f"{event.path}/activities/{activity['id']}/responses", {"response_data": json.loads(text)}, seat.token)


async def results(api: Api, event: Event, activity: dict[str, Any]) -> dict[str, Any]:
    return dict(accepted(await api.get(f"{event.path}/activities/{activity['id']}/results", event.host))["results"])


def faults(answer: Any) -> list[tuple[str, str]]:
    return [(each["pointer"], each["message"]) for each in refused(answer, 422, "invalid-input")["errors"]]


async def test_a_hundred_points_are_26_bytes_that_add_up(api: Api, event: Event) -> None:
    activity = await event.activity(**POINTS, status="active")
    text = '{"points":{"a":60,"b":40}}'

    assert len(text) == 26
    assert accepted(await submit(api, event, activity, text), 201)["response_data"] == {"points": {"a": 60, "b": 40}}
    must = [("/response_data/points", "must add up to 100")]
    assert faults(await submit(api, event, activity, '{"points":{"a":99}}')) == must
    assert faults(await submit(api, event, activity, '{"points":{}}')) == must
    named = [("/response_data/points", "holds a field with a name that is not allowed")]
    assert faults(await submit(api, event, activity, '{"points":{"a":60,"z":40}}')) == named


async def test_ninety_nine_points_on_a_are_not_right_for_b(api: Api, event: Event) -> None:
    activity = await event.activity(**POINTS, status="active")
    for text in ('{"points":{"a":99,"b":1}}', '{"points":{"a":50,"b":50}}', '{"points":{"a":1,"b":99}}'):
        accepted(await submit(api, event, activity, text), 201)
    found = await results(api, event, activity)

    assert (found["score"]["correct"], found["score"]["answers"]) == (1, 3)
    assert [(each["value"], each["sum"], each["mean"], each["share"]) for each in found["points"]["options"]] == [
        ("a", 150, 50, 0.5), ("b", 150, 50, 0.5), ("c", 0, 0, 0),
    ]  # fmt: skip


async def test_steps_and_totals_of_the_config_agree(api: Api, event: Event) -> None:
    config = {**POINTS["config"], "step": 30}  # type: ignore[dict-item] # an object
    bad = await api.post(f"{event.path}/activities", {**POINTS, "config": config}, event.host)
    assert faults(bad) == [("/config/total", "must be a multiple of 30")]
    activity = await event.activity(**{**POINTS, "config": {**config, "total": 90}}, status="active")

    accepted(await submit(api, event, activity, '{"points":{"a":60,"b":30}}'), 201)
    wrong = await submit(api, event, activity, '{"points":{"a":50,"b":40}}')
    assert faults(wrong) == [
        ("/response_data/points/a", "must be a multiple of 30"),
        ("/response_data/points/b", "must be a multiple of 30"),
    ]


async def test_taps_are_counted_by_cell_and_scored_by_both_members(api: Api, event: Event) -> None:
    activity = await event.activity(**HOTSPOT, status="active")
    for column, row in ((2, 1), (2, 2), (3, 1), (2, 1)):
        accepted(await submit(api, event, activity, f'{{"column":{column},"row":{row}}}'), 201)
    found = await results(api, event, activity)

    assert found["score"]["correct"] == 2
    assert (found["spots"]["columns"], found["spots"]["rows"]) == (3, 2)
    assert [(each["column"], each["row"], each["name"], each["count"]) for each in found["spots"]["cells"]] == [
        (2, 1, "heart", 2), (3, 1, None, 1), (2, 2, None, 1),
    ]  # fmt: skip
    outside = await submit(api, event, activity, '{"column":4,"row":1}')
    assert faults(outside) == [("/response_data/column", "must be at most 3")]
