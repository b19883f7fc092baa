"""Invalid bodies, paths and queries (reliability J, S): stable codes, no writes, no echo."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from conflicto.access.roles import Role
from conflicto.platform.http.routes import PREFIX
from conflicto.platform.http.text_patterns import pattern_message
from conflicto.platform.strict_json import CONFIG_LIMITS, RESPONSE_LIMITS
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused
from tests.support.hostile import FRAGMENTS, RIGHT_TYPES, WHOLE, WRONG_TYPES
from tests.support.walking import UNKNOWN_FIELD, filled, fitting_body, walked

JSON = [("content-type", "application/json")]
MARKER = "Marker7f3a"


@dataclass
class Door:
    """A URL that takes a body; `good` has a placeholder, `%s`, for a value of any kind."""

    event: Event
    method: str
    path: str
    token: str | None
    good: str
    fit: tuple[int, ...]

    async def send(self, body: bytes | AsyncIterator[bytes], headers: list[tuple[str, str]] | None = None) -> httpx2.Response:
        sent = list(JSON if headers is None else headers)
        if self.token:
            sent.append(("authorization", f"Bearer {self.token}"))
        return await self.event.api.http.request(self.method, PREFIX + self.path, content=body, headers=sent)

    def body(self, value: bytes) -> bytes:
        return self.good.encode().replace(b"%s", value)

    async def state(self) -> list[Any]:
        """The routes that read; all of them must still respond."""
        paths = ("/activities", "/participants", "/status", "/changes/since/0", self.path.removeprefix(self.event.path))
        known = [path for path in paths if path and not path.endswith(("/join", "/me"))]
        reads = [accepted(await self.event.api.get(self.event.path + path, token=self.event.host)) for path in known]
        for person in reads[1]["items"]:
            person.pop("presence")
        return reads


async def make_door(api: Api, name: str) -> Door:
    event = await make_event(api)
    poll = await event.activity(config={"kept": 1}, status="active")
    anna = await event.join()
    path = f"{event.path}/activities"
    doors = {
        "submit": ("POST", f"{path}/{poll['id']}/responses", anna.token, '{"response_data":%s}', (201, 200)),
        "join": ("POST", f"{event.path}/join", None, '{"code":"' + event.code + '","nickname":%s}', (422,)),
        "create": ("POST", path, event.host, '{"type":"lunch","config":%s}', (201,)),
        "patch": ("PATCH", f"{path}/{poll['id']}", event.host, '{"secret":%s}', (200,)),
    }
    return Door(event, *doors[name])


@pytest.fixture(params=["submit", "join", "create", "patch"])
async def door(api: Api, request: pytest.FixtureRequest) -> Door:
    return await make_door(api, request.param)


@pytest.mark.catalogue("J-01", "J-02", "J-03", "J-04", "J-05", "J-06", "J-07", "J-08", "J-14")
async def test_hostile_json_is_refused_and_nothing_is_stored(door: Door) -> None:
    before = await door.state()
    for code, value in FRAGMENTS:
        refused(await door.send(door.body(value)), 400, code)
    for body in WHOLE:
        refused(await door.send(body), 400, "json-invalid")
    for huge in (b"[" * 100_000, b'{"' + b"k" * 70_000 + b'":1}'):
        answer = await door.send(door.body(huge))
        assert answer.status_code in {400, 413}
        assert answer.json()["code"] in {"body-too-large", "json-invalid", "json-too-large", "json-too-deep"}
    assert await door.state() == before
    assert (await door.send(door.body(b"[1]"))).status_code in door.fit


async def test_a_body_that_is_missing_or_of_another_kind_is_named(door: Door) -> None:
    before = await door.state()
    for body in (b"", b"[]", b"7", b'"x"', b"null"):
        refused(await door.send(body), 422, "invalid-input")
    problem = refused(await door.send(b'{"unknown":1,' + door.body(b"1")[1:]), 422, "invalid-input")
    assert "" in [error["pointer"] for error in problem["errors"]]
    assert await door.state() == before


@pytest.mark.catalogue("J-10", "J-11")
async def test_only_json_is_taken(door: Door) -> None:
    before = await door.state()
    for headers in WRONG_TYPES:
        refused(await door.send(door.body(b"[1]"), headers), 415, "media-type-unsupported")
        refused(await door.send(b"not json", headers), 415, "media-type-unsupported")
    assert await door.state() == before
    for media_type in RIGHT_TYPES:
        assert (await door.send(door.body(b"[1]"), [("content-type", media_type)])).status_code in door.fit


@pytest.mark.parametrize(("name", "limit"), [("submit", RESPONSE_LIMITS.max_bytes), ("create", CONFIG_LIMITS.max_bytes)])
@pytest.mark.in_process
@pytest.mark.catalogue("S-01")
async def test_a_body_may_be_as_long_as_its_limit_and_not_a_byte_longer(api: Api, name: str, limit: int) -> None:
    assert limit == {"submit": 16 * 1024, "create": 256 * 1024}[name]
    door = await make_door(api, name)
    body = door.body(b'"' + b"x" * 8_000 + b'"')

    for size, status in ((limit - 1, 201), (limit, 201 if name == "create" else 200), (limit + 1, 413), (limit * 3, 413)):
        padded = body[:-1] + b" " * (size - len(body)) + b"}"
        assert len(padded) == size
        assert (await door.send(padded)).status_code == status

    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while given < 100 * limit:
            given += 4096
            yield b" " * 4096

    refused(await door.send(endless()), 413, "body-too-large")
    assert given <= limit + 2 * 4096


@pytest.mark.catalogue("J-12")
async def test_a_body_in_single_bytes_is_one_body(api: Api) -> None:
    door = await make_door(api, "submit")

    async def drip() -> AsyncIterator[bytes]:
        for byte in door.body(b'{"a":"\xc3\xa9"}'):
            yield bytes([byte])

    assert accepted(await door.send(drip()), 201)["response_data"] == {"a": "é"}


@pytest.mark.catalogue("A-12", "J-17")
async def test_no_route_accepts_unknown_fields(api: Api) -> None:
    event = await make_event(api)
    seat = await event.join()
    tokens, ids = everyone(event, seat), await all_ids(event, seat)
    for route in walked(api.app.edge.routes):
        if route.method == "GET":
            continue
        token = tokens[min(route.roles)] if route.roles else None
        bodies = [UNKNOWN_FIELD]
        if fitting_body(route) is not None:
            bodies.append({**fitting_body(route), MARKER: 1})
        for body in bodies:
            answer = await api.request(route.method, filled(route, **ids), token=token, json=body)
            problem = refused(answer, 422, "invalid-input")
            assert MARKER not in answer.text, route.name
            assert "errors" in problem or "no body" in problem["detail"]


async def test_an_unknown_field_is_refused_with_the_known_ones(api: Api) -> None:
    event = await make_event(api)
    activity = await event.activity()

    async def only_error(answer: Any) -> tuple[str, str]:
        (error,) = refused(answer, 422, "invalid-input")["errors"]
        return error["pointer"], error["message"]

    at, message = await only_error(
        await api.patch(f"{event.path}/activities/{activity['id']}", {"status": "active"}, token=event.host)
    )
    assert (at, message.partition(";")[0]) == ("", "holds a field that is not known here")
    assert {"`title`", "`config`", "`secret`"} <= set(message.partition("known are ")[2].split(", "))
    assert await only_error(await api.patch(event.path, {"word_filter": {"mode": "off", MARKER: 1}}, token=event.host)) == (
        "/word_filter", "holds a field that is not known here; known are `mode`, `languages`, `words`",
    )  # fmt: skip
    assert await only_error(await api.get(f"{event.path}/activities?{MARKER}=1", token=event.host)) == (
        "/query", "holds a field that is not known here; known are `cursor`, `limit`, `offset`, `status`",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "/activities",
            {"type": "Po ll"},
            "must be up to 64 lower-case letters, digits, - _ and ., and begin with a letter or digit",
        ),
        ("/activities", {"type": "poll", "type_version": "v2"}, "must be one to three numbers, such as 2 or 1.4.0"),
        ("/activities", {"type": "poll", "title": "  "}, "must hold a character other than spaces"),
        ("/rehearsal", {"language": "English"}, "must be a language such as de or pt-BR"),
    ],
)
async def test_a_text_of_another_form_is_refused_in_words(api: Api, path: str, body: dict[str, Any], message: str) -> None:
    event = await make_event(api)

    answer = await api.post(event.path + path, body, token=event.host)

    problem = refused(answer, 422, "invalid-input")
    assert [each["message"] for each in problem["errors"]] == [message]


def patterns(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from ([schema["pattern"]] if isinstance(schema.get("pattern"), str) else [])
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from patterns(part)


async def test_every_pattern_of_a_request_has_words(api: Api) -> None:
    models = {model for route in api.app.edge.routes for model in (route.inputs.body, route.inputs.query) if model}
    found = {pattern for model in models for pattern in patterns(model.model_json_schema())}

    assert len(found) > 5
    assert all(pattern_message(pattern).startswith("must ") for pattern in found)


def everyone(event: Event, seat: Seat) -> dict[Role, str]:
    return {Role.ADMIN: event.api.admin, Role.HOST: event.host, Role.SCREEN: event.screen, Role.PARTICIPANT: seat.token}


async def all_ids(event: Event, seat: Seat) -> dict[str, Any]:
    poll = await event.activity(status="active")
    sent = accepted(await event.answer(poll, seat, 1), 201)
    return {
        "session_id": event.id, "activity_id": poll["id"], "response_id": sent["id"],
        "link_id": sent["id"], "export_id": sent["id"], "participant_id": seat.id, "code": event.code,
        "timestamp": "0", "type": "poll",
    }  # fmt: skip


async def test_no_refusal_repeats_what_was_sent(api: Api) -> None:
    event = await make_event(api)
    poll, tokens = await event.activity(status="active"), everyone(event, await event.join())
    host, seat, one = tokens[Role.HOST], tokens[Role.PARTICIPANT], f"{event.path}/activities/{poll['id']}"
    requests: list[tuple[str, str, str | None, dict[str, Any]]] = [
        ("GET", f"/{MARKER}", None, {}), ("GET", f"/sessions/{MARKER}", host, {}), ("GET", f"/sessions/by-code/{MARKER}", None, {}),
        ("GET", f"{one}/responses/since/{MARKER}", host, {}), ("GET", f"{one}/responses/since/0?limit={MARKER}", host, {}),
        ("GET", f"/sessions?status={MARKER}&limit={MARKER}", api.admin, {}), ("GET", f"{one}/responses?contains={MARKER}", host, {}),
        ("GET", f"{one}/responses?participant_id={MARKER}", host, {}), ("PATCH", f"{one}?force={MARKER}", host, {"json": {}}),
        ("PATCH", f"{one}?{MARKER}=1", host, {"json": {}}), (MARKER.upper(), event.path, host, {}), ("PUT", f"/join?{MARKER}", None, {}),
        ("POST", "/join", None, {"json": {"nickname": f"{MARKER}\n", "code": MARKER}}),
        ("POST", "/join", None, {"json": {"nickname": "A", "code": MARKER}}),
        ("POST", "/join", None, {"json": {MARKER: {MARKER: [MARKER]}}}), ("POST", "/join", None, {"content": MARKER}),
        ("POST", "/seats/redeem", None, {"json": {"seat_token": MARKER}}),
        ("POST", f"{one}/transition", host, {"json": {"target_status": MARKER}}),
        ("POST", f"{one}/transition", host, {"json": {"target_status": "draft", "reason": MARKER}}),
        ("POST", f"{event.path}/activities", host, {"json": {"type": f"{MARKER} {MARKER}", "title": [MARKER], MARKER: MARKER}}),
        ("POST", f"{event.path}/show", host, {"json": {"activity_id": MARKER}}),
        ("POST", f"{event.path}/tokens", host, {"json": {"role": MARKER}}),
        ("POST", f"{one}/responses", seat, {"json": {"response_data": 1, MARKER: MARKER}}),
        ("POST", f"{one}/responses", seat, {"content": f'{{"{MARKER}":1,"{MARKER}":2}}', "headers": dict(JSON)}),
        ("POST", f"{one}/responses", seat, {"json": {}, "headers": {"idempotency-key": f"{MARKER} {MARKER}"}}),
        ("POST", f"{one}/responses", seat, {"content": "1", "headers": {"content-type": f"text/{MARKER}"}}),
        ("PATCH", event.path, host, {"json": {"title": "T"}, "headers": {"if-match": MARKER}}),
        ("GET", event.path, MARKER, {}), ("GET", event.path, f"{MARKER}.{MARKER}.{MARKER}", {}),
    ]  # fmt: skip
    for method, path, token, kwargs in requests:
        answer = await api.request(method, path, token=token, **kwargs)
        assert 400 <= answer.status_code < 500, (method, path, answer.text)
        assert MARKER.lower() not in (answer.text + str(answer.headers.raw)).lower(), (method, path)


@pytest.mark.in_process
@pytest.mark.catalogue("W-08")
async def test_a_path_takes_its_methods_and_names_them_to_others(api: Api) -> None:
    event = await make_event(api)
    ids = await all_ids(event, await event.join())
    methods = defaultdict(set)
    for route in walked(api.app.edge.routes):
        methods[filled(route, **ids)].add(route.method)
    for path, declared in methods.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - declared:
            answer = await api.http.request(method, path)
            refused(answer, 405, "method-not-allowed")
            assert answer.headers["allow"] == ", ".join(sorted(declared))


NOWHERE = [
    "/api", "/api/v1", "/api/v1/", "/api/v2/sessions", "/API/v1/sessions", "/api/v1/sessions/", "//api/v1/sessions", "/docs",
    "/redoc", "/openapi.json", "/api/v1/sessions/0", "/api/v1/sessions/-1", "/api/v1/sessions/1e3", "/api/v1/sessions/1.0",
    "/api/v1/sessions/9999999999999999",
    "/api/v1/sessions/%D9%A1", "/api/v1/sessions/1%20", "/api/v1/activities/1", "/api/v1/activities/" + "0" * 32,
    "/api/v1/%2e%2e/health/live",
    "/static/..%2f..%2fetc/passwd", "/api/v1/sessions/1/activities/active/status", "/api/v1/sessions/%FF",
]  # fmt: skip


@pytest.mark.catalogue("W-08")
async def test_an_address_that_does_not_exist_is_not_found(api: Api) -> None:
    for path in NOWHERE:
        for token in (None, api.admin):
            headers = {"authorization": f"Bearer {token}"} if token else {}
            refused(await api.http.get(path, headers=headers), 404, "not-found")


NO_TEXT = ["/sessions?status=%00", "/sessions?%00=1", "/sessions/%00", "/sessions/1%00", "/sessions/by-code/%00"]


@pytest.mark.catalogue("J-06")
async def test_nul_and_control_characters_are_no_text(api: Api) -> None:
    for path in NO_TEXT:
        refused(await api.get(path, token=api.admin), 400, "text-invalid")
        refused(await api.get(path.replace("%00", "%0A") if "?" not in path else path, token=api.admin), 400, "text-invalid")


@pytest.mark.catalogue("S-05")
async def test_numbers_in_a_query_are_bounded(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity()
    listed = f"{event.path}/activities/{poll['id']}/responses"
    for query in ("participant_id", "round", "limit", "offset"):
        for value in ("9" * 20, "9" * 400, "-1", "NaN", "1e3", "0x1", "1.5", "%D9%A1%D9%A2"):
            answer = await api.get(f"{listed}?{query}={value}", token=event.host)
            assert answer.status_code in {200, 422}, (query, value, answer.text)
    for query in ("participant_id=99999999999999999999", "round=99999999999999999999", "limit=1001", "offset=999999999999"):
        refused(await api.get(f"{listed}?{query}", token=event.host), 422, "invalid-input")


async def test_every_answer_carries_the_safe_headers(api: Api) -> None:
    event = await make_event(api)
    for path, token in ((event.path, event.host), (f"{event.path}/status", event.host), ("/nope", None), (event.path, None)):
        headers = (await api.get(path, token=token)).headers
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["cache-control"] in {"no-store", "private, no-cache"}


async def test_problems_link_to_their_request(api: Api) -> None:
    answer = await api.get("/nope")
    problem = refused(answer, 404, "not-found")
    assert problem["type"] == "/problems/not-found"
    assert problem["instance"] == "/requests/" + problem["request_id"]
    assert answer.headers["x-request-id"] == problem["request_id"]
