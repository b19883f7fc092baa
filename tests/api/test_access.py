from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from conflicto.access import roles
from conflicto.access.roles import ANYONE, Role
from conflicto.platform.http.routes import Route
from tests.support.api import METRICS_TOKEN, Api, Event, Seat, document_of, make_event
from tests.support.checks import accepted, activity_of, alike, refused, session_of
from tests.support.clocks import HandClock
from tests.support.walking import UNKNOWN_FIELD, filled, fitting_body, has, walked

MISSING_SESSION, MISSING_PARTICIPANT = 281_474_976_710_001, 281_474_976_710_002
MISSING_ID = "00000000-0000-4000-8000-000000000000"
MATRIX = Path(__file__).parents[2] / "build/authorisation.md"
MONTH_S = 31 * 86_400
INSIDE = {200, 201, 204, 422}
"""Statuses of accepted callers: success, or a body that does not fit."""

PUBLIC = {
    "GET /health/live", "GET /health/ready", "GET /api/v1/openapi.json", "POST /api/v1/join", "POST /api/v1/seats/redeem",
    "POST /api/v1/sessions/{session_id}/join", "GET /api/v1/sessions/{session_id}/nicknames/validate",
    "GET /api/v1/sessions/by-code/{code}", "GET /api/v1/activity-types", "GET /api/v1/activity-types/{type}",
    "POST /api/v1/activity-types/{type}/validate", "GET /problems/{code}", "GET /.well-known/jwks.json",
}  # fmt: skip
"""Routes that may be called without a token; another one here is a decision."""


@dataclass
class AccessFixture:
    """Two events, each with an activity, two seats and a response."""

    event: Event
    activity: dict[str, Any]
    seats: list[Seat]
    answer: dict[str, Any]
    link: str
    export: str

    @classmethod
    async def make(cls, api: Api) -> "AccessFixture":
        event = await make_event(api)
        seen = {"results_visibility": "always", "responses_visibility": "participants"}
        activity = await event.activity(status="active", moderation="after", duration_seconds=3600, **seen)
        seats = [await event.join(name) for name in ("Anna", "Bert")]
        answers = [accepted(await event.answer(activity, seat, 1), 201) for seat in seats]
        accepted(await api.post(f"{event.path}/overlay", {"overlay": "names"}, token=event.host))  # opens participant lists
        link = accepted(await api.post(f"{event.path}/links", {"scope": "screen"}, token=event.host), 201)["id"]
        return cls(event, activity, seats, answers[0], link, await event.exported())

    @property
    def ids(self) -> dict[str, Any]:
        return {
            "session_id": self.event.id, "activity_id": self.activity["id"], "participant_id": self.seats[0].id,
            "response_id": self.answer["id"], "link_id": self.link, "export_id": self.export, "code": self.event.code, "timestamp": "0",
            "type": "poll",
        }  # fmt: skip

    async def state(self) -> list[Any]:
        """Return the state that a host can read, without fields that change with time."""
        paths = (
            "",
            "/activities",
            "/participants",
            "/transitions",
            "/links",
            "/status",
            f"/activities/{self.activity['id']}/responses",
        )
        reads = [accepted(await self.event.api.get(self.event.path + path, token=self.event.api.admin)) for path in paths]
        for person in reads[2]["items"]:
            person.pop("presence")
        return reads


@dataclass
class TokenCase:
    name: str
    token: str | None
    role: Role | None = None
    session_id: int | None = None
    participant_id: int | None = None


