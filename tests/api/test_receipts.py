"""Receipts of deletions: every caller gets one, without names and contents."""

import base64
import hashlib
import json
from typing import Any

import httpx2
import jwt
import pytest

from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted
from tests.support.clocks import HandClock


async def read(api: Api, answer: httpx2.Response) -> dict[str, Any]:
    """Return the payload of a response's receipt, verified with the published keys."""
    assert answer.is_success, answer.text
    receipt = answer.headers["deletion-receipt"]
    keys = (await api.http.get("/.well-known/jwks.json")).json()["keys"]
    header = jwt.get_unverified_header(receipt)
    assert header == {"alg": "EdDSA", "kid": header["kid"], "typ": "deletion-receipt+jwt"}
    (key,) = [each for each in keys if each["kid"] == header["kid"]]
    payload: dict[str, Any] = jwt.decode(receipt, jwt.PyJWK(key), algorithms=["EdDSA"])
    assert payload.keys() == {"iss", "date", "deleted", "ids_sha256"}
    return payload


def digest(*ids: object) -> str:
    return hashlib.sha256("".join(f"{each}\n" for each in sorted(map(str, ids))).encode()).hexdigest()


class Scene:
    """A session with two people. The first has two responses to an activity, the second has one."""

    def __init__(self, event: Event, poll: dict[str, Any]) -> None:
        self.event, self.poll, self.api = event, poll, event.api
        self.people: list[Any] = []
        self.answers: list[str] = []

    @property
    def path(self) -> str:
        return f"{self.event.path}/activities/{self.poll['id']}"


@pytest.fixture
async def scene(api: Api) -> Scene:
    event = await make_event(api)
    made = Scene(event, await event.activity(status="active", response_policy="many"))
    made.people = [await event.join(name) for name in ("Anna", "Bert")]
    for who in (0, 0, 1):
        sent = accepted(await event.answer(made.poll, made.people[who], f"of {who}"), 201)
        made.answers.append(sent["id"])
    return made


async def test_who_leaves_gets_a_receipt_of_seat_and_answers(scene: Scene) -> None:
    anna = scene.people[0]
    payload = await read(scene.api, await scene.api.delete("/participants/me", token=anna.token))
    assert payload["deleted"] == {"participants": 1, "responses": 2}
    assert payload["ids_sha256"] == digest(anna.id, *scene.answers[:2])


async def test_who_leaves_and_keeps_answers_gets_a_receipt_of_the_seat(scene: Scene) -> None:
    anna = scene.people[0]
    payload = await read(scene.api, await scene.api.delete("/participants/me?responses=keep", token=anna.token))
    assert (payload["deleted"], payload["ids_sha256"]) == ({"participants": 1}, digest(anna.id))


@pytest.mark.parametrize(("query", "answers"), [("", 0), ("?responses=delete", 2)])
async def test_a_kick_brings_a_receipt_to_the_host(scene: Scene, query: str, answers: int) -> None:
    anna = scene.people[0]
    payload = await read(scene.api, await scene.api.delete(f"/participants/{anna.id}{query}", token=scene.event.host))
    assert payload["deleted"] == {"participants": 1} | ({"responses": answers} if answers else {})
    assert payload["ids_sha256"] == digest(anna.id, *scene.answers[:answers])


