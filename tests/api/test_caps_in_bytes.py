"""Limits of a session in bytes: exact counts, and a full session that hosts can still run."""

import asyncio
from typing import Any

import pytest

from conflicto.app import App
from conflicto.responses.recount.differences import bytes_of_sessions, counter_differences
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.storage_quota import ACTIVITY_BYTES, KEY_BYTES, POOLED_BYTES, RESPONSE_BYTES
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused

pytestmark = [pytest.mark.in_process, pytest.mark.catalogue("S-04")]

CAP = 20_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_session_bytes": CAP})


def stored(app: App, event: Event) -> int:
    counted = app.platform.db.query(read_head, event.id).counts["stored_bytes"]
    assert counted == app.platform.db.query(bytes_of_sessions)[event.id]
    return counted


async def one(event: Event, poll: dict[str, Any], seat: Seat, data: object, key: str) -> Any:
    return await event.answer(poll, seat, data, headers={"idempotency-key": key})


async def filled(event: Event, app: App, wall: dict[str, Any], seat: Seat) -> None:
    number = 0
    while (await one(event, wall, seat, "x" * 900, f"fill-{number}")).status_code == 201:
        number += 1
    assert CAP <= stored(app, event) < CAP + 2_000


async def test_everything_that_is_stored_is_counted(api: Api, app: App) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", config={"text": "Größe"}, title="Wänd")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    sent = accepted(await one(event, wall, anna, "é" * 50, "answer-1"), 201)
    path = f"{event.path}/activities/{wall['id']}"
    before = stored(app, event)
    accepted(await api.put(f"{path}/responses/{sent['id']}", {"response_data": "short"}, token=anna.token))
    assert stored(app, event) == before - 95
    accepted(await api.delete(f"{path}/responses/{sent['id']}", token=event.host), 204)
    assert stored(app, event) == before - 102, "its row and its key remain"
    accepted(await api.patch(path, {"title": "Wall", "config": {"text": "x" * 100}}, token=event.host))
    accepted(await api.post(f"{path}/rounds", token=event.host))
    accepted(await one(event, wall, bert, 1, "answer-2"), 201)
    accepted(await api.delete(f"/participants/{bert.id}?responses=delete", token=event.host), 204)
    accepted(await api.post(f"{path}/reset", token=event.host), 204)
    spare = await event.activity(config={"a": [1, 2]})
    accepted(await api.delete(f"{event.path}/activities/{spare['id']}", token=event.host), 204)
    assert stored(app, event) > before
    assert app.platform.db.query(counter_differences) == []


async def test_keys_of_one_answer_are_counted(api: Api, app: App) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active"), await event.join()
    accepted(await one(event, poll, anna, 1, "key-0"), 201)
    before = stored(app, event)
    for number in range(1, 21):
        accepted(await one(event, poll, anna, 1, f"key-{number}"), 200)
    assert stored(app, event) == before + 20 * KEY_BYTES


async def test_one_who_sends_the_same_answer_with_new_keys_is_stopped(api: Api, app: App) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active"), await event.join()
    codes = [(await one(event, poll, anna, 1, f"key-{number}")).status_code for number in range(118)]
    assert (codes[0], codes[1], codes[-1]) == (201, 200, 409)
    assert stored(app, event) < CAP * 1.1 + KEY_BYTES
    assert (await one(event, poll, anna, 1, "key-0")).status_code == 201, "a replay needs no bytes"


async def test_what_works_when_a_session_is_full(api: Api, app: App) -> None:
    event, other = await make_event(api), await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    spare = await event.activity(config={"text": "x" * 50})
    anna = await event.join("Anna")
    first = accepted(await one(event, wall, anna, "first", "first"), 201)
    await filled(event, app, wall, anna)
    path, draft = (f"{event.path}/activities/{each['id']}" for each in (wall, spare))

    problem = refused(await one(event, wall, anna, 1, "late"), 409, "storage-full")
    assert "storage-full" in problem["type"]
    join = await api.post(f"{event.path}/join", {"nickname": "Bert", "code": event.code})
    refused(join, 409, "storage-full")
    refused(await api.post(f"{event.path}/activities", {"type": "lunch"}, token=event.host), 409, "storage-full")
    refused(await api.post(f"{path}/rounds", token=event.host), 409, "storage-full")
    refused(await api.patch(draft, {"config": {"text": "x" * 100}}, token=event.host), 409, "storage-full")
    refused(await api.patch(path, {"title": "A title"}, token=event.host), 409, "storage-full")

    edited = accepted(await api.put(f"{path}/responses/{first['id']}", {"response_data": "edited"}, token=anna.token))
    assert edited["revision"] == 2
    assert (await one(event, wall, anna, "first", "first")).status_code == 201
    accepted(await api.patch(draft, {"config": {}}, token=event.host))
    accepted(await api.delete(f"{path}/responses/{first['id']}", token=event.host), 204)
    accepted(await api.post(f"{path}/reveal", {"results": True}, token=event.host))
    accepted(await api.post(f"{path}/transition", {"target_status": "expired"}, token=event.host))
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    assert (await api.get(f"{event.path}/export", token=event.host)).status_code == 200
    stored(app, event)
    accepted(await one(other, await other.activity(status="active"), await other.join("Anna"), 1, "elsewhere"), 201)
    accepted(await api.delete(event.path, token=event.host), 204)