def callers(own: AccessFixture, other: AccessFixture, clock: HandClock, dead: dict[str, str]) -> Iterator[TokenCase]:
    yield from (TokenCase("none", None), TokenCase("garbage", "garbage"), TokenCase("garbage jwt", "a.b.c"))
    yield from (TokenCase(name, token) for name, token in dead.items())
    tokens = own.event.api.app.domain.tokens
    clock.advance(-MONTH_S)
    for role, subject in ((Role.HOST, None), (Role.SCREEN, None), (Role.PARTICIPANT, str(own.seats[0].id))):
        version = 1 if subject else 2
        yield TokenCase(f"expired {role}", tokens.mint(role, own.event.id, version=version, subject=subject))
    clock.advance(MONTH_S)
    bearer = roles.Caller(Role.HOST, "host-x", own.event.id)
    ticket = tokens.mint_ticket(bearer, own.event.id, version=2, until_s=tokens.max_expiry_s(bearer))
    yield TokenCase("wrong audience", ticket)
    yield TokenCase("admin", own.event.api.admin, Role.ADMIN)
    yield TokenCase("metrics", METRICS_TOKEN, Role.METRICS)
    for whose, world in (("own", own), ("other", other)):
        yield TokenCase(f"host {whose}", world.event.host, Role.HOST, world.event.id)
        yield TokenCase(f"screen {whose}", world.event.screen, Role.SCREEN, world.event.id)
        yield TokenCase(f"participant {whose}", world.seats[0].token, Role.PARTICIPANT, world.event.id, world.seats[0].id)


@dataclass
class Aim:
    """The target of a URL: a session, and objects of the session `home`."""

    name: str
    session_id: int
    home: int
    participant_id: int
    ids: dict[str, Any]


def aims(route: Route, own: AccessFixture, other: AccessFixture) -> Iterator[Aim]:
    """Yield own, foreign and missing targets of a URL.

    Includes objects of other sessions below the caller's own session.
    """
    named = (
        {"own": own.event.id, "other": other.event.id, "no": MISSING_SESSION} if has(route, "session_id") else {"": own.event.id}
    )
    for name, session_id in named.items():
        ids = own.ids | {"session_id": session_id}
        yield Aim(f"{name} session".strip(), session_id, own.event.id, own.seats[0].id, ids)
    if any(has(route, each) for each in ("activity_id", "response_id", "participant_id", "export_id")):
        ids = other.ids | {"session_id": own.event.id}
        yield Aim("another's object", own.event.id, other.event.id, other.seats[0].id, ids)


def expected(route: Route, caller: TokenCase, aim: Aim) -> set[int]:
    """Return the statuses that the declared roles and the rules of the contract allow.

    401: invalid or missing token, 403: wrong role, 404: foreign or missing object; else accepted.
    """
    if route.roles == ANYONE:
        return INSIDE | {404}
    if caller.role is None:
        return {401}
    return found(route, caller, aim) if caller.role in route.roles else {403}


def found(route: Route, caller: TokenCase, aim: Aim) -> set[int]:
    unlike_me = caller.role is Role.PARTICIPANT and caller.participant_id != aim.participant_id
    if has(route, "participant_id") and unlike_me:
        return {404}
    if has(route, "session_id") and not (
        caller.session_id == aim.session_id if caller.session_id else aim.session_id != MISSING_SESSION
    ):
        return {404}
    object_named = any(has(route, each) for each in ("activity_id", "participant_id", "export_id"))
    session_id = aim.session_id if has(route, "session_id") else caller.session_id
    if object_named and session_id not in {None, aim.home}:
        return {404} if route.method == "GET" else {404, 422}
    return INSIDE


async def knock(api: Api, route: Route, path: str, token: str | None) -> httpx2.Response:
    body = {} if route.method == "GET" else {"json": UNKNOWN_FIELD}
    return await api.request(route.method, path, token=token, **body)


async def test_every_route_declares_who_may_call_it(api: Api) -> None:
    assert {route.name for route in api.app.edge.routes if route.roles == ANYONE} <= PUBLIC
    for route in api.app.edge.routes:
        assert isinstance(route.roles, frozenset)
        assert route.roles <= frozenset(Role)
        documented = document_of(api.app)["paths"][route.path][route.method.lower()]
        assert documented["x-roles"] == (sorted(route.roles) or ["anyone"])


