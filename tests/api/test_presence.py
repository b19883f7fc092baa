"""Presence during an anonymous round: hosts cannot see when somebody answered."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from conflicto.app import App
from tests.support.api import Api, Event, Seat, cold, make_event
from tests.support.checks import accepted
from tests.support.clocks import US_PER_S, HandClock

INSTANTS = {"id", "session_id", "nickname", "scripted", "revision", "created_at", "updated_at", "presence"}


def go_to(clock: HandClock, second: int) -> None:
    """Advance to the next instant at which the wall clock shows `second`."""
    clock.advance((second - clock.wall_us() / US_PER_S) % 60)


async def states(event: Event, token: str | None = None) -> list[str]:
    page = accepted(await event.api.get(f"{event.path}/participants", token=token or event.host))
    assert all(person.keys() == INSTANTS for person in page["items"])
    return [person["presence"] for person in page["items"]]


async def poll(event: Event, seat: Seat) -> None:
    accepted(await event.api.get(f"{event.path}/status", token=seat.token))


async def quiet_pair(api: Api, clock: HandClock, **fields: Any) -> tuple[Event, dict[str, Any], Seat, Seat]:
    """A session with two people, silent for five minutes, and an open round.

    The clock is at second 20 of a minute.
    """
    event = await make_event(api)
    vote = await event.activity(status="active", **fields)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    for seat in (anna, bert):
        await poll(event, seat)
    clock.advance(300)
    go_to(clock, 20)
    return event, vote, anna, bert


async def test_a_request_shows_at_the_next_tick_while_an_anonymous_round_is_open(api: Api, clock: HandClock) -> None:
    event, _, anna, _ = await quiet_pair(api, clock, anonymous=True)
    assert await states(event) == ["disconnected", "disconnected"]
    go_to(clock, 40)
    await poll(event, anna)
    assert await states(event) == ["disconnected", "disconnected"]
    assert await states(event, api.admin) == ["disconnected", "disconnected"]
    go_to(clock, 5)
    assert await states(event) == ["disconnected", "disconnected"]
    go_to(clock, 20)
    assert await states(event) == ["online", "disconnected"]


@pytest.mark.parametrize("way", ["answer", "repeat", "edit", "withdraw"])
async def test_no_request_about_an_answer_is_a_sign_of_life(api: Api, clock: HandClock, way: str) -> None:
    event, vote, anna, _ = await quiet_pair(api, clock, anonymous=True)
    key = {"idempotency-key": "the-key-of-this-answer"}
    sent = await event.answer(vote, anna, 1, headers=key)
    path = f"{event.path}/activities/{vote['id']}/responses/{sent.json()['id']}"
    if way != "answer":
        clock.advance(300)
    if way == "repeat":
        accepted(await event.answer(vote, anna, 1, headers=key), 201)
    elif way == "edit":
        accepted(await api.put(path, {"response_data": 2}, token=anna.token))
    elif way == "withdraw":
        assert (await api.delete(path, token=anna.token)).status_code == 204
    for _ in range(4):
        clock.advance(60)
        assert await states(event) == ["disconnected", "disconnected"]
    await event.move(vote, "expired")
    assert await states(event) == ["disconnected", "disconnected"], "it stays hidden after the end of the round"


async def test_joining_and_leaving_show_at_once(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    await event.activity(status="active", anonymous=True)
    anna = await event.join("Anna")
    assert await states(event) == ["online"]
    await event.join("Bert")
    assert await states(event) == ["online", "online"]
    assert (await api.delete("/participants/me", token=anna.token)).status_code == 204
    assert await states(event) == ["online"]


async def test_states_are_live_without_an_anonymous_round_and_after_it(api: Api, clock: HandClock) -> None:
    event, vote, anna, bert = await quiet_pair(api, clock, anonymous=True)
    await poll(event, anna)
    assert await states(event) == ["disconnected", "disconnected"]
    accepted(await event.move(vote, "expired"))
    assert await states(event) == ["online", "disconnected"]
    await event.activity(status="active")
    await poll(event, bert)
    assert await states(event) == ["online", "online"]


async def test_other_workers_receive_no_more_than_the_tick(
    app: App, api: Api, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, _, anna, _ = await quiet_pair(api, clock, anonymous=True)
    await poll(event, anna)
    await app.domain.presence_saver.save()
    async with cold(app, monkeypatch) as other:
        elsewhere = Event(other, event.id, event.code, event.host, event.screen)
        assert await states(elsewhere) == ["disconnected", "disconnected"]
        go_to(clock, 16)
        await app.domain.presence_saver.save()
        assert await states(elsewhere) == ["idle", "disconnected"]


async def test_a_batch_that_cannot_be_stored_is_lost_and_logged(api: Api, clock: HandClock) -> None:
    event, _, anna, _ = await quiet_pair(api, clock)
    presence, saver, writer = api.app.domain.presence, api.app.domain.presence_saver, api.app.domain.writer
    await saver.save()
    presence.record(event.id, anna.id)
    await writer.stop()

    with capture_logs() as lines:
        await saver.save()

    assert [(each["event"], each["code"], each["participants"]) for each in lines] == [("presence-not-saved", "overloaded", 1)]
    assert presence.pop_unsaved() == {}


async def test_no_reader_receives_when_somebody_was_last_seen(api: Api, clock: HandClock) -> None:
    event, vote, anna, _ = await quiet_pair(api, clock)
    await event.answer(vote, anna, 1)
    paths = ("/participants", "/changes/since/0", "/export?format=jsonl", "/export?format=csv&shape=table", "/names")
    for path in paths:
        for token in (event.host, api.admin):
            answer = await api.get(event.path + path, token=token)
            assert answer.status_code == 200, answer.text
            assert "seen" not in answer.text
    assert "last_seen" not in (await api.get("/openapi.json")).text
