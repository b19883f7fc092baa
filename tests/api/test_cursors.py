"""Cursors of lists: no row skipped or repeated during changes, and no use for another list."""

from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused


def next_path(page: Any) -> str | None:
    """Return the URL in `Link` without the prefix, or None on the last page."""
    link: str | None = page.headers.get("link")
    if link is None:
        return None
    assert link.endswith('>; rel="next"')
    return link[1:].split(">")[0].removeprefix("/api/v1")


async def walk(api: Api, path: str, token: str | None) -> list[list[Any]]:
    """Return the items of all pages, following `Link`."""
    pages: list[list[Any]] = []
    at: str | None = path
    while at is not None:
        page = await api.get(at, token=token)
        body = accepted(page)
        assert body["has_next"] is (body["next_cursor"] is not None) is (next_path(page) is not None)
        assert (body["offset"] is None) is body["has_prev"] is bool(pages)
        pages.append(body["items"])
        at = next_path(page)
    return pages


async def filled(api: Api) -> tuple[Event, dict[str, Any], list[Seat]]:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    for number in range(4):
        await event.activity(title=f"Q{number}")
        accepted(await api.post(f"{event.path}/links", {"scope": "screen", "name": f"L{number}"}, token=event.host), 201)
    seats = [await event.join(f"N{number}") for number in range(5)]
    for number, seat in enumerate([*seats, seats[0], seats[0], seats[0]]):
        accepted(await event.answer(wall, seat, number), 201)
    return event, wall, seats


LISTS = ["participants", "activities", "links", "transitions", "activities/{wall}/responses", "activities/{wall}/responses?round=1"]


@pytest.mark.parametrize("below", LISTS)
async def test_cursors_walk_through_what_one_page_holds(api: Api, below: str) -> None:
    event, wall, _ = await filled(api)
    path = f"{event.path}/{below.format(wall=wall['id'])}"
    join = "&" if "?" in path else "?"
    whole = accepted(await api.get(f"{path}{join}limit=1000", token=event.host))

    for limit in (1, 2, 3):
        pages = await walk(api, f"{path}{join}limit={limit}", event.host)
        assert [item for page in pages for item in page] == whole["items"]
        assert {len(page) for page in pages[:-1]} <= {limit}
    assert whole["next_cursor"] is None


async def test_cursors_walk_through_sessions_types_and_own_answers(api: Api) -> None:
    event, wall, seats = await filled(api)
    for number in range(4):
        await make_event(api, active=False, title=f"S{number}")
    lists = (
        ("/sessions", api.admin),
        ("/sessions?status=draft", api.admin),
        ("/activity-types", ""),
        (f"{event.path}/activities/{wall['id']}/responses/mine", seats[0].token),
    )
    for path, token in lists:
        join = "&" if "?" in path else "?"
        whole = accepted(await api.get(f"{path}{join}limit=1000", token=token or None))
        pages = await walk(api, f"{path}{join}limit=3", token or None)
        assert len(pages) > 1
        assert [item for page in pages for item in page] == whole["items"]


async def test_people_who_come_and_go_between_pages_move_nobody(api: Api) -> None:
    event, _, seats = await filled(api)
    first = await api.get(f"{event.path}/participants?limit=2", token=event.host)
    accepted(await api.delete(f"/participants/{seats[0].id}", token=event.host), 204)
    accepted(await api.delete(f"/participants/{seats[3].id}", token=event.host), 204)
    accepted(await api.patch("/participants/me", {"nickname": "Renamed"}, token=seats[1].token))
    await event.join("Late")

    rest = await walk_on(api, first, event.host)

    assert [person["nickname"] for person in first.json()["items"]] == ["N0", "N1"]
    assert [person["nickname"] for person in rest] == ["N2", "N4", "Late"]