@pytest.mark.catalogue("A-01", "A-02", "A-05")
async def test_access_is_exactly_as_declared(api: Api, clock: HandClock) -> None:
    own, other = await AccessFixture.make(api), await AccessFixture.make(api)
    gone = await own.event.join("Gone")
    dead = {"rotated": own.event.host, "kicked": gone.token}
    pair = accepted(await api.delete(f"{own.event.path}/tokens", token=own.event.host))
    own.event.host, own.event.screen = pair["host_token"], pair["screen_token"]
    accepted(await api.delete(f"/participants/{gone.id}", token=own.event.host), 204)
    everyone = list(callers(own, other, clock, dead))
    api.app.domain.tokens._verified.clear()
    before = [await world.state() for world in (own, other)]

    wrong, requests, table = [], 0, dict[str, list[str]]()
    for route in walked(api.app.edge.routes):
        for aim in aims(route, own, other):
            for caller in everyone:
                answer = await knock(api, route, filled(route, **aim.ids), caller.token)
                requests += 1
                table.setdefault(f"{route.name} ({aim.name})", []).append(str(answer.status_code))
                if answer.status_code not in expected(route, caller, aim):
                    wrong.append((route.name, caller.name, aim.name, answer.status_code, answer.text[:100]))

    print_matrix([caller.name for caller in everyone], table)
    assert wrong == []
    assert requests >= 1500
    assert [await world.state() for world in (own, other)] == before


def print_matrix(callers: list[str], table: dict[str, list[str]]) -> None:
    """Store the statuses of all callers in a file for readers.

    422 counts as access: the body fits no route.
    """
    lines = [["Route", *callers], ["---"] * (len(callers) + 1), *([f"`{row}`", *statuses] for row, statuses in table.items())]
    MATRIX.parent.mkdir(exist_ok=True)
    MATRIX.write_text("# Who was answered what\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines), encoding="utf-8")


@pytest.mark.catalogue("A-02")
async def test_foreign_and_missing_objects_are_alike_for_everyone(api: Api) -> None:
    own, other = await AccessFixture.make(api), await AccessFixture.make(api)
    before = await other.state()
    anna = own.seats[0]
    tokens = {Role.ADMIN: api.admin, Role.HOST: own.event.host, Role.SCREEN: own.event.screen, Role.PARTICIPANT: anna.token}
    missing = {"activity_id": MISSING_ID, "participant_id": MISSING_PARTICIPANT, "response_id": MISSING_ID}

    wrong, requests = [], 0
    for route in walked(api.app.edge.routes):
        names = [name for name in missing if has(route, name)]
        for role in [role for role in route.roles if names and (role is not Role.ADMIN or has(route, "session_id"))]:
            body = fitting_body(route)
            for name in names:
                foreign = filled(route, **own.ids | {name: other.ids[name]})
                unknown = filled(route, **own.ids | {name: missing[name]})
                answers = [
                    await api.request(route.method, path, token=tokens[role], **({} if body is None else {"json": body}))
                    for path in (foreign, unknown)
                ]
                requests += 1
                if answers[1].json().get("code") != "not-found" or not alike(*answers):
                    wrong.append((route.name, role, name, answers[0].text[:120], answers[1].text[:120]))

    assert wrong == []
    assert requests >= 50
    assert await other.state() == before


@pytest.mark.catalogue("A-01")
async def test_a_neighbour_in_the_same_session_is_a_stranger(api: Api) -> None:
    own = await AccessFixture.make(api)
    anna, bert = own.seats
    before = await own.state()
    theirs = filled_answer(own, MISSING_ID)
    for method, body in (("GET", None), ("PUT", {"response_data": 2}), ("DELETE", None)):
        kwargs = {} if body is None else {"json": body}
        missing = await api.request(method, theirs, token=bert.token, **kwargs)
        refused(missing, 404, "not-found")
        assert alike(await api.request(method, filled_answer(own, own.answer["id"]), token=bert.token, **kwargs), missing)
    for method, path in (("POST", f"/participants/{anna.id}/heartbeat"), ("DELETE", f"/participants/{anna.id}")):
        refused(await api.request(method, path, token=bert.token), 404, "not-found")
    refused(await api.patch(f"/participants/{anna.id}", {"nickname": "X"}, token=bert.token), 404, "not-found")
    assert await own.state() == before


def filled_answer(world: AccessFixture, response_id: str) -> str:
    return f"{world.event.path}/activities/{world.activity['id']}/responses/{response_id}"


@pytest.mark.catalogue("A-02")
async def test_answers_belong_to_their_activity(api: Api) -> None:
    own = await AccessFixture.make(api)
    second = await own.event.activity()
    path = f"{own.event.path}/activities/{second['id']}/responses/{own.answer['id']}"
    for method in ("GET", "DELETE"):
        refused(await api.request(method, path, token=own.event.host), 404, "not-found")
    refused(await api.patch(path, {"moderation": "hidden"}, token=own.event.host), 404, "not-found")


@pytest.mark.catalogue("A-03")
async def test_no_body_query_or_header_changes_the_caller(api: Api) -> None:
    own = await AccessFixture.make(api)
    anna, bert = own.seats
    path = f"{own.event.path}/activities/{own.activity['id']}/responses"
    for claim in (
        {"participant_id": bert.id},
        {"role": "host"},
        {"is_host": True},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"round": 9},
    ):
        refused(await api.post(path, {"response_data": 2, **claim}, token=anna.token), 422, "invalid-input")
    spoofed = {"x-participant-id": str(bert.id), "x-role": "host", "x-forwarded-user": "admin"}
    answer = await api.post(f"{path}?participant_id={bert.id}", {"response_data": 2}, token=anna.token, headers=spoofed)
    refused(answer, 422, "invalid-input")
    sent = accepted(await api.post(path, {"response_data": 2}, token=anna.token, headers=spoofed))
    assert sent["participant_id"] == anna.id
    refused(await api.get(path, token=anna.token, headers=spoofed), 403, "role-not-allowed")