async def test_a_bulk_removal_brings_one_receipt_for_all_its_transactions(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.responses.commands.flood.MAX_STEP_SEATS", 1)
    body = {"joined_since": "2020-01-01T00:00:00Z", "responses": "delete"}
    removing = f"{scene.event.path}/participants/remove"
    preview = await scene.api.post(removing, body | {"preview": True}, token=scene.event.host)
    assert "deletion-receipt" not in preview.headers
    payload = await read(scene.api, await scene.api.post(removing, body, token=scene.event.host))
    assert payload["deleted"] == {"participants": 2, "responses": 3}
    assert payload["ids_sha256"] == digest(*(each.id for each in scene.people), *scene.answers)


@pytest.mark.parametrize("who", ["author", "host"])
async def test_a_deleted_answer_brings_a_receipt(scene: Scene, who: str) -> None:
    token = scene.event.host if who == "host" else scene.people[0].token
    payload = await read(scene.api, await scene.api.delete(f"{scene.path}/responses/{scene.answers[0]}", token=token))
    assert (payload["deleted"], payload["ids_sha256"]) == ({"responses": 1}, digest(scene.answers[0]))


async def test_a_reset_brings_a_receipt_of_the_round(scene: Scene) -> None:
    payload = await read(scene.api, await scene.api.post(f"{scene.path}/reset", token=scene.event.host))
    assert (payload["deleted"], payload["ids_sha256"]) == ({"responses": 3}, digest(*scene.answers))
    empty = await read(scene.api, await scene.api.post(f"{scene.path}/reset", token=scene.event.host))
    assert (empty["deleted"], empty["ids_sha256"]) == ({}, digest())


async def test_an_activity_goes_with_its_answers_of_all_rounds(scene: Scene) -> None:
    accepted(await scene.api.post(f"{scene.path}/rounds", {}, token=scene.event.host))
    accepted(await scene.event.answer(scene.poll, scene.people[1], "again"), 201)
    payload = await read(scene.api, await scene.api.delete(scene.path, token=scene.event.host))
    assert payload["deleted"] == {"activities": 1, "responses": 4}
    assert payload["ids_sha256"] == digest(scene.poll["id"])


async def test_a_session_goes_with_all_that_it_holds(scene: Scene) -> None:
    gone = await scene.event.activity(status="active")
    accepted(await scene.event.answer(gone, scene.people[0], "of an activity that goes before"), 201)
    accepted(await scene.api.delete(f"{scene.event.path}/activities/{gone['id']}", token=scene.event.host), 204)
    accepted(await scene.api.delete(f"/participants/{scene.people[1].id}", token=scene.event.host), 204)
    payload = await read(scene.api, await scene.api.delete(scene.event.path, token=scene.event.host))
    assert payload["deleted"] == {"sessions": 1, "activities": 1, "participants": 1, "responses": 3}
    assert payload["ids_sha256"] == digest(scene.event.id)


async def test_a_receipt_has_the_day_and_neither_moment_nor_content(scene: Scene, clock: HandClock) -> None:
    answer = await scene.api.delete(f"{scene.path}/responses/{scene.answers[2]}", token=scene.event.host)
    raw = answer.headers["deletion-receipt"].split(".")[1]
    text = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode()
    payload = json.loads(text)
    assert len(payload["date"]) == len("2026-11-29")
    assert not any(each in text for each in (scene.answers[2], "Bert", "of 1", str(scene.event.id), str(scene.people[1].id)))
    clock.advance(86_400)
    later = await read(scene.api, await scene.api.delete(f"{scene.path}/responses/{scene.answers[1]}", token=scene.event.host))
    assert later["date"] > payload["date"]


async def test_what_was_refused_brings_no_receipt(scene: Scene) -> None:
    for answer in (
        await scene.api.delete(f"{scene.path}/responses/{scene.answers[0]}", token=scene.people[1].token),
        await scene.api.delete("/participants/me", token=scene.event.host),
        await scene.api.delete(scene.path, token=scene.event.host, headers={"if-match": '"r99"'}),
    ):
        assert answer.is_error
        assert "deletion-receipt" not in answer.headers


async def test_only_authors_receive_answers_removed_before_their_release(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", anonymous=True, min_group=3)
    people = [await event.join(name) for name in ("Anna", "Bert", "Cleo", "Dora")]
    ids = [accepted(await event.answer(poll, who, 1), 201)["id"] for who in people]
    path = f"{event.path}/activities/{poll['id']}"

    withdrawn = await read(api, await api.delete(f"{path}/responses/{ids[0]}", token=people[0].token))
    assert (withdrawn["deleted"], withdrawn["ids_sha256"]) == ({"responses": 1}, digest(ids[0]))
    left = await read(api, await api.delete("/participants/me", token=people[1].token))
    assert left["deleted"] == {"participants": 1, "responses": 1}
    assert left["ids_sha256"] == digest(people[1].id, ids[1])

    kicked = await read(api, await api.delete(f"/participants/{people[2].id}?responses=delete", token=event.host))
    assert (kicked["deleted"], kicked["ids_sha256"]) == ({"participants": 1}, digest(people[2].id))
    reset = await read(api, await api.post(f"{path}/reset", {}, token=event.host))
    assert (reset["deleted"], reset["ids_sha256"]) == ({}, digest())
