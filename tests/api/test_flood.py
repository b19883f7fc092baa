"""A flood of joins and its removal: a new join code, and many seats removed at once."""

from typing import Any

import pytest

from conflicto.app import App
from conflicto.responses import http as responses_http
from conflicto.responses.commands import flood as flooding
from conflicto.responses.recount.differences import counter_differences
from conflicto.sessions import commands
from conflicto.sessions.model import new_code
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused

pytestmark = pytest.mark.catalogue("R-04")


async def renewed(event: Event) -> str:
    code: str = accepted(await event.api.post(f"{event.path}/join-code", token=event.host))["join_code"]
    return code


async def remove(event: Event, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = accepted(await event.api.post(f"{event.path}/participants/remove", body, token=event.host))
    return found


async def names(event: Event) -> list[str]:
    page = accepted(await event.api.get(f"{event.path}/participants?limit=1000", event.host))
    return [each["nickname"] for each in page["items"]]


async def test_the_old_code_opens_nothing_and_seats_stay(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    key = {"idempotency-key": "a-key-of-anna-0001"}
    joined = accepted(await api.post("/join", {"nickname": "Anna", "code": event.code}, headers=key), 201)
    since = accepted(await api.get(f"{event.path}/changes/since/now", event.screen))["cursor"]

    new = await renewed(event)

    assert new != event.code
    for path in ("/join", f"{event.path}/join"):
        refused(await api.post(path, {"nickname": "Ben", "code": event.code}), 404, "code-unknown")
    refused(await api.get(f"/sessions/by-code/{event.code}"), 404, "code-unknown")
    refused(await api.get(f"{event.path}/nicknames/validate?nickname=Ben&code={event.code}"), 404, "code-unknown")
    accepted(await api.post("/join", {"nickname": "Ben", "code": new}), 201)
    anna = Seat(joined["participant_id"], joined["participant_token"], "Anna")
    accepted(await event.answer(poll, anna, 1), 201)
    again = accepted(await api.post("/join", {"nickname": "Anna", "code": event.code}, headers=key), 201)
    assert again["participant_id"] == anna.id
    items = accepted(await api.get(f"{event.path}/changes/since/{since}", event.screen))["items"]
    assert [each["data"]["join_code"] for each in items if each["entity"] == "session"] == [new]
    assert "join_code" not in accepted(await api.get(event.path, anna.token))
    audit = accepted(await api.get(f"{event.path}/transitions", event.host))["items"]
    assert (audit[-1]["to_status"], audit[-1]["actor"]) == ("code-renewed", audit[0]["actor"])
    assert event.code not in str(audit)
    assert new.replace("-", "") not in str(audit)


async def test_only_a_host_of_a_session_that_is_not_over_renews_its_code(api: Api) -> None:
    event = await make_event(api, active=False)
    anna = await event.join()
    for token in (anna.token, event.screen):
        refused(await api.post(f"{event.path}/join-code", token=token), 403, "role-not-allowed")
    assert await renewed(event) != await renewed(event)
    await event.open()
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    refused(await api.post(f"{event.path}/join-code", token=event.host), 409, "session-completed")


@pytest.mark.in_process
@pytest.mark.catalogue("E-01")
async def test_a_code_that_is_taken_is_drawn_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw another code after a collision, for new sessions and for new codes alike."""
    first, second = await make_event(api), await make_event(api)
    taken, drawn = [first.code.replace("-", "")], []

    def draw(length: int) -> str:
        drawn.append(taken.pop() if taken else new_code(length))
        return drawn[-1]

    monkeypatch.setattr(commands, "new_code", draw)

    assert await renewed(second) not in {first.code, second.code}
    assert len(drawn) == 2
    taken.append(first.code.replace("-", ""))
    third = await make_event(api)
    assert third.code != first.code
    assert len(drawn) == 4
    for event in (first, third):
        assert accepted(await api.get(f"/sessions/by-code/{event.code}"))["session_id"] == event.id


async def test_a_flood_is_counted_then_goes_and_who_was_there_stays(api: Api, app: App) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join("Anna Botham")
    flood = [await event.join(f"BOT {number} 100%") for number in range(6)]
    late = await event.join("Clara")
    for seat in (anna, *flood, late):
        for number in range(3):
            accepted(await event.answer(wall, seat, number), 201)
    since = accepted(await api.get(f"{event.path}/participants?limit=1&offset=1", event.host))["items"][0]["created_at"]

    assert await remove(event, name_contains="bot", preview=True) == {"removed": 0, "responses_deleted": 0, "matching": 7}
    assert (await remove(event, joined_since=since, preview=True))["matching"] == 7
    assert (await remove(event, name_contains="0 1_0%", preview=True))["matching"] == 0
    removal = await remove(event, joined_since=since, name_contains=" \uff22\uff2f\uff34 ", responses="delete")

    assert removal == {"removed": 6, "responses_deleted": 18, "matching": 0}
    assert await names(event) == ["Anna Botham", "Clara"]
    for seat in flood:
        refused(await event.answer(wall, seat, 1), 401, "token-invalid")
    accepted(await event.answer(wall, late, 4), 201)
    status = accepted(await api.get(f"{event.path}/activities/{wall['id']}/status", event.host))
    assert status["response_count"] == 7
    assert app.platform.db.query(counter_differences) == []
    await event.join("BOT 1 100%")
    audit = accepted(await api.get(f"{event.path}/transitions", event.host))["items"]
    assert (audit[-1]["to_status"], audit[-1]["reason"]) == ("flood-removed", "6 participants")


async def test_answers_stay_unless_they_are_to_go(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    for number in range(2):
        accepted(await event.answer(poll, await event.join(f"Bot {number}"), 1), 201)

    assert await remove(event, name_contains="bot") == {"removed": 2, "responses_deleted": 0, "matching": 0}
    assert accepted(await api.get(f"{event.path}/activities/{poll['id']}/status", event.host))["response_count"] == 2


async def test_answers_that_an_earlier_removal_kept_go_with_the_flood(api: Api, app: App) -> None:
    """Match by name or joining time; never match others or those who left."""
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join("Anna")
    bots = [await event.join(f"\uff22ot {number}") for number in range(3)]
    left = await event.join("Bot who leaves")
    for seat in (anna, *bots, left):
        for _ in range(2):
            accepted(await event.answer(wall, seat, seat.nickname), 201)
    accepted(await api.delete(f"/participants/{bots[0].id}", event.host), 204)
    accepted(await api.delete(f"/participants/{anna.id}", event.host), 204)
    accepted(await api.delete("/participants/me?responses=keep", left.token), 204)
    assert (await remove(event, name_contains="bot 1"))["removed"] == 1

    assert await remove(event, name_contains="BOT", responses="keep", preview=True) == {
        "removed": 0,
        "responses_deleted": 0,
        "matching": 1,
    }
    assert await remove(event, name_contains="BOT", responses="delete") == {"removed": 1, "responses_deleted": 6, "matching": 0}
    assert await remove(event, name_contains="BOT", responses="delete") == {"removed": 0, "responses_deleted": 0, "matching": 0}
    kept = accepted(await api.get(f"{event.path}/activities/{wall['id']}/responses", event.host))["items"]
    assert {each["participant_id"] for each in kept} == {anna.id, left.id}
    since = "2000-01-01T00:00:00Z"
    assert await remove(event, joined_since=since, responses="delete") == {"removed": 0, "responses_deleted": 2, "matching": 0}
    assert app.platform.db.query(counter_differences) == []


UNCLEAR: list[dict[str, Any]] = [
    {}, {"joined_since": None}, {"name_contains": " "}, {"name_contains": ""}, {"name_contains": "x" * 33}, {"joined_since": "yesterday"},
    {"joined_since": "2026-02-30T00:00:00Z"}, {"joined_since": "2026-11-25T10:00:00"}, {"joined_since": 5}, {"preview": True},
    {"name_contains": "a", "responses": "hide"}, {"name_contains": "a", "preview": "yes"}, {"name_contains": "a", "all": True},
]  # fmt: skip


async def test_what_names_nobody_removes_nobody(api: Api) -> None:
    event = await make_event(api)
    seat = await event.join()
    for body in UNCLEAR:
        assert (await api.post(f"{event.path}/participants/remove", body, token=event.host)).status_code == 422, body
    for token in (seat.token, event.screen):
        refused(await api.post(f"{event.path}/participants/remove", {"name_contains": "a"}, token=token), 403, "role-not-allowed")
    refused(await api.post("/sessions/1/participants/remove", {"name_contains": "a"}, token=api.admin), 404, "not-found")
    assert await names(event) == ["Anna"]
    offset = await remove(event, joined_since="2000-01-01T02:00:00+02:00", preview=True)
    assert offset["matching"] == 1


@pytest.mark.in_process
async def test_a_flood_goes_in_small_steps_that_can_stop_anywhere(api: Api, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove in steps of two seats or five answers; three steps per request, the next continues."""
    monkeypatch.setattr(flooding, "MAX_STEP_SEATS", 2)
    monkeypatch.setattr(flooding, "MAX_STEP_RESPONSES", 5)
    monkeypatch.setattr(responses_http, "MAX_FLOOD_STEPS", 3)
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    for number in range(4):
        seat = await event.join(f"Bot {number}")
        for _ in range((7, 5, 0, 1)[number]):
            accepted(await event.answer(wall, seat, number), 201)

    removals = [await remove(event, name_contains="bot", responses="delete") for _ in range(3)]

    assert [each["matching"] for each in removals] == [2, 0, 0]
    assert sum(each["removed"] for each in removals) == 4
    assert sum(each["responses_deleted"] for each in removals) == 13
    assert app.platform.db.query(counter_differences) == []