async def test_no_step_back_and_forth_writes_without_end(api: Api, app: App) -> None:
    event = await make_event(api)
    poll = await event.activity()
    long_text = "x" * 200

    async def to(status: str) -> Any:
        path = f"{event.path}/activities/{poll['id']}/transition"
        return await api.post(path, {"target_status": status, "reason": long_text}, token=event.host)

    steps = [await to(status) for _ in range(32) for status in ("published", "draft")]
    assert (steps[0].status_code, steps[1].status_code) == (200, 200)
    refused(steps[-2], 409, "storage-full")
    assert CAP * 1.1 <= stored(app, event) < CAP * 1.1 + 2 * 500
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))


async def test_pools_and_the_keys_of_their_owners_are_counted(api: Api, app: App) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", response_policy="one", anonymous=True, min_group=3)
    empty, seats = stored(app, event), [await event.join(f"P{number}") for number in range(4)]
    joined = stored(app, event)
    sent = [accepted(await one(event, poll, seat, "é" * 50, f"key-of-an-author-{seat.id}"), 201) for seat in seats]
    assert stored(app, event) == joined + 4 * (POOLED_BYTES + KEY_BYTES + 102)
    accepted(await one(event, poll, seats[0], "é" * 50, "another-key-of-an-author"), 200)
    assert stored(app, event) == joined + 4 * (POOLED_BYTES + KEY_BYTES + 102) + KEY_BYTES
    path = f"{event.path}/activities/{poll['id']}"
    accepted(await api.put(f"{path}/responses/{sent[1]['id']}", {"response_data": "x"}, token=seats[1].token))
    assert stored(app, event) == joined + 4 * (POOLED_BYTES + KEY_BYTES + 102) + KEY_BYTES - 99
    before = stored(app, event)
    accepted(await event.move(poll, "expired"))
    line = stored(app, event) - before
    assert 0 < line < 300, "released rows take as many bytes as in the pool"
    accepted(await api.delete(f"/participants/{seats[0].id}", token=event.host), 204)
    assert stored(app, event) == before + line + POOLED_BYTES - 2 * KEY_BYTES, "a mark is added, and the owner's keys are deleted"
    assert empty < joined


async def test_one_who_edits_an_anonymous_answer_or_sends_it_with_new_keys_is_stopped(api: Api, app: App) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active", response_policy="one", anonymous=True, min_group=3), await event.join()
    sent = [await one(event, poll, anna, 1, f"a-key-of-an-author-{number}") for number in range(100)]
    assert (sent[0].status_code, sent[1].status_code) == (201, 200)
    refused(sent[-1], 409, "storage-full")
    assert CAP * 1.1 <= stored(app, event) < CAP * 1.1 + KEY_BYTES
    edit = f"{event.path}/activities/{poll['id']}/responses/{sent[0].json()['id']}"
    refused(await api.put(edit, {"response_data": "longer"}, token=anna.token), 409, "storage-full")
    accepted(await api.put(edit, {"response_data": 2}, token=anna.token))
    accepted(await api.delete(edit, token=anna.token), 204)
    stored(app, event)


async def test_a_copy_counts_its_own_bytes(api: Api, app: App) -> None:
    event = await make_event(api)
    for number in range(5):
        await event.activity(config={"text": "x" * 1_000}, title=f"Wall {number}")
    copy = accepted(await api.post(f"{event.path}/duplicate", token=api.admin), 201)
    counted = app.platform.db.query(read_head, copy["id"]).counts["stored_bytes"]
    assert counted == app.platform.db.query(bytes_of_sessions)[copy["id"]] > 5 * (ACTIVITY_BYTES + 1_000)


async def test_the_host_is_warned_at_four_fifths(api: Api, app: App) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()

    async def near() -> bool:
        is_near: bool = accepted(await api.get(f"{event.path}/status", event.host))["near_cap"]
        return is_near

    number = 0
    while stored(app, event) < CAP * 0.8:
        assert not await near()
        accepted(await one(event, wall, anna, "x" * 500, f"answer-{number}"), 201)
        number += 1
    assert await near()


async def test_a_group_takes_the_last_bytes_once(api: Api, app: App) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"P{number}") for number in range(6)]
    await filled_to(event, app, wall, seats[0], CAP - 2 * (RESPONSE_BYTES + 1_000))
    outcomes = await asyncio.gather(*(one(event, wall, seat, "y" * 998, "at-once") for seat in seats))
    assert {each.status_code for each in outcomes} <= {201, 409}, "a group is counted as a whole"
    refused(await one(event, wall, seats[0], 1, "after"), 409, "storage-full")
    assert stored(app, event) < CAP + 6 * (RESPONSE_BYTES + 1_000 + KEY_BYTES)


async def filled_to(event: Event, app: App, wall: dict[str, Any], seat: Seat, level: int) -> None:
    number = 0
    while stored(app, event) < level:
        accepted(await one(event, wall, seat, "x" * 100, f"level-{number}"), 201)
        number += 1


async def test_nought_is_no_cap(settings: Settings) -> None:
    async with App(settings.model_copy(update={"max_session_bytes": 0})).running() as app:
        event = await make_event(Api(app))
        wall = await event.activity(status="active", response_policy="many")
        anna = await event.join()
        for number in range(30):
            accepted(await one(event, wall, anna, "x" * 2_000, f"answer-{number}"), 201)
        assert stored(app, event) > 2 * CAP
