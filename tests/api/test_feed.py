"""The feed over HTTP: grammar, pages, and delivery of each item once."""

from datetime import UTC, datetime, timedelta
from itertools import cycle, product
from typing import Any

import pytest

from conflicto.platform.instants import rfc3339
from tests.support.api import Api, Event, make_event
from tests.support.clocks import HandClock
from tests.support.feed_reader import PAGE_KEYS, drain, page

DAY_US = 86_400_000_000


async def wall_of(api: Api, answers: int, **fields: Any) -> tuple[Event, dict[str, Any], list[dict[str, Any]]]:
    """Return a session, its open wall, and the responses to it."""
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", **fields)
    anna = await event.join()
    sent = [(await event.answer(wall, anna, number)).json() for number in range(answers)]
    return event, wall, sent


def of(event: Event, activity: dict[str, Any]) -> str:
    return f"{event.path}/activities/{activity['id']}/responses"


def position_of(response: dict[str, Any]) -> int:
    at = datetime.fromisoformat(response["updated_at"])
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


# Grammar ------------------------------------------------------------------------------------------


async def test_every_form_of_the_timestamp_continues_at_the_same_place(api: Api) -> None:
    event, wall, sent = await wall_of(api, 3)
    us = position_of(sent[0])
    east = datetime.fromtimestamp(us // 1_000_000, UTC) + timedelta(hours=5, minutes=30)
    fraction = f"{us % 1_000_000:06d}"
    us_form, local = sent[0]["updated_at"], f"{east:%Y-%m-%dT%H:%M:%S}.{fraction}"
    forms = [
        str(us), us_form, us_form.replace("T", "t").replace("Z", "z"), us_form.replace("T", "%20"), us_form.replace("Z", "-00:00"),
        us_form.replace("Z", "999Z"), f"{local}+05:30", f"{local}%2B05:30", f"{local}%2005:30",
    ]  # fmt: skip
    for form in forms:
        body = await page(api, of(event, wall), form, event.host)
        assert body["since"] == str(us), form
        assert [item["id"] for item in body["items"]] == [each["id"] for each in sent[1:]], form


async def test_coarse_timestamps_repeat_and_never_skip(api: Api) -> None:
    event, wall, sent = await wall_of(api, 2)

    for digits in (13, 10):
        coarse = str(position_of(sent[-1]))[:digits]
        items, _ = await drain(api, of(event, wall), coarse, event.host)
        assert items[-1]["id"] == sent[-1]["id"]


REFUSED = [
    "-1", "1", "00", "17638887200042101", "1763888720004210123", "12345678901", "2026-11-23", "2026-11-23T07:32:00", "2026-W48-1", "NOW",
    "", "2026-11-23T07:32:60Z", "2026-11-23T24:00:00Z", "2026-02-30T07:32:00Z", "%D9%A11763888720004210", "1_763_888_720", "x" * 1500,
    "1763888720004210%0A", "+1763888720004210", "1763888720004210.0", "2026-11-23T07:32:00.1234567890Z", "2026-11-23T07:32:00+01:00:30",
]  # fmt: skip


@pytest.mark.catalogue("D-06")
async def test_other_timestamps_are_refused(api: Api) -> None:
    event = await make_event(api)

    for text in REFUSED:
        refused = await api.get(f"{event.path}/changes/since/{text}", token=event.host)
        assert (refused.status_code, refused.json()["code"]) in {(400, "invalid-timestamp"), (400, "text-invalid")}, text


async def test_limits_beyond_the_bounds_are_refused(api: Api) -> None:
    event = await make_event(api)

    for limit in ("0", "1001", "-1", "x", "1.0", "", "%D9%A1", "99999", "9" * 5000):
        refused = await api.get(f"{event.path}/changes/since/0?limit={limit}", token=event.host)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/limit"), limit


# Pages --------------------------------------------------------------------------------------------


async def test_page_has_its_shape_and_headers(api: Api) -> None:
    event, wall, sent = await wall_of(api, 2)

    answer = await api.get(of(event, wall) + "/since/0", token=event.host)

    body = answer.json()
    assert list(body) == ["items", "since", "count", "cursor", "has_more", "epoch", "closed"]
    assert set(body) == PAGE_KEYS
    assert body["items"] == sent
    assert (body["since"], body["count"], body["has_more"], body["closed"]) == ("0" * 16, 2, False, False)
    assert body["cursor"] == str(position_of(sent[-1]))
    assert body["epoch"] == api.app.platform.identity.epoch
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Authorization, Accept-Encoding, Prefer"
    assert answer.headers["poll-after"] == "2000"


async def test_now_is_an_empty_page_that_nobody_keeps(api: Api) -> None:
    event, wall, sent = await wall_of(api, 1)

    answer = await api.get(of(event, wall) + "/since/now", token=event.host)

    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["items"], answer.json()["cursor"]) == ([], str(position_of(sent[-1])))


