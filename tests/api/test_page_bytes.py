"""Pages of lists: bounded in bytes, without reading more items than fit."""

from collections.abc import Iterator
from typing import Any

import pytest

from conflicto.activities import store as activity_store
from conflicto.activities.commands.edit import NewActivity, add_activity
from conflicto.activities.model import Content
from conflicto.platform.http.paging import MAX_PAGE_BYTES
from conflicto.responses import store as response_store
from conflicto.responses.model import ParticipantResponse
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted

LARGE = 200_000
PARTS = ["x" * 8_000] * 2
ACTIVITIES = 24
ANSWERS = 100


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Count the characters of JSON that the database returned."""
    counts = {"characters": 0}
    contents, characters = activity_store.contents, response_store.character_count
    made = response_store._from_row

    def counted_contents(*args: Any) -> dict[Any, Content]:
        found = contents(*args)
        counts["characters"] += sum(each.characters for each in found.values())
        return found

    def counted_response(row: Any) -> ParticipantResponse:
        response = made(row)
        counts["characters"] += characters(response)
        return response

    monkeypatch.setattr(activity_store, "contents", counted_contents)
    monkeypatch.setattr(response_store, "_from_row", counted_response)
    return counts


async def walked(api: Api, path: str, token: str, read: dict[str, int]) -> list[dict[str, Any]]:
    """Follow a list by cursors, and check that each page is within the bound for any `limit`."""
    items: list[dict[str, Any]] = []
    at, pages = f"{path}limit=1000", 0
    while at:
        read["characters"] = 0
        answer = await api.get(at, token=token)
        page = accepted(answer)
        assert read["characters"] <= 5 * MAX_PAGE_BYTES
        assert len(answer.content) < MAX_PAGE_BYTES + 2_000
        assert page["has_next"] is (page["next_cursor"] is not None)
        assert page["limit"] == (len(page["items"]) if page["has_next"] else 1000)
        items += page["items"]
        pages += 1
        at = f"{path}limit=1000&cursor={page['next_cursor']}" if page["has_next"] else ""
    assert pages > 1
    return items


async def by_offset(api: Api, path: str, token: str) -> list[dict[str, Any]]:
    """Follow a list like programs that add `limit` to `offset`."""
    items: list[dict[str, Any]] = []
    has_next = True
    offset = 0
    while has_next:
        page = accepted(await api.get(f"{path}limit=1000&offset={offset}", token=token))
        items += page["items"]
        offset, has_next = offset + page["limit"], page["has_next"]
    return items


async def filled(api: Api) -> tuple[Event, dict[str, Any], Seat, list[str]]:
    """Return a session in which one participant sent many large responses, with their ids."""
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seat = await event.join("Ann")
    made = [accepted(await event.answer(wall, seat, [number, *PARTS]), 201)["id"] for number in range(ANSWERS)]
    return event, wall, seat, made


async def test_a_page_of_activities_ends_at_a_megabyte(api: Api, read: dict[str, int]) -> None:
    event = await make_event(api)
    new = NewActivity(type="lunch", content=Content(config=f'["{"x" * LARGE}"]', secret=None, aggregate=None), order_index=0)
    made = await api.app.domain.writer.run(event.id, lambda tx: [add_activity(tx, event.id, new) for _ in range(ACTIVITIES)])
    path = f"{event.path}/activities?"
    assert {each["id"] for each in await walked(api, path, event.host, read)} == {str(each.id) for each in made}
    assert [each["id"] for each in await by_offset(api, path, event.host)] == [
        each["id"] for each in await walked(api, path, event.host, read)
    ]


async def test_an_activity_larger_than_a_page_is_on_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.http.paging.MAX_PAGE_BYTES", 100)
    event = await make_event(api)
    made = [await event.activity(config="x" * 200) for _ in range(3)]
    page = accepted(await api.get(f"{event.path}/activities", token=event.host))
    assert [each["id"] for each in page["items"]] == [made[0]["id"]]
    assert page["limit"] == 1
    assert [each["id"] for each in await by_offset(api, f"{event.path}/activities?", event.host)] == [each["id"] for each in made]


async def test_pages_of_answers_end_at_a_megabyte(api: Api, read: dict[str, int]) -> None:
    event, wall, seat, made = await filled(api)
    responses = f"{event.path}/activities/{wall['id']}/responses"
    for path, token in (
        (f"{responses}?", event.host),
        (f"{responses}?participant_id={seat.id}&", event.host),
        (f"{responses}?contains=[]&", event.host),
        (f"{responses}/mine?", seat.token),
    ):
        assert [each["id"] for each in await walked(api, path, token, read)] == made
        assert [each["id"] for each in await by_offset(api, path, token)] == made


async def test_what_one_person_reads_of_their_own_answers_is_bounded(api: Api, read: dict[str, int]) -> None:
    event, _wall, seat, made = await filled(api)
    read["characters"] = 0
    me = accepted(await api.get("/participants/me", token=seat.token))
    shown = [each["id"] for each in me["responses"]]
    assert read["characters"] < 3 * MAX_PAGE_BYTES
    assert shown == made[: len(shown)]
    assert 60 < len(shown) < ANSWERS

    found: list[str] = []
    since, has_more = "0", True
    while has_more:
        read["characters"] = 0
        page = accepted(await api.get(f"{event.path}/changes/since/{since}?limit=1000", token=seat.token))
        assert read["characters"] < 3 * MAX_PAGE_BYTES
        found += [each["id"] for each in page["items"] if each["entity"] == "response"]
        since, has_more = page["cursor"], page["has_more"]
    assert found == made
