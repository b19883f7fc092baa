"""Submission, change and withdrawal of responses: policies, deadlines, idempotency."""

import asyncio
from typing import Any

import pytest

from conflicto.app import App
from tests.support.api import Api, Event, Seat, make_event
from tests.support.clocks import HandClock
from tests.support.pools import shift_database


def of(event: Event, activity: dict[str, Any], response: Any = None) -> str:
    path = f"{event.path}/activities/{activity['id']}/responses"
    return path if response is None else f"{path}/{response.json()['id']}"


async def counted(event: Event, activity: dict[str, Any], token: str | None = None) -> int:
    status = await event.api.get(f"{event.path}/activities/{activity['id']}/status", token=token or event.host)
    return status.json()["response_count"]


async def test_answer_is_stored_and_shown_as_it_was_sent(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()

    raw = '{"response_data": {"b": [1, 2.50, "é", 1e2], "a": {"": null}}}'.encode()
    json_type = {"content-type": "application/json"}
    sent = await api.request("POST", of(event, poll), token=anna.token, content=raw, headers=json_type)

    assert sent.status_code == 201
    stored = '"response_data":{"b":[1,2.50,"é",1e2],"a":{"":null}}'.encode()
    assert stored in sent.content
    assert stored in (await api.get(of(event, poll, sent), token=anna.token)).content
    assert stored in (await api.get(of(event, poll) + "/since/0", token=event.host)).content
    body = sent.json()
    whose = {"session_id": event.id, "activity_id": poll["id"], "participant_id": anna.id, "round": 1, "revision": 1}
    assert whose.items() <= body.items()
    assert (body["deleted"], body["moderation"]) == (False, "visible")
    assert body["created_at"] == body["updated_at"]


async def test_policy_one_replaces(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()

    first, second = await event.answer(poll, anna, 1), await event.answer(poll, anna, 2)

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["revision"] == 2
    assert second.json()["created_at"] == first.json()["created_at"] < second.json()["updated_at"]
    assert await counted(event, poll) == 1


async def test_policy_first_keeps_the_first_answer(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", response_policy="first")
    anna = await event.join()

    first = await event.answer(poll, anna, 1)
    refused = [
        await event.answer(poll, anna, 2),
        await api.put(of(event, poll, first), {"response_data": 2}, token=anna.token),
        await api.delete(of(event, poll, first), token=anna.token),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(409, "already-answered")}
    assert (await api.get(of(event, poll, first), token=anna.token)).json()["response_data"] == 1


async def test_policy_first_takes_another_answer_after_the_host_removed_one(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", response_policy="first")
    anna = await event.join()
    first = await event.answer(poll, anna, 1)
    assert (await api.delete(of(event, poll, first), token=event.host)).status_code == 204

    again = await event.answer(poll, anna, 2)

    assert (again.json()["id"], again.json()["revision"], again.json()["response_data"]) == (first.json()["id"], 3, 2)


async def test_policy_many_keeps_all(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()

    sent = [await event.answer(wall, anna, number) for number in range(5)]

    assert {answer.status_code for answer in sent} == {201}
    assert len({answer.json()["id"] for answer in sent}) == 5
    assert await counted(event, wall) == 5


@pytest.mark.parametrize("policy", ["one", "many"])
async def test_withdrawing_leaves_nothing_to_read(api: Api, policy: str) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", response_policy=policy)
    anna = await event.join()
    sent = await event.answer(poll, anna, 1)

    assert (await api.delete(of(event, poll, sent), token=anna.token)).status_code == 204

    assert (await api.get(of(event, poll, sent), token=anna.token)).status_code == 404
    assert (await api.delete(of(event, poll, sent), token=anna.token)).status_code == 404
    assert await counted(event, poll) == 0
    again = await event.answer(poll, anna, 2)
    assert (again.json()["id"] == sent.json()["id"]) == (policy == "one")
    assert again.json()["revision"] == (3 if policy == "one" else 1)


@pytest.mark.catalogue("C-01")
async def test_each_participant_has_one_answer_even_after_the_policy_changed(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    for number in range(4):
        await event.answer(poll, anna, number)
    assert (await api.post(f"{event.path}/activities/{poll['id']}/reset", token=event.host)).status_code == 204
    changed = await api.patch(f"/activities/{poll['id']}", {"response_policy": "one"}, token=event.host)
    assert changed.status_code == 200

    answers = [await event.answer(poll, anna, text) for text in "abcdef"]

    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await counted(event, poll) == 1


async def test_put_replaces_and_the_same_again_changes_nothing(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    sent = await event.answer(poll, anna, {"a": 1})

    edited = await api.put(of(event, poll, sent), {"response_data": {"a": 2}}, token=anna.token)
    same = await api.put(of(event, poll, sent), {"response_data": {"a": 2}}, token=anna.token)

    assert (edited.status_code, edited.json()["revision"]) == (200, 2)
    assert same.json() == edited.json()


async def test_answers_of_others_are_nobodys_business(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    sent = await event.answer(poll, anna, 1)

    assert (await api.get(of(event, poll, sent), token=bert.token)).status_code == 404
    assert (await api.put(of(event, poll, sent), {"response_data": 2}, token=bert.token)).status_code == 404
    assert (await api.delete(of(event, poll, sent), token=bert.token)).status_code == 404
    assert (await api.get(of(event, poll, sent), token=event.screen)).status_code == 403
    assert (await api.put(of(event, poll, sent), {"response_data": 2}, token=event.host)).status_code == 403


async def refusals(api: Api, event: Event, poll: dict[str, Any], seat: Seat, sent: Any) -> set[tuple[int, str]]:
    answers = [
        await event.answer(poll, seat, 2),
        await api.put(of(event, poll, sent), {"response_data": 2}, token=seat.token),
        await api.delete(of(event, poll, sent), token=seat.token),
    ]
    return {(answer.status_code, answer.json()["code"]) for answer in answers}


@pytest.mark.catalogue("C-04")
@pytest.mark.parametrize("end", ["activity", "session", "next activity"])
async def test_nothing_is_taken_after_the_close(api: Api, end: str) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    sent = await event.answer(poll, anna, 1)
    if end == "activity":
        await event.move(poll, "expired")
    elif end == "session":
        await api.patch(event.path, {"status": "completed"}, token=event.host)
    else:
        await event.activity(status="active")

    assert await refusals(api, event, poll, anna, sent) == {(409, "activity-not-open")}
    assert (await api.get(of(event, poll, sent), token=anna.token)).json()["response_data"] == 1


async def test_nothing_is_taken_after_the_time_is_up(api: Api, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    shift_database(monkeypatch, clock)
    event = await make_event(api)
    poll = await event.activity(status="active", duration_seconds=600)
    anna = await event.join()
    sent = await event.answer(poll, anna, 1)
    assert sent.status_code == 201

    clock.advance(601)

    assert await refusals(api, event, poll, anna, sent) == {(409, "activity-not-open")}


async def test_drafts_are_unknown_and_published_ones_not_open(api: Api) -> None:
    event = await make_event(api)
    draft, published = await event.activity(), await event.activity(status="published")
    anna = await event.join()

    assert (await event.answer(draft, anna, 1)).status_code == 404
    assert (await event.answer(published, anna, 1)).json()["code"] == "activity-not-open"
    other = await make_event(api)
    assert (await event.answer(await other.activity(status="active"), anna, 1)).status_code == 404


async def test_rounds_count_from_zero_and_older_rows_stay(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    first = await event.answer(poll, anna, 1)

    assert (await api.post(f"{event.path}/activities/{poll['id']}/rounds", token=event.host)).json()["round"] == 2

    assert await counted(event, poll) == 0
    second = await event.answer(poll, anna, 2)
    assert (second.status_code, second.json()["round"], second.json()["revision"]) == (201, 2, 1)
    assert await counted(event, poll) == 1
    page = (await api.get(of(event, poll) + "/since/0", token=event.host)).json()
    assert [item["id"] for item in page["items"]] == [first.json()["id"], second.json()["id"]]
    refused = await api.put(of(event, poll, first), {"response_data": 3}, token=anna.token)
    assert refused.json()["code"] == "activity-not-open"


async def test_reset_clears_the_round_and_no_other(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    seats = [await event.join(name) for name in ("Anna", "Bert")]
    for seat in seats:
        await event.answer(poll, seat, "old")
    await api.post(f"{event.path}/activities/{poll['id']}/rounds", token=event.host)
    for seat in seats:
        await event.answer(poll, seat, "new")

    assert (await api.post(f"{event.path}/activities/{poll['id']}/reset", token=event.host)).status_code == 204

    status = (await api.get(f"{event.path}/activities/{poll['id']}/status", token=event.host)).json()
    assert (status["response_count"], status["last_response_at"], status["round"]) == (0, None, 2)
    page = (await api.get(of(event, poll) + "/since/0", token=event.host)).json()
    assert [(item["round"], item["response_data"]) for item in page["items"]] == [(1, "old"), (1, "old")]
    again = await event.answer(poll, seats[0], "newer")
    assert (again.status_code, again.json()["revision"]) == (200, 3)


# Idempotency --------------------------------------------------------------------------------------


def key(name: str) -> dict[str, Any]:
    return {"headers": {"idempotency-key": name}}


async def test_replay_gets_the_first_answer_even_after_the_close(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    first = await event.answer(poll, anna, 1, **key("k1"))
    await event.move(poll, "expired")

    assert (await event.answer(poll, anna, 1)).json()["code"] == "activity-not-open"
    for spelling in ("k1", '"k1"'):
        replay = await event.answer(poll, anna, 1, **key(spelling))
        assert (replay.status_code, replay.json()) == (201, first.json())
    other = await event.answer(poll, anna, 2, **key("k1"))
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


async def test_replay_never_brings_an_older_revision_back(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    await event.answer(poll, anna, "old", **key("k1"))
    second = await event.answer(poll, anna, "new", **key("k2"))

    replay = await event.answer(poll, anna, "old", **key("k1"))

    assert (replay.status_code, replay.json()) == (201, second.json())
    assert (await event.answer(poll, anna, "new", **key("k2"))).status_code == 200


async def test_replay_after_a_withdrawal_shows_the_tombstone(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    sent = await event.answer(poll, anna, 1, **key("k1"))
    await api.delete(of(event, poll, sent), token=anna.token)

    replay = await event.answer(poll, anna, 1, **key("k1"))

    assert (replay.status_code, replay.json()["deleted"], replay.json()["response_data"]) == (201, True, None)
    assert await counted(event, poll) == 0


@pytest.mark.catalogue("C-03")
async def test_concurrent_twins_have_one_effect(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()

    twins = await asyncio.gather(*(event.answer(wall, anna, 1, **key("k1")) for _ in range(20)))

    assert {twin.status_code for twin in twins} == {201}
    assert len({twin.json()["id"] for twin in twins}) == 1
    assert await counted(event, wall) == 1


@pytest.mark.catalogue("C-03")
async def test_keys_belong_to_a_participant_and_an_activity(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna, bert = await event.join("Anna"), await event.join("Bert")

    sent = [await event.answer(wall, seat, 1, **key("k1")) for seat in (anna, bert)]

    assert len({answer.json()["id"] for answer in sent}) == 2
    refused = await event.answer(wall, anna, 1, **key("two words"))
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency-key-invalid")


@pytest.mark.catalogue("C-03")
async def test_replay_survives_a_restart(app: App, api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    first = await event.answer(poll, anna, 1, **key("k1"))
    assert first.status_code == 201

    async with App(app.platform.settings, clock=app.platform.clock).running() as restarted:
        event.api = Api(restarted)
        replay = await event.answer(poll, anna, 1, **key("k1"))
        await event.api.http.aclose()

    assert (replay.status_code, replay.json()) == (201, first.json())


@pytest.mark.parametrize("body", [{}, {"response_data": 1, "participant_id": 7}, [], "text", None])
async def test_body_that_does_not_fit_is_refused(api: Api, body: Any) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()

    refused = await api.request("POST", of(event, poll), token=anna.token, json=body)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")
    assert await counted(event, poll) == 0