async def test_answers_that_change_between_pages_come_again_with_a_higher_revision(api: Api) -> None:
    event, wall, seats = await filled(api)
    path = f"{event.path}/activities/{wall['id']}/responses"
    first = await api.get(f"{path}?limit=3", token=event.host)
    seen = first.json()["items"]
    accepted(await api.put(f"{path}/{seen[0]['id']}", {"response_data": "edited"}, token=seats[0].token))
    accepted(await api.delete(f"{path}/{seen[1]['id']}", token=event.host), 204)
    accepted(await event.answer(wall, seats[4], "late"), 201)

    rest = await walk_on(api, first, event.host)

    assert [answer["response_data"] for answer in rest] == [3, 4, 5, 6, 7, "edited", "late"]
    assert [(each["id"], each["revision"]) for each in rest if each["id"] == seen[0]["id"]] == [(seen[0]["id"], 2)]


async def walk_on(api: Api, first: Any, token: str) -> list[Any]:
    """Return the items of the pages after `first`."""
    at = next_path(first)
    assert at is not None
    found = []
    while at is not None:
        page = await api.get(at, token=token)
        found += accepted(page)["items"]
        at = next_path(page)
    return found


async def test_a_filter_with_signs_survives_in_the_link(api: Api) -> None:
    event, wall, seats = await filled(api)
    for word in ("a&b=c", "a&b=c", "ä+ö"):
        accepted(await event.answer(wall, seats[0], {"word": word}), 201)
    query = urlencode({"contains": '{"word":"a&b=c"}', "limit": 1})
    pages = await walk(api, f"{event.path}/activities/{wall['id']}/responses?{query}", event.host)
    assert [[each["response_data"] for each in page] for page in pages] == [[{"word": "a&b=c"}]] * 2


async def test_a_cursor_holds_for_its_list_and_its_filters_alone(api: Api) -> None:
    event, wall, _ = await filled(api)
    other = await make_event(api)
    path = f"{event.path}/activities/{wall['id']}/responses"
    cursor = accepted(await api.get(f"{path}?limit=2&round=1", token=event.host))["next_cursor"]

    accepted(await api.get(f"{path}?limit=5&round=1&cursor={cursor}", token=event.host))
    for elsewhere in (f"{path}?", f"{path}?round=2&", f"{event.path}/participants?", f"{event.path}/transitions?"):
        problem = refused(await api.get(f"{elsewhere}cursor={cursor}", token=event.host), 422, "invalid-input")
        assert problem["errors"][0]["pointer"] == "/query/cursor"
    refused(await api.get(f"{other.path}/participants?cursor={cursor}", token=other.host), 422, "invalid-input")


ODD = [
    "",
    "x",
    "%00",
    "é",
    "=",
    "A" * 200,
    "A" * 201,
    "AA%3D%3D",
    urlsafe_b64encode(b"\x93\x01\xc4\x08" + b"0" * 8 + b"\x91\xcf" + b"\xff" * 8).decode(),
]


@pytest.mark.parametrize("cursor", ODD)
@pytest.mark.parametrize("below", ["participants", "activities", "links", "transitions"])
async def test_what_is_no_cursor_is_refused(api: Api, below: str, cursor: str) -> None:
    event = await make_event(api, active=False)
    answer = await api.get(f"{event.path}/{below}?cursor={cursor}", token=event.host)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] in {"invalid-input", "text-invalid"}


async def test_far_offsets_name_the_cursor(api: Api) -> None:
    event = await make_event(api, active=False)
    accepted(await api.get(f"{event.path}/participants?offset=10000", token=event.host))
    accepted(await api.get(f"{event.path}/transitions?offset=999999", token=event.host))
    problem = refused(await api.get(f"{event.path}/participants?offset=10001", token=event.host), 422, "invalid-input")
    assert (problem["errors"][0]["pointer"], "`cursor`" in problem["errors"][0]["message"]) == ("/query/offset", True)
    both = await api.get(f"{event.path}/participants?offset=1&cursor=AAAA", token=event.host)
    assert "not both" in refused(both, 422, "invalid-input")["errors"][0]["message"]
