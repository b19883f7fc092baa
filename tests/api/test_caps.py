"""Limits of stored responses: per participant in a round, and per session.

A refused response costs other participants nothing.
"""

import asyncio
from typing import Any

import pytest

from conflicto.app import App
from conflicto.responses.commands import submit
from conflicto.responses.recount.differences import counter_differences
from conflicto.sessions.feed_heads.store import read_head
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused

pytestmark = [pytest.mark.in_process, pytest.mark.catalogue("S-04")]

CAP, EACH = 10, 4


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_responses": CAP, "max_responses_per_participant": EACH})


async def near_cap(event: Event) -> bool:
    is_near: bool = accepted(await event.api.get(f"{event.path}/status", event.host))["near_cap"]
    return is_near


def stored(app: App, event: Event) -> int:
    return app.platform.db.query(read_head, event.id).counts["responses"]


async def one(event: Event, poll: dict[str, Any], seat: Seat, number: int) -> Any:
    return await event.answer(poll, seat, number, headers={"idempotency-key": f"answer-{number}"})


async def test_one_participant_fills_a_round_and_nobody_elses(api: Api, app: App) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    loud, calm = await event.join("Loud"), await event.join("Calm")
    sent = [accepted(await one(event, wall, loud, number), 201) for number in range(EACH)]

    refused(await one(event, wall, loud, EACH), 409, "answered-too-often")
    again = await one(event, wall, loud, 0)
    assert (again.status_code, again.json()) == (201, sent[0])
    path = f"{event.path}/activities/{wall['id']}/responses/{sent[1]['id']}"
    assert accepted(await api.put(path, {"response_data": "edited"}, token=loud.token))["revision"] == 2
    accepted(await api.delete(path, token=loud.token), 204)
    refused(await one(event, wall, loud, EACH), 409, "answered-too-often")
    accepted(await one(event, wall, calm, 0), 201)
    assert stored(app, event) == EACH + 1
    assert not await near_cap(event)
    accepted(await api.post(f"{event.path}/activities/{wall['id']}/rounds", token=event.host))
    accepted(await one(event, wall, loud, EACH + 1), 201)


async def test_a_host_who_polls_with_an_etag_or_waits_receives_the_warning(api: Api) -> None:
    """The warning changes the body and its ETag, but not `last_updated`; a poll gets 200."""
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"P{number}") for number in range(4)]
    for number in range(7):
        accepted(await one(event, wall, seats[number % 4], number), 201)
    before = await api.get(f"{event.path}/status", event.host)
    known = {"if-none-match": before.headers["etag"]}
    assert (await api.get(f"{event.path}/status", event.host, headers=known)).status_code == 304
    waiting = asyncio.create_task(api.get(f"{event.path}/status?wait=20", event.host, headers=known))
    await asyncio.sleep(0)

    accepted(await one(event, wall, seats[3], 7), 201)

    for answer in (await api.get(f"{event.path}/status", event.host, headers=known), await waiting):
        status = accepted(answer)
        assert (status["near_cap"], status["last_updated"]) == (True, before.json()["last_updated"])
        assert answer.headers["etag"] != before.headers["etag"]


async def test_a_session_is_full_and_its_host_knew(api: Api, app: App) -> None:
    event, other = await make_event(api), await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"P{number}") for number in range(4)]
    warned = []
    for number in range(CAP):
        warned.append(await near_cap(event))
        accepted(await one(event, wall, seats[number % 4], number), 201)

    assert warned == [False] * 8 + [True] * 2
    refused(await one(event, wall, seats[3], 98), 409, "answers-full")
    accepted(await one(event, wall, seats[0], 0), 201)
    poll = await event.activity(status="active")
    refused(await one(event, poll, seats[0], 99), 409, "answers-full")
    assert stored(app, event) == CAP
    assert "near_cap" not in accepted(await api.get(f"{event.path}/status", event.screen))
    assert "near_cap" not in accepted(await api.get(f"{event.path}/status", seats[0].token))
    elsewhere = await other.activity(status="active")
    accepted(await one(other, elsewhere, await other.join("Anna"), 1), 201)
    assert app.platform.db.query(counter_differences) == []


async def test_what_is_changed_takes_no_further_room(api: Api, app: App) -> None:
    """Policy `one`: a second response replaces the first.

    This holds in a full session, and after the first response was deleted.
    """
    event = await make_event(api)
    poll = await event.activity(status="active")
    seats = [await event.join(f"P{number}") for number in range(CAP + 1)]
    for seat in seats[:CAP]:
        accepted(await event.answer(poll, seat, 1), 201)

    refused(await event.answer(poll, seats[CAP], 1), 409, "answers-full")
    changed = accepted(await event.answer(poll, seats[0], 2), 200)
    accepted(await api.delete(f"{event.path}/activities/{poll['id']}/responses/{changed['id']}", token=seats[0].token), 204)
    accepted(await event.answer(poll, seats[0], 3), 200)
    refused(await event.answer(poll, seats[CAP], 1), 409, "answers-full")
    assert stored(app, event) == CAP


async def test_exactly_as_many_come_in_at_once_as_there_is_room_for(api: Api, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed group runs again one by one, and counts no response twice."""
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    seats = [await event.join(f"P{number}") for number in range(2 * CAP)]
    failed, whole = [], submit.record_changes_by_session

    def keep_one_alone(tx: Any, by_session: dict[int, list[Any]]) -> None:
        whole(tx, by_session)
        (changes,) = by_session.values()
        if len(changes) > 1:
            failed.append(len(changes))
            raise ValueError

    monkeypatch.setattr(submit, "record_changes_by_session", keep_one_alone)

    outcomes = await asyncio.gather(*(one(event, wall, seat, 7) for seat in seats))

    assert failed
    codes = [each.status_code for each in outcomes]
    assert sorted(codes) == [201] * CAP + [409] * CAP
    assert {each.json()["code"] for each in outcomes if each.status_code == 409} == {"answers-full"}
    assert stored(app, event) == CAP
    assert app.platform.db.query(counter_differences) == []
    repeated = await asyncio.gather(*(one(event, wall, seat, 7) for seat in seats))
    assert [each.status_code for each in repeated] == codes
    assert stored(app, event) == CAP


@pytest.fixture
async def uncapped(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_responses": 0, "max_responses_per_participant": 0})


async def test_nought_is_no_cap(uncapped: Settings) -> None:
    async with App(uncapped).running() as app:
        event = await make_event(Api(app))
        wall = await event.activity(status="active", response_policy="many")
        anna = await event.join("Anna")
        for number in range(CAP + EACH):
            accepted(await one(event, wall, anna, number), 201)
        assert not await near_cap(event)