@pytest.mark.in_process
@pytest.mark.catalogue("A-11")
async def test_only_a_bearer_header_carries_a_token(api: Api) -> None:
    event = await make_event(api)
    for token in (event.host, api.admin):
        for header in ("", "Bearer", "Bearer ", "Basic {}", "Token {}", "{}", "Bearer {} {}", "Bearer {},x", "Bearer\t{}x"):
            answer = await api.get(event.path, headers={"authorization": header.format(token, token)})
            refused(answer, 401, "token-invalid")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for query in ("access_token", "token", "authorization"):
            refused(await api.get(f"{event.path}?{query}={token}"), 401, "token-missing")
        refused(await api.get(event.path, headers={"cookie": f"token={token}"}), 401, "token-missing")
        accepted(await api.get(event.path, headers={"authorization": f"bEaReR  {token}"}))


async def test_the_token_of_the_metrics_opens_the_metrics_alone(api: Api) -> None:
    event = await make_event(api)
    assert (await api.get("/metrics", token=METRICS_TOKEN)).status_code == 200
    refused(await api.get("/sessions", token=METRICS_TOKEN), 403, "operator-only")
    for path in (event.path, f"{event.path}/status", f"{event.path}/changes/since/0"):
        refused(await api.get(path, token=METRICS_TOKEN), 403, "role-not-allowed")
    refused(await api.get("/metrics", token=event.host), 403, "operator-only")
    for wrong in (METRICS_TOKEN[:-1], METRICS_TOKEN + "x"):
        refused(await api.get("/metrics", token=wrong), 401, "token-invalid")


@pytest.mark.in_process
async def test_the_operators_token_is_compared_whole(api: Api) -> None:
    for wrong in (api.admin[:-1], api.admin + "x", api.admin.upper(), "é" * 20, ""):
        header = {"authorization": f"Bearer {wrong}".encode()}
        refused(await api.get("/sessions", headers=header), 401, "token-invalid")
    accepted(await api.get("/sessions", token=api.admin))


@pytest.mark.catalogue("A-05")
async def test_a_refused_caller_changes_nothing(api: Api) -> None:
    own = await AccessFixture.make(api)
    before = await session_of(own.event), await activity_of(own.event, own.activity)
    for token in (own.event.screen, own.seats[0].token, None):
        for method, path, body in (
            ("DELETE", own.event.path, None),
            ("PATCH", own.event.path, {"title": "Mine"}),
            ("POST", f"{own.event.path}/activities/{own.activity['id']}/reveal", {"results": True}),
            ("POST", f"{own.event.path}/activities/{own.activity['id']}/reset", None),
            ("DELETE", f"{own.event.path}/tokens", None),
        ):
            answer = await api.request(method, path, token=token, **({} if body is None else {"json": body}))
            refused(answer, *((403, "role-not-allowed") if token else (401, "token-missing")))
    assert (await session_of(own.event), await activity_of(own.event, own.activity)) == before