@pytest.mark.catalogue("D-03")
async def test_pages_of_any_size_list_everything_once(api: Api) -> None:
    event, wall, sent = await wall_of(api, 11)

    for limit, since in zip(range(1, 8), cycle(("0", "beginning")), strict=False):
        items, cursor = await drain(api, of(event, wall), since, event.host, limit)
        assert [item["id"] for item in items] == [each["id"] for each in sent], limit
        assert cursor == str(position_of(sent[-1]))
        everything, _ = await drain(api, event.path + "/changes", since, event.host, limit)
        keys = [(item["entity"], item["id"], item["revision"]) for item in everything]
        assert len(set(keys)) == len(keys) == 1 + 1 + 1 + 11, limit


async def test_last_full_page_is_marked_as_the_last(api: Api) -> None:
    event, wall, sent = await wall_of(api, 4)

    first = await page(api, of(event, wall), "0", event.host, limit=2)
    second = await page(api, of(event, wall), first["cursor"], event.host, limit=2)

    assert (first["has_more"], second["has_more"]) == (True, False)
    assert second["cursor"] == str(position_of(sent[-1]))


async def test_updates_move_and_deletions_leave_tombstones(api: Api) -> None:
    event, wall, sent = await wall_of(api, 3)
    anna_token = (await event.join("Bert")).token
    start = str(position_of(sent[0]))
    await api.delete(f"{of(event, wall)}/{sent[1]['id']}", token=event.host)
    assert anna_token

    after = await page(api, of(event, wall), start, event.host)

    assert [(item["id"], item["revision"], item["deleted"]) for item in after["items"]] == [
        (sent[2]["id"], 1, False),
        (sent[1]["id"], 2, True),
    ]
    assert after["items"][1]["response_data"] is None
    assert after["items"][1]["created_at"] == sent[1]["created_at"]
    beginning = await page(api, of(event, wall), "0", event.host)
    assert [item["id"] for item in beginning["items"]] == [sent[0]["id"], sent[2]["id"]]
    changes = await page(api, event.path + "/changes", start, event.host)
    tombstone = [item for item in changes["items"] if item["id"] == sent[1]["id"]]
    assert [(item["entity"], item["deleted"], item["data"]) for item in tombstone] == [("response", True, None)]


async def test_row_that_moves_while_one_pages_is_met_again_in_its_new_revision(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    seats = [await event.join(name) for name in ("Anna", "Bert", "Cleo")]
    for seat in seats:
        await event.answer(poll, seat, "old")
    first = await page(api, of(event, poll), "0", event.host, limit=2)
    await event.answer(poll, seats[0], "new")
    await event.answer(poll, seats[2], "new")

    rest, _ = await drain(api, of(event, poll), first["cursor"], event.host, limit=1)

    assert [(item["participant_id"], item["revision"]) for item in rest] == [(seats[0].id, 2), (seats[2].id, 2)]


async def test_cursors_of_session_and_activity_are_interchangeable(api: Api) -> None:
    event, wall, sent = await wall_of(api, 3)
    changes = await page(api, event.path + "/changes", "0", event.host, limit=4)

    rest = await page(api, of(event, wall), changes["cursor"], event.host)

    assert [item["id"] for item in rest["items"]] == [each["id"] for each in sent[1:]]


async def test_page_of_an_ended_session_marks_its_end(api: Api) -> None:
    event, wall, _ = await wall_of(api, 2)
    await api.patch(event.path, {"status": "completed"}, token=event.host)

    first = await page(api, of(event, wall), "0", event.host, limit=1)
    second = await page(api, of(event, wall), first["cursor"], event.host, limit=1)

    assert (first["closed"], second["closed"]) == (False, True)
    caught_up = await api.get(f"{of(event, wall)}/since/{second['cursor']}", token=event.host)
    assert (caught_up.json()["closed"], caught_up.headers["poll-after"]) == (True, "60000")


# The future ---------------------------------------------------------------------------------------


async def test_clock_that_runs_ahead_is_clamped_to_the_newest_change(api: Api, clock: HandClock) -> None:
    event, wall, _ = await wall_of(api, 2, responses_visibility="participants")
    tokens = (event.host, event.screen, (await event.join("Bert")).token)

    for token, where in product(tokens, (event.path + "/changes", of(event, wall))):
        _, head = await drain(api, where, "0", token)
        for ahead in (1, DAY_US - 60_000_000):
            future = clock.wall_us() + ahead
            for form in (str(future), rfc3339(future)):
                body = await page(api, where, form, token)
                assert (body["items"], body["cursor"], body["since"], body["clamped"]) == ([], head, head, True)
        assert "clamped" not in await page(api, where, head, token)


async def test_more_than_a_day_ahead_is_a_mistake(api: Api, clock: HandClock) -> None:
    event, wall, _ = await wall_of(api, 1)

    for where in (event.path + "/changes", of(event, wall)):
        for future in (str(clock.wall_us() + DAY_US + 60_000_000), "9999-12-31T23:59:59Z", "9999999999999999"):
            refused = await api.get(f"{where}/since/{future}", token=event.host)
            assert (refused.status_code, refused.json()["code"]) == (400, "cursor-in-future")


@pytest.mark.catalogue("D-07")
async def test_before_the_session_is_from_its_start(api: Api) -> None:
    event, wall, sent = await wall_of(api, 2)

    for ancient in ("1000000000", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        items, _ = await drain(api, of(event, wall), ancient, event.host)
        assert [item["id"] for item in items] == [each["id"] for each in sent]
