"""Removed participants change nothing more, however close removal and change are."""

import asyncio
from typing import Any

import pytest

from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted
from tests.support.feed_reader import drain

TURNS = 6
OUT = {401: "token-invalid", 404: "not-found", 410: "seat-gone"}
"""Possible outcomes of a late change: invalid token, missing answer, or a seat gone."""


async def kicked_amid(event: Event, seat: Seat, change: Any, query: str) -> list[tuple[int, str]]:
    """Kick a participant during changes; return the statuses and problem codes of the changes."""
    changes = [asyncio.ensure_future(change(number)) for number in range(4)]
    kick = asyncio.ensure_future(event.api.delete(f"/participants/{seat.id}{query}", token=event.host))
    changes += [asyncio.ensure_future(change(number)) for number in range(4, 10)]
    accepted(await kick, 204)
    answers = await asyncio.gather(*changes)
    return [(each.status_code, each.json().get("code", "") if each.content else "") for each in answers]


async def stands(event: Event, poll: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the removal time of the seat and the answer's state, both from the feed."""
    items, _ = await drain(event.api, f"{event.path}/changes", poll["created_at"], event.host)
    answer = next(item for item in items if item["entity"] == "response")
    return next(item["updated_at"] for item in items if item["entity"] == "participant" and item["deleted"]), answer


@pytest.mark.parametrize("verb", ["PUT", "POST"])
async def test_nothing_is_changed_after_the_kick(api: Api, verb: str) -> None:
    for _ in range(TURNS):
        event = await make_event(api)
        poll, anna = await event.activity(status="active"), await event.join()
        path = f"{event.path}/activities/{poll['id']}/responses"
        made = accepted(await event.answer(poll, anna, "first"), 201)

        async def change(number: int, *, to: str = f"{path}/{made['id']}" if verb == "PUT" else path, by: Seat = anna) -> Any:
            return await api.request(verb, to, json={"response_data": number}, token=by.token)

        outcome = await kicked_amid(event, anna, change, "")

        assert {each for each in outcome if each[0] != 200} <= set(OUT.items())
        kicked_at, answer = await stands(event, poll)
        assert answer["updated_at"] < kicked_at
        assert answer["data"]["revision"] == 1 + [status for status, _ in outcome].count(200)


@pytest.mark.catalogue("C-07")
async def test_answers_that_go_with_their_author_stay_gone(api: Api) -> None:
    for _ in range(TURNS):
        event = await make_event(api)
        poll, anna = await event.activity(status="active"), await event.join()
        path = f"{event.path}/activities/{poll['id']}/responses"
        made = accepted(await event.answer(poll, anna, "first"), 201)

        async def change(number: int, *, to: str = path, own: str = made["id"], by: Seat = anna) -> Any:
            where = ("PUT", f"{to}/{own}") if number % 2 else ("POST", to)
            return await api.request(*where, json={"response_data": number}, token=by.token)

        outcome = await kicked_amid(event, anna, change, "?responses=delete")

        assert {each for each in outcome if each[0] != 200} <= set(OUT.items())
        assert accepted(await api.get(path, token=event.host))["items"] == []
        assert accepted(await api.get(f"{event.path}/activities/{poll['id']}/status", token=event.host))["response_count"] == 0


OWN = [("DELETE", "", None), ("PATCH", "", {"nickname": "Berta"}), ("POST", "/seat-link", None), ("GET", "", None)]


@pytest.mark.parametrize(("method", "tail", "body"), OWN)
async def test_a_participant_removed_meanwhile_receives_seat_gone(api: Api, method: str, tail: str, body: Any) -> None:
    event, codes = await make_event(api), set()
    for _ in range(TURNS):
        anna = await event.join()
        leaving = event.api.delete("/participants/me", token=anna.token)
        late = event.api.request(method, f"/participants/me{tail}", json=body, token=anna.token)
        left, answer = await asyncio.gather(leaving, late)
        accepted(left, 204)
        codes.add((answer.status_code, answer.json()["code"] if answer.is_error else ""))

    assert codes <= {(200, ""), (201, ""), (401, "token-invalid"), (410, "seat-gone")}
    assert (410, "seat-gone") in codes or method == "GET"
