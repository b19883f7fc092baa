"""Tests of real responses against the OpenAPI document: no field is undocumented or missing."""

import base64
import copy
import re
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest

from conflicto.activity_types.packs.packing import pack_folder
from conflicto.aggregation.operations import OPERATIONS
from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, document_of, make_event

Document = dict[str, Any]
OPEN = {"Problem"}
"""Schemas with additional properties: some problems have their own fields."""


OF_HTTP = {"content-length", "content-type", "referrer-policy", "x-accel-buffering", "x-content-type-options"}
"""Headers that do not depend on the operation."""

JSON = {"application/json", "application/problem+json"}

STREAM = {"accept": "text/event-stream"}


class Recorder(Api):
    """Recorder that checks every response against the document and records (route, status)."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.document = strict(document_of(app))
        self.seen: set[tuple[str, int]] = set()

    async def request(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        answer = await super().request(method, path, **kwargs)
        route = _route(self.app, method, answer.request.url.path)
        self.seen.add((route.name, answer.status_code))
        documented = self.document["paths"][route.path][method.lower()]["responses"][str(answer.status_code)]
        undeclared = {name.lower() for name in answer.headers} - {name.lower() for name in documented["headers"]} - OF_HTTP
        assert not undeclared, (route.name, answer.status_code, undeclared)
        content = documented.get("content", {})
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        assert bool(answer.content) == bool(content), (route.name, answer.status_code)
        assert not content or media_type in content, (route.name, media_type)
        if media_type in JSON:
            schema = {**content[media_type]["schema"], "components": self.document["components"]}
            wrong = [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(answer.json())]
            assert wrong == [], (route.name, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["code"] in content[media_type]["examples"], route.name
            assert answer.json().keys() <= self.document["components"]["schemas"]["Problem"]["properties"].keys(), answer.text
        return answer


def strict(document: Document) -> Document:
    made = copy.deepcopy(document)
    for name, schema in made["components"]["schemas"].items():
        if "properties" in schema and name not in OPEN:
            schema["additionalProperties"] = False
    return made


def _route(app: App, method: str, path: str) -> Any:
    fitting = [
        each for each in app.edge.routes if each.method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", each.path), path)
    ]
    return min(fitting, key=lambda each: each.path.count("{"))


@pytest.fixture
async def recorder(app: App, settings: Settings) -> Any:
    allowing = settings.model_copy(update={"session_types_mb": 1})
    async with App(allowing, clock=app.platform.clock).running() as served:
        recorder = Recorder(served)
        yield recorder
        await recorder.http.aclose()


async def test_every_success_fits_its_schema(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.LIFETIME_S", (0.0, 0.0))
    event = await make_event(recorder)
    anna = await event.join("Anna")
    await _operator(recorder, event)
    await _sessions(recorder, event)
    await _types(recorder)
    await _activities(recorder, event)
    await _answers(recorder, event, anna)
    await _polls(recorder, event, anna)
    await _every_op(recorder, event, anna)
    await _seats(recorder, event)
    await _ends(recorder, event)

    promised = {(route.name, status) for route in recorder.app.edge.routes for status in route.docs.responses}
    assert promised - recorder.seen == set()


async def test_problems_fit_their_schema_and_are_declared(recorder: Recorder) -> None:
    event = await make_event(recorder, max_participants=2)
    anna = await event.join("Anna")
    poll = await event.activity()
    join = {"nickname": "Anna", "code": event.code}

    for status, answer in [
        (401, await recorder.get(event.path)),
        (401, await recorder.get(event.path, token="a.b.c")),
        (403, await recorder.post(f"{event.path}/lock", token=anna.token)),
        (404, await recorder.get("/sessions/1/status", token=event.host)),
        (404, await recorder.post("/join", {**join, "code": "BBBBBBBB"})),
        (409, await recorder.post(f"{event.path}/join", join)),
        (409, await event.answer(await event.activity(status="published"), anna, 1)),
        (404, await event.answer(poll, anna, 1)),
        (422, await recorder.post("/sessions", {"title": ""}, token=recorder.admin)),
        (422, await recorder.post("/join", {"nickname": "Bo"})),
        (422, await recorder.get(f"{event.path}/changes/since/0?limit=0", token=event.host)),
        (422, await recorder.get("/sessions?limit=0", token=recorder.admin)),
        (422, await recorder.get(f"{event.path}/export?format=pdf", token=event.host)),
        (400, await recorder.get(f"{event.path}/changes/since/yesterday", token=event.host)),
        (400, await recorder.request("POST", "/join", content=b"{", headers={"content-type": "application/json"})),
        (415, await recorder.request("POST", "/join", content=b"{}", headers={"content-type": "text/plain"})),
        (413, await recorder.post("/join", {**join, "code": "x" * 20_000})),
        (412, await recorder.patch(event.path, {"title": "Late"}, token=event.host, headers={"if-match": '"r1"'})),
    ]:
        assert answer.status_code == status, answer.text


async def _operator(api: Recorder, event: Event) -> None:
    await api.get("/health/live")
    await api.get("/health/ready")
    await api.get("/metrics", api.admin)
    await api.get("/problems/session-full")
    await api.get("/.well-known/jwks.json")
    await api.get("/api/v1/openapi.json")
    await api.get("/sessions", api.admin)


async def _sessions(api: Recorder, event: Event) -> None:
    read = await api.get(event.path, event.host)
    await api.get(event.path, event.host, headers={"if-none-match": read.headers["etag"]})
    await api.get(event.path, event.screen)
    await api.put(event.path, {"title": "Town hall", "description": "Twice"}, token=event.host)
    await api.post(f"{event.path}/lock", {"locked": False}, token=event.host)
    event.code = (await api.post(f"{event.path}/join-code", token=event.host)).json()["join_code"]
    await api.post(f"{event.path}/overlay", {"overlay": "black"}, token=event.host)
    await api.post(f"{event.path}/tokens", {"role": "screen"}, token=event.host)
    link = (await api.post(f"{event.path}/links", {"scope": "host", "name": "Second host"}, token=event.host)).json()
    await api.patch(f"{event.path}/links/{link['id']}", {"name": "Third host"}, token=event.host)
    await api.get(f"{event.path}/links", event.host)
    await api.delete(f"{event.path}/links/{link['id']}", event.host)
    copied = await api.post(f"{event.path}/duplicate", {}, token=api.admin)
    await api.delete(f"/sessions/{copied.json()['id']}", api.admin)
    await api.get(f"/sessions/by-code/{event.code}")
    await api.get(f"{event.path}/nicknames/validate?nickname=Anna&code={event.code}")


async def _activities(api: Recorder, event: Event) -> None:
    path = f"{event.path}/activities"
    assert (await api.get(f"{path}/active", event.host)).status_code == 204
    poll = await event.activity(secret={"right": 1}, duration_seconds=60, aggregate={"votes": {"path": "", "op": "count"}})
    for below in (f"{path}/{poll['id']}", f"/activities/{poll['id']}"):
        read = await api.get(below, event.host)
        await api.get(below, event.host, headers={"if-none-match": read.headers["etag"]})
        await api.put(below, {"type": "riddle"}, token=event.host)
        await api.patch(below, {"title": "Again", "duration_seconds": 60}, token=event.host)
    await api.patch(f"{path}/{poll['id']}/status", {"status": "published"}, token=event.host)
    await event.move(poll, "active")
    active = await api.get(f"{path}/active", event.screen)
    await api.get(f"{path}/active", event.screen, headers={"if-none-match": active.headers["etag"]})
    await api.get(path, event.host)
    await api.get(path, event.screen)
    await api.post(f"{path}/{poll['id']}/extend", {"seconds": 5}, token=event.host)
    await api.post(f"{path}/{poll['id']}/reveal", {"results": True}, token=event.host)
    await api.post(f"{path}/{poll['id']}/rounds", {}, token=event.host)
    await api.post(f"{path}/{poll['id']}/focus", {"response_id": None}, token=event.host)
    await api.post(f"{path}/{poll['id']}/reset", token=event.host)
    await api.post(f"{event.path}/show", {"activity_id": poll["id"]}, token=event.host)
    await api.delete(f"{path}/{poll['id']}", event.host)
    gone = await event.activity()
    await api.delete(f"/activities/{gone['id']}", event.host)


async def _types(api: Recorder) -> None:
    await api.get("/activity-types")
    await api.get("/rejected-activity-types", api.admin)
    for known in api.app.domain.types.all():
        read = await api.get(f"/activity-types/{known.name}")
        await api.get(f"/activity-types/{known.name}", headers={"if-none-match": read.headers["etag"]})
        await api.post(f"/activity-types/{known.name}/validate", {"config": known.examples[0]["config"], "response_data": 1})
    event = await make_event(api)
    fault = {"type": "questions", "version": "1", "view": "screen", "error": "Error", "file": "screen.js", "line": 3}
    await api.post(f"{event.path}/view-faults", fault, token=event.screen)
    await api.get(f"{event.path}/view-faults", event.host)
    await _session_types(api, event)


async def _session_types(api: Recorder, event: Event) -> None:
    """Check, install, list and remove a type for one session."""
    pack = pack_folder(Path(__file__).parents[2] / "examples/types/points")
    body = {"pack": base64.b64encode(pack.body).decode()}
    path = f"{event.path}/activity-types"
    await api.post(path, body, token=event.host)
    await api.post(path, body | {"sha256": pack.sha256}, token=event.host)
    await api.get(path, event.host)
    await api.delete(f"{path}/points", event.host)


async def _answers(api: Recorder, event: Event, anna: Seat) -> None:
    poll = await event.activity(status="active", moderation="after", responses_visibility="participants")
    first = (await event.answer(poll, anna, {"choice": 1})).json()
    assert (await event.answer(poll, anna, [None, "x"])).status_code == 200
    path = f"{event.path}/activities/{poll['id']}/responses"
    await api.get(path, event.host)
    await api.get(f"{path}/mine", anna.token)
    await api.get("/participants/me", anna.token)
    await api.get(f"{path}/{first['id']}", anna.token)
    await api.put(f"{path}/{first['id']}", {"response_data": 7}, token=anna.token)
    await api.patch(f"{path}/{first['id']}", {"moderation": "hidden"}, token=event.host)
    for token in (event.host, event.screen, anna.token):
        page = await api.get(f"{path}/since/0", token)
        if page.status_code == 200:
            await api.get(f"{path}/since/0", token, headers={"if-none-match": page.headers["etag"]})
        status = await api.get(f"{path.removesuffix('/responses')}/status", token)
        await api.get(f"{path.removesuffix('/responses')}/status", token, headers={"if-none-match": status.headers["etag"]})
    results = await api.get(f"{path.removesuffix('/responses')}/results", event.host)
    await api.get(f"{path.removesuffix('/responses')}/results", event.host, headers={"if-none-match": results.headers["etag"]})
    await api.get(f"{path.removesuffix('/responses')}/results", anna.token)
    await api.delete(f"{path}/{first['id']}", event.host)
    await api.get(f"{path}/since/1000000000", event.screen)


async def _polls(api: Recorder, event: Event, anna: Seat) -> None:
    spec = {"score": {"path": "", "op": "score", "key": ""}}
    quiz = await event.activity(status="active", secret=1, aggregate=spec)
    await event.answer(quiz, anna, 1)
    await event.move(quiz, "expired")
    await api.post(f"{event.path}/activities/{quiz['id']}/reveal", {"results": True}, token=event.host)
    for token in (event.host, event.screen, anna.token):
        for since in ("0", "now", "1000000000"):
            page = await api.get(f"{event.path}/changes/since/{since}?limit=1000", token)
            await api.get(f"{event.path}/changes/since/{since}?limit=1000", token, headers={"if-none-match": page.headers["etag"]})
        board = await api.get(f"{event.path}/leaderboard", token)
        await api.get(f"{event.path}/leaderboard", token, headers={"if-none-match": board.headers["etag"]})
        status = await api.get(f"{event.path}/status", token)
        await api.get(f"{event.path}/status", token, headers={"if-none-match": status.headers["etag"]})
        await api.post(f"{event.path}/clock", token=token)
        await api.post(f"{event.path}/events/ticket", token=token)
        await api.get(f"{event.path}/events?since=0", token)


async def _every_op(api: Recorder, event: Event, anna: Seat) -> None:
    aggregate = {
        "values": {"path": "/n", "op": "count"},
        "numbers": {"path": "/n", "op": "number"},
        "words": {"path": "/text", "op": "words"},
        "ranks": {"path": "/order", "op": "rank", "of": ["a", "b", "c"], "rule": "borda"},
        "middle": {"path": "/n", "op": "median"},
        "votes": {"path": "/votes", "op": "votes"},
        "points": {"path": "/n", "op": "score", "key": ""},
    }
    members = {
        "pairs": {"path": "/order", "op": "pairs", "of": ["a", "b"]},
        "amounts": {"path": "/given", "op": "amounts", "of": ["a", "b"]},
        "quartiles": {"path": "/given", "op": "quartiles", "of": ["a", "b"]},
        "grid": {"path": "/at", "op": "grid", "names": ["first"]},
    }
    shown: set[str] = set()
    for spec in (aggregate, members):
        every = await event.activity(status="active", secret=1, aggregate=spec, results_visibility="always")
        path = f"{event.path}/activities/{every['id']}/results"
        await api.get(path, event.host)
        data = {"n": 1, "text": "calm sea", "order": ["b", "a"], "votes": {"target": "t", "vote": 1}}
        await event.answer(every, anna, data | {"given": {"a": 2.5}, "at": {"x": 0.5, "y": 1}})
        for token in (event.host, event.screen):
            shown |= {each["op"] for each in (await api.get(path, token)).json()["results"].values()}
    assert shown == set(OPERATIONS)


async def _seats(api: Recorder, event: Event) -> None:
    bo = (await api.post("/join", {"nickname": "Bo", "code": event.code})).json()
    link = (await api.post("/participants/me/seat-link", token=bo["participant_token"])).json()
    moved = (await api.post("/seats/redeem", {"seat_token": link["seat_token"]})).json()
    await api.patch("/participants/me", {"nickname": "Bo Bo"}, token=moved["participant_token"])
    await api.patch(f"/participants/{bo['participant_id']}", {"nickname": "Bob"}, token=event.host)
    await api.post(f"/participants/{bo['participant_id']}/heartbeat", token=moved["participant_token"])
    await api.get(f"{event.path}/participants", event.host)
    await api.get(f"{event.path}/names", event.host)
    await api.get(f"{event.path}/names", event.screen)
    await api.delete("/participants/me", moved["participant_token"])
    cleo = await event.join("Cleo")
    await api.delete(f"/participants/{cleo.id}", event.host)
    await api.post(f"{event.path}/participants/remove", {"name_contains": "bot", "preview": True}, token=event.host)


async def _ends(api: Recorder, event: Event) -> None:
    poll = await event.activity(status="active")
    await api.post(f"{event.path}/rehearsal", {"participants": 1}, token=event.host)
    await api.get(f"{event.path}/rehearsal", event.host)
    await api.delete(f"{event.path}/rehearsal", event.host)
    for form in ("csv", "xlsx", "jsonl"):
        await api.get(f"{event.path}/export?format={form}", event.host)
    job = await event.exported()
    await api.get(f"{event.path}/exports/{job}/file", event.host)
    await api.get(f"{event.path}/exports/{job}/file", event.host, headers={"range": "bytes=1-"})
    await api.delete(f"{event.path}/exports/{job}", event.host)
    await api.get(f"{event.path}/transitions", event.host)
    pair = (await api.delete(f"{event.path}/tokens", event.host)).json()
    await api.patch(event.path, {"status": "completed"}, token=pair["host_token"])
    now = f"{event.path}/changes/since/now"
    assert (await api.get(now, pair["screen_token"], headers=STREAM)).status_code == 204
    answers = f"{event.path}/activities/{poll['id']}/responses/since/now"
    assert (await api.get(answers, pair["host_token"], headers=STREAM)).status_code == 204
    results = f"{event.path}/activities/{poll['id']}/results"
    response = await api.get(results, pair["host_token"], headers=STREAM)
    known = {"last-event-id": re.findall(r"^id: (.*)$", response.text, re.MULTILINE)[0]}
    assert (await api.get(results, pair["host_token"], headers=STREAM | known)).status_code == 204
    closed = await api.get(now, pair["screen_token"])
    assert closed.json()["closed"]
    await api.get(f"{event.path}/events", pair["screen_token"])
    await api.delete(event.path, pair["host_token"])
