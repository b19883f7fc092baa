"""Reserved places of departed participants: one vote per place, and no hint about responses."""

from typing import Any

import httpx2
import pytest

from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, activity_of, refused

KEY = "6f1c2a34-0000-4000-8000-00000000000"


async def joins(event: Event, nickname: str, key: str | None = None) -> httpx2.Response:
    headers = {} if key is None else {"idempotency-key": f"{KEY}{key}"}
    return await event.api.post("/join", {"nickname": nickname, "code": event.code}, headers=headers)


async def seated(event: Event, nickname: str, key: str | None = None) -> Seat:
    body = accepted(await joins(event, nickname, key), 201)
    return Seat(body["participant_id"], body["participant_token"], body["nickname"])


async def leaves(event: Event, seat: Seat, responses: str = "keep") -> None:
    accepted(await event.api.delete(f"/participants/me?responses={responses}", token=seat.token), 204)


async def places_held(event: Event) -> int:
    page = accepted(await event.api.get(f"{event.path}/participants", token=event.host))
    counted = accepted(await event.api.get(f"{event.path}/status", token=event.host))["participant_count"]
    assert counted == page["total"] == len(page["items"])
    return page["places_held"]


async def counted(event: Event, poll: dict[str, Any]) -> int:
    return accepted(await event.api.get(f"{event.path}/activities/{poll['id']}/status", token=event.host))["response_count"]


async def test_two_places_give_two_votes_however_often_somebody_comes_and_goes(api: Api) -> None:
    event = await make_event(api, max_participants=2)
    poll = await event.activity(status="active")
    for number in range(30):
        answer = await joins(event, f"Anna {number}")
        if answer.status_code != 201:
            refused(answer, 409, "session-full")
            continue
        seat = Seat(answer.json()["participant_id"], answer.json()["participant_token"], "")
        accepted(await event.answer(poll, seat, number), 201)
        await leaves(event, seat)

    assert await counted(event, poll) == 2
    assert await places_held(event) == 2
    accepted(await event.move(poll, "expired"))
    assert await places_held(event) == 0
    await seated(event, "Bert")


@pytest.mark.parametrize("how", ["round", "delete", "reset", "erased"])
async def test_a_place_is_free_once_no_open_round_holds_an_answer(api: Api, how: str) -> None:
    event = await make_event(api, max_participants=1)
    poll, other = await event.activity(status="active"), await event.activity()
    seat = await seated(event, "Anna")
    answer = accepted(await event.answer(poll, seat, 1), 201)
    await leaves(event, seat, "delete" if how == "erased" else "keep")
    path = f"{event.path}/activities/{poll['id']}"
    if how != "erased":
        refused(await joins(event, "Bert"), 409, "session-full")
    if how == "delete":
        accepted(await api.delete(f"{path}/responses/{answer['id']}", token=event.host), 204)
    elif how == "round":
        accepted(await event.move(poll, "expired"))
        accepted(await api.post(f"{path}/rounds", {}, token=event.host))
    elif how == "reset":
        accepted(await api.post(f"{path}/reset", token=event.host), 204)

    assert await places_held(event) == 0
    await seated(event, "Bert")
    assert (await activity_of(event, other))["status"] == "draft"


async def test_who_had_not_answered_or_was_removed_holds_nothing(api: Api) -> None:
    event = await make_event(api, max_participants=1)
    poll = await event.activity(status="active")
    await leaves(event, await seated(event, "Anna"))
    bert = await seated(event, "Bert")
    accepted(await event.answer(poll, bert, 1), 201)
    accepted(await api.delete(f"/participants/{bert.id}", token=event.host), 204)

    assert await places_held(event) == 0
    await seated(event, "Clara")


async def test_the_same_key_and_name_bring_back_seat_and_answers(api: Api) -> None:
    event = await make_event(api, max_participants=1)
    poll = await event.activity(status="active")
    anna = await seated(event, "Anna", "1")
    accepted(await event.answer(poll, anna, "mine"), 201)
    await leaves(event, anna)
    refused(await joins(event, "Anna"), 409, "session-full")
    refused(await joins(event, "Bert", "1"), 422, "key-reused")

    twins = [await seated(event, "Anna", "1") for _ in range(2)]

    assert {twin.id for twin in twins} == {anna.id}
    for twin in twins:
        me = accepted(await api.get("/participants/me", token=twin.token))
        assert (me["nickname"], [each["response_data"] for each in me["responses"]]) == ("Anna", ["mine"])
    refused(await api.get("/participants/me", token=anna.token), 401, "token-invalid")
    assert accepted(await event.answer(poll, twins[0], "changed"))["revision"] == 2
    assert (await counted(event, poll), await places_held(event)) == (1, 0)
    changes = accepted(await api.get(f"{event.path}/changes/since/0", token=event.host))["items"]
    assert [item["data"]["nickname"] for item in changes if item["entity"] == "participant"] == ["Anna"]
    await leaves(event, twins[1])
    assert (await seated(event, "Anna", "1")).id == anna.id


async def test_nobody_comes_back_to_what_is_not_kept_for_them(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna, bert, clara = [await seated(event, name, key) for name, key in (("Anna", "1"), ("Bert", "2"), ("Clara", "3"))]
    for seat in (anna, bert, clara):
        accepted(await event.answer(poll, seat, 1), 201)
    link = accepted(await api.post("/participants/me/seat-link", token=anna.token), 201)["seat_token"]
    moved = accepted(await api.post("/seats/redeem", {"seat_token": link}))["participant_token"]
    await leaves(event, Seat(anna.id, moved, "Anna"))
    await leaves(event, bert, "delete")
    await leaves(event, clara)
    accepted(await event.move(poll, "expired"))

    for name, key in (("Anna", "1"), ("Bert", "2"), ("Clara", "3")):
        refused(await joins(event, name, key), 410, "seat-gone")


@pytest.mark.parametrize("responses", ["keep", "delete"])
@pytest.mark.parametrize("answers", [True, False])
async def test_an_anonymous_round_reserves_every_place_and_reveals_none(api: Api, responses: str, answers: bool) -> None:
    event = await make_event(api, max_participants=2)
    poll = await event.activity(status="active", anonymous=True)
    anna, bert = await seated(event, "Anna", "1"), await seated(event, "Bert", "2")
    if answers:
        accepted(await event.answer(poll, anna, 1), 201)
    await leaves(event, anna, responses)

    refused(await joins(event, "Clara"), 409, "session-full")
    refused(await joins(event, "Anna", "1"), 410, "seat-gone")
    assert await places_held(event) == 0
    accepted(await event.move(poll, "expired"))
    await seated(event, "Clara")
    await leaves(event, bert)
    await seated(event, "Dora")


async def test_a_flood_of_leavers_is_taken_for_full(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.joining.queries.MAX_LEAVERS_READ", 2)
    event = await make_event(api, max_participants=2)
    poll = await event.activity(status="active")
    for number in range(3):
        await leaves(event, await seated(event, f"Anna {number}"))
    refused(await joins(event, "Bert"), 409, "session-full")
    accepted(await event.move(poll, "expired"))
    await seated(event, "Bert")
