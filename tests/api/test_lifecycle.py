import asyncio
from datetime import datetime
from typing import Any

import pytest

from conflicto.activities.queries import timed_activities
from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, activity_of, audit_of, eventually, refused, session_of
from tests.support.clocks import HandClock
from tests.support.pools import shift_database


@pytest.fixture
def virtual_time(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    shift_database(monkeypatch, clock)


STATUSES = ("draft", "published", "active", "expired")
ALLOWED = {"draft": {"published", "active"}, "published": {"draft", "active"}, "active": {"expired"}, "expired": {"active"}}
WAY = {"draft": (), "published": ("published",), "active": ("active",), "expired": ("active", "expired")}


async def brought_to(event: Event, status: str, **fields: Any) -> dict[str, Any]:
    activity = await event.activity(**fields)
    for step in WAY[status]:
        activity = accepted(await event.move(activity, step))
    return activity


async def act(event: Event, activity: dict[str, Any], verb: str, body: Any = None) -> Any:
    return await event.api.post(f"{event.path}/activities/{activity['id']}/{verb}", body, token=event.host)


async def status_of(event: Event, activity: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    return accepted(await event.api.get(f"{event.path}/activities/{activity['id']}/status", token=token or event.host))


async def pointers(event: Event, token: str | None = None) -> tuple[str | None, str | None]:
    body = accepted(await event.api.get(f"{event.path}/status", token=token or event.host))
    return body["current_activity_id"], body["shown_activity_id"]


@pytest.mark.catalogue("C-06")
@pytest.mark.parametrize("start", STATUSES)
async def test_every_step_of_the_lifecycle_and_no_other(api: Api, start: str) -> None:
    event = await make_event(api)
    for target in STATUSES:
        activity = await brought_to(event, start)
        answer = await event.move(activity, target)
        if target in ALLOWED[start]:
            moved = accepted(answer)
            assert (moved["status"], moved["revision"]) == (target, activity["revision"] + 1)
            assert (await audit_of(event))[-1] == ("activity", start, target)
            assert (await status_of(event, activity))["status"] == target
        else:
            problem = refused(answer, 409, "move-not-allowed")
            assert (problem["from"], problem["to"], problem["allowed"]) == (start, target, sorted(ALLOWED[start]))
            assert await activity_of(event, activity) == activity
        refused(await event.move(activity, "completed"), 422, "invalid-input")


async def test_the_short_form_takes_the_same_steps(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity()
    path = f"{event.path}/activities/{poll['id']}/status"

    assert accepted(await api.patch(path, {"status": "active"}, token=event.host))["status"] == "active"
    refused(await api.patch(path, {"status": "published"}, token=event.host), 409, "move-not-allowed")
    assert (await activity_of(event, poll))["status"] == "active"
    assert (await audit_of(event))[1:] == [("activity", "draft", "active")]


async def test_activating_needs_an_active_session(api: Api) -> None:
    event = await make_event(api, active=False)
    poll = await event.activity(status="published")

    refused(await event.move(poll, "active"), 409, "session-not-active")
    refused(await act(event, poll, "rounds"), 409, "session-not-active")
    assert await activity_of(event, poll) == poll
    await event.open()
    assert accepted(await event.move(poll, "active"))["status"] == "active"


async def test_one_activity_is_active_and_the_next_one_expires_it(api: Api) -> None:
    event = await make_event(api)
    first, second, anna = await event.activity(), await event.activity(), await event.join()
    accepted(await event.move(first, "active"))
    assert accepted(await api.get(f"{event.path}/activities/active", token=anna.token))["id"] == first["id"]

    accepted(await event.move(second, "active"))

    assert [(await activity_of(event, each))["status"] for each in (first, second)] == ["expired", "active"]
    assert await pointers(event) == await pointers(event, anna.token) == (second["id"], second["id"])
    assert set((await audit_of(event))[-2:]) == {("activity", "active", "expired"), ("activity", "draft", "active")}
    refused(await event.answer(first, anna, 1), 409, "activity-not-open")
    accepted(await event.answer(second, anna, 1), 201)


@pytest.mark.catalogue("C-05")
async def test_of_many_hosts_who_start_at_once_the_last_one_has_the_floor(api: Api) -> None:
    event = await make_event(api)
    polls = [await event.activity() for _ in range(6)]

    answers = await asyncio.gather(*(event.move(poll, "active") for poll in polls for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) in [[200] * n + [409] * (12 - n) for n in range(6, 13)]
    statuses = [(await activity_of(event, poll))["status"] for poll in polls]
    assert sorted(statuses) == ["active"] + ["expired"] * 5
    assert await pointers(event) == (polls[statuses.index("active")]["id"],) * 2


async def test_what_is_shown_stays_when_what_runs_ends(api: Api) -> None:
    event = await make_event(api)
    poll, other = await event.activity(), await event.activity(status="published")
    accepted(await api.get(f"{event.path}/activities/active", token=event.screen), 204)
    accepted(await event.move(poll, "active"))
    accepted(await event.move(poll, "expired"))

    assert await pointers(event, event.screen) == (None, poll["id"])
    accepted(await api.get(f"{event.path}/activities/active", token=event.screen), 204)
    accepted(await api.post(f"{event.path}/show", {"activity_id": other["id"]}, token=event.host))
    assert await pointers(event, event.screen) == (None, other["id"])
    accepted(await event.move(other, "draft"))
    assert await pointers(event, event.screen) == (None, None)


async def test_reopening_goes_on_with_the_same_round_unless_something_was_revealed(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active", duration_seconds=600), await event.join()
    accepted(await event.answer(poll, anna, 1), 201)
    accepted(await event.move(poll, "expired"))

    again = accepted(await event.move(poll, "active"))
    assert (again["round"], again["status"]) == (1, "active")
    assert again["ends_at"] > poll["ends_at"]
    assert accepted(await event.answer(poll, anna, 2), 200)["revision"] == 2
    accepted(await event.move(poll, "expired"))
    for what in ("results", "secret"):
        accepted(await act(event, poll, "reveal", {what: True}))
        refused(await event.move(poll, "active"), 409, "already-revealed")
        accepted(await act(event, poll, "reveal", {what: False}))
        refused(await event.move(poll, "active"), 409, "already-revealed")
    assert accepted(await act(event, poll, "rounds"))["round"] == 2
    accepted(await event.move(poll, "expired"))
    assert accepted(await event.move(poll, "active"))["round"] == 2


async def test_results_and_secret_are_revealed_apart_and_can_be_hidden_again(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(secret="K7"), await event.join()

    async def shown() -> tuple[bool, bool, Any]:
        body = await status_of(event, poll, anna.token)
        return body["results_revealed"], body["secret_revealed"], (await activity_of(event, poll, anna.token))["secret"]

    refused(await act(event, poll, "reveal"), 409, "move-not-allowed")
    accepted(await event.move(poll, "active"))
    accepted(await act(event, poll, "reveal"))
    assert await shown() == (True, False, None)
    refused(await act(event, poll, "reveal", {"results": False, "secret": True}), 409, "move-not-allowed")
    assert await shown() == (True, False, None)
    accepted(await event.move(poll, "expired"))
    accepted(await act(event, poll, "reveal", {"secret": True}))
    assert await shown() == (True, True, "K7")
    accepted(await act(event, poll, "reveal", {"results": False, "secret": False}))
    assert await shown() == (False, False, None)
    before = await activity_of(event, poll)
    assert accepted(await act(event, poll, "reveal", {})) == before
    refused(await act(event, poll, "reveal", {"results": 1}), 422, "invalid-input")


async def test_a_new_round_starts_from_zero_and_keeps_the_old_answers(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(duration_seconds=600), await event.join()
    refused(await act(event, poll, "rounds"), 409, "move-not-allowed")
    first = accepted(await event.move(poll, "active"))
    accepted(await event.answer(poll, anna, "one"), 201)
    accepted(await event.move(poll, "expired"))
    accepted(await act(event, poll, "reveal", {"results": True, "secret": True}))

    second = accepted(await act(event, poll, "rounds", {"duration_seconds": 900, "reason": "Again"}))

    assert (second["round"], second["status"], second["results_revealed"], second["secret_revealed"]) == (2, "active", False, False)
    assert second["ends_at"] > first["ends_at"]
    assert await pointers(event) == (poll["id"], poll["id"])
    counted = await status_of(event, poll)
    assert (counted["round"], counted["response_count"], counted["last_response_at"]) == (2, 0, None)
    assert accepted(await event.answer(poll, anna, "two"), 201)["round"] == 2
    rows = accepted(await api.get(f"{event.path}/activities/{poll['id']}/responses", token=event.host))["items"]
    assert [(row["round"], row["response_data"]) for row in rows] == [(1, "one"), (2, "two")]
    assert (await status_of(event, poll))["response_count"] == 1
    assert (await audit_of(event))[-1] == ("activity", "expired", "round 2")
    third = accepted(await act(event, poll, "rounds"))
    assert (third["round"], third["status"]) == (3, "active")


async def test_a_new_round_of_one_activity_ends_the_other_that_runs(api: Api) -> None:
    event = await make_event(api)
    poll, other = await brought_to(event, "expired"), await event.activity(status="active")

    accepted(await act(event, poll, "rounds"))
    assert (await activity_of(event, other))["status"] == "expired"
    assert await pointers(event) == (poll["id"], poll["id"])


async def test_extending_moves_the_end_of_what_runs(api: Api) -> None:
    event = await make_event(api)
    untimed = await event.activity(status="active")
    refused(await act(event, untimed, "extend", {"seconds": 5}), 409, "not-timed")
    timed = await event.activity(duration_seconds=60, status="active")

    after = accepted(await act(event, timed, "extend", {"seconds": 3600}))
    hours = [int(each["ends_at"][11:13]) for each in (timed, after)]
    assert (hours[1] - hours[0]) % 24 == 1
    assert after["ends_at"][14:] == timed["ends_at"][14:]
    assert (await status_of(event, timed))["ends_at"] == after["ends_at"]
    for seconds in (0, -5, 86_401, 1.5, "5", None):
        refused(await act(event, timed, "extend", {"seconds": seconds}), 422, "invalid-input")
    accepted(await event.move(timed, "expired"))
    refused(await act(event, timed, "extend", {"seconds": 5}), 409, "not-timed")


async def test_a_timer_restarts_by_the_servers_clock(api: Api, clock: HandClock, database_url: str) -> None:
    moved_s = 55 if database_url.startswith("sqlite") else 0  # PostgreSQL orders the feed by its own clock
    event = await make_event(api)
    timed, untimed = await event.activity(duration_seconds=60, status="active"), await event.activity(status="published")
    clock.advance(moved_s)
    before = await _server_time(event)
    started = accepted(await act(event, timed, "extend", {"seconds": 60, "counted_from": "now"}))
    assert 60 <= _seconds_between(before, started["ends_at"]) <= 60 + _seconds_between(before, await _server_time(event))
    assert _seconds_between(timed["ends_at"], started["ends_at"]) >= moved_s
    assert started["duration_seconds"] == 60

    accepted(await event.move(untimed, "active"))
    before = await _server_time(event)
    given = accepted(await act(event, untimed, "extend", {"seconds": 90, "counted_from": "now"}))
    assert 90 <= _seconds_between(before, given["ends_at"]) <= 90 + _seconds_between(before, await _server_time(event))
    assert given["duration_seconds"] == 90
    refused(await act(event, untimed, "extend", {"seconds": 5, "counted_from": "start"}), 422, "invalid-input")


async def _server_time(event: Event) -> str:
    return accepted(await event.api.post(f"{event.path}/clock", token=event.host))["server_time"]


def _seconds_between(one: str, other: str) -> float:
    return (datetime.fromisoformat(other) - datetime.fromisoformat(one)).total_seconds()


async def test_an_activity_expires_on_time_and_takes_nothing_after_its_end(api: Api, clock: HandClock, virtual_time: None) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(duration_seconds=60), await event.join()
    started = accepted(await event.move(poll, "active", duration_seconds=600))
    assert started["duration_seconds"] == 600
    accepted(await event.answer(poll, anna, 1), 201)
    clock.advance(599)
    api.app.domain.expiry._changed.set()  # it waits by the real clock

    async def refusal() -> Any:
        answer = await event.answer(poll, anna, 2)
        return answer if answer.status_code == 409 else None

    refused(await eventually(refusal), 409, "activity-not-open")
    await eventually(lambda: has_status(event, poll, "expired"))
    assert await pointers(event, anna.token) == (None, poll["id"])
    line = accepted(await api.get(f"{event.path}/transitions", token=event.host))["items"][-1]
    assert (line["actor"], line["from_status"], line["to_status"], line["entity_id"]) == ("system", "active", "expired", poll["id"])
    assert started["ends_at"] <= line["at"]
    sent = accepted(await api.get(f"{event.path}/activities/{poll['id']}/responses", token=event.host))["items"]
    assert all(row["updated_at"] < started["ends_at"] for row in sent)


async def has_status(event: Event, activity: dict[str, Any], status: str) -> bool:
    return (await status_of(event, activity))["status"] == status


async def test_an_extended_activity_outlives_its_first_end(api: Api, clock: HandClock, virtual_time: None) -> None:
    event = await make_event(api)
    anna = await event.join()
    poll = await event.activity(duration_seconds=600, status="active")
    accepted(await act(event, poll, "extend", {"seconds": 3600}))

    clock.advance(700)
    api.app.domain.expiry._changed.set()
    await api.app.domain.expiry._expire_due()
    accepted(await event.answer(poll, anna, 1), 201)
    assert await has_status(event, poll, "active")


async def test_what_ended_while_nobody_was_there_expires_at_the_start_exactly_once(settings: Settings, clock: HandClock) -> None:
    async with App(settings, clock=clock).running() as first:
        event = await make_event(Api(first))
        poll = await event.activity(duration_seconds=1, status="active")
        await event.api.http.aclose()
    await asyncio.sleep(1.1)

    for _ in range(2):
        async with App(settings, clock=clock).running() as restarted:
            event.api = Api(restarted)
            await eventually(lambda: has_status(event, poll, "expired"))
            assert await pointers(event) == (None, poll["id"])
            lines = accepted(await event.api.get(f"{event.path}/transitions", token=event.host))["items"]
            await event.api.http.aclose()
            assert [line["actor"] for line in lines if line["to_status"] == "expired"] == ["system"]


@pytest.mark.catalogue("C-10")
async def test_two_processes_expire_an_activity_once(settings: Settings, clock: HandClock) -> None:
    async with App(settings, clock=clock).running() as one, App(settings, clock=clock).running() as two:
        event = await make_event(Api(one))
        poll = await event.activity(duration_seconds=1, status="active")
        for activity in await two.platform.db.read(timed_activities):
            two.domain.expiry.track(activity)
        await eventually(lambda: has_expired(event, poll))
        await asyncio.sleep(0.2)
        assert (await audit_of(event)).count(("activity", "active", "expired")) == 1
        await event.api.http.aclose()


async def has_expired(event: Event, activity: dict[str, Any]) -> bool:
    """Read the database, as another process may have expired the activity."""
    return (await activity_of(event, activity))["status"] == "expired"


async def test_completing_the_session_ends_what_runs_in_the_same_change(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active", duration_seconds=60), await event.join()

    done = accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))

    assert (done["status"], done["current_activity_id"], done["shown_activity_id"]) == ("completed", None, poll["id"])
    assert await has_status(event, poll, "expired")
    refused(await event.answer(poll, anna, 1), 409, "activity-not-open")
    for verb, body in (("rounds", None), ("reveal", {"results": True}), ("reset", None)):
        refused(await act(event, poll, verb, body), 409, "session-completed")
    assert set((await audit_of(event))[-2:]) == {("session", "active", "completed"), ("activity", "active", "expired")}
    assert (await session_of(event)) == done


async def test_a_reset_clears_the_round_and_leaves_tombstones(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", responses_visibility="screen")
    seats = [await event.join(name) for name in ("Anna", "Bert")]
    for seat in seats:
        accepted(await event.answer(poll, seat, 1), 201)
    path = f"{event.path}/activities/{poll['id']}/responses/since"
    cursor = accepted(await api.get(f"{path}/0", token=event.screen))["cursor"]

    accepted(await act(event, poll, "reset"), 204)

    counted = await status_of(event, poll)
    assert (counted["status"], counted["round"], counted["response_count"], counted["last_response_at"]) == ("active", 1, 0, None)
    items = accepted(await api.get(f"{path}/{cursor}", token=event.screen))["items"]
    assert [(item["deleted"], item["response_data"], item["revision"]) for item in items] == [(True, None, 2)] * 2
    again = accepted(await event.answer(poll, seats[0], 2))
    assert (again["id"] in {item["id"] for item in items}, again["revision"]) == (True, 3)
