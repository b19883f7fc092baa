"""Limits of every route: correct callers, the draft's headers, and no limit for replays."""

import re
from collections.abc import AsyncIterator
from statistics import quantiles
from time import perf_counter
from typing import Any

import httpx2
import pytest

from conflicto.access.code_guard import ADDRESS_POLICY
from conflicto.access.roles import Role
from conflicto.app import App
from conflicto.platform.http.routes import Route
from conflicto.platform.limits.bucket import LimitScope
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, document_of, make_event
from tests.support.checks import accepted, alike, refused
from tests.support.clocks import HandClock, StoppedClock
from tests.support.walking import BODIES, filled, fitting_body, has, walked

KEY = {"idempotency-key": "a-phone-that-repeats-itself"}
OTHER_KEY = {"idempotency-key": "a-phone-that-goes-on-and-on"}


@pytest.fixture
def clock() -> HandClock:
    return StoppedClock()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limits": True})


@pytest.fixture
async def event(api: Api) -> Event:
    return await make_event(api)


def spent(app: App, path: str, method: str, subject: str) -> Route:
    """Drain the buckets of a route."""
    route = next(each for each in app.edge.routes if each.path.endswith(path) and each.method == method)
    app.platform.limiter.memory.drain(route.policy, "" if route.policy.scope is LimitScope.SERVER else subject)
    return route


def limited(answer: httpx2.Response, policy: Any) -> None:
    """Assert that a response refuses by a policy, with the draft's headers."""
    problem = refused(answer, 429, "too-many-requests")
    wait_s = int(answer.headers["retry-after"])
    assert wait_s >= 1
    assert problem["retry_after_s"] == wait_s
    assert answer.headers["ratelimit-policy"] == f'"{policy.name}";q={policy.quota};w={policy.window_s}'
    assert answer.headers["ratelimit"] == f'"{policy.name}";r=0;t={wait_s}'


async def test_every_route_spends_from_its_policy_and_declares_it(event: Event) -> None:
    api, app = event.api, event.api.app
    poll, seat = await event.activity(status="active", results_visibility="always", responses_visibility="participants"), None
    seat = await event.join()
    row = accepted(await event.answer(poll, seat, 1), 201)
    accepted(await api.post(f"{event.path}/overlay", {"overlay": "names"}, token=event.host))  # or screens may not read them
    callers = {Role.ADMIN: (api.admin, "admin"), Role.PARTICIPANT: (seat.token, str(seat.id))}
    for role, token in ((Role.HOST, event.host), (Role.SCREEN, event.screen)):
        callers[role] = token, app.domain.tokens.verify(token).caller.subject
    ids = {"session_id": event.id, "activity_id": poll["id"], "participant_id": seat.id, "response_id": row["id"], "link_id": row["id"],
           "code": event.code, "timestamp": "0", "type": "poll", "export_id": await event.exported()}  # fmt: skip
    free = set()
    for route in walked(app.edge.routes):
        token, subject = callers[max(route.roles - {Role.METRICS}, default=Role.PARTICIPANT)]
        query = f"?nickname=N&code={event.code}" if route.path.endswith("/nicknames/validate") else ""
        if route.method == "GET":
            first_response = await api.get(filled(route, **ids) + query, token=token if route.roles else None)
            assert first_response.is_success, (route.name, first_response.text)
            if "ratelimit-policy" not in first_response.headers:
                free.add(route.path)
                continue
            assert first_response.headers["ratelimit-policy"].startswith(f'"{route.policy.name}"')
            assert "ratelimit" not in first_response.headers
        app.platform.limiter.memory.drain(route.policy, "" if route.policy.scope is LimitScope.SERVER else subject)
        arguments = {"token": token if route.roles else None, "json": fitting_body(route)}
        limited(await api.request(route.method, filled(route, **ids) + query, **arguments), route.policy)
        app.platform.limiter.memory._evict(1e12)
    assert free == {"/health/live", "/health/ready"}


def test_document_declares_the_headers(app: App) -> None:
    document = document_of(app)
    for route in app.edge.routes:
        responses = document["paths"][route.path][route.method.lower()]["responses"]
        spends = bool(route.roles) or route.policy.scope is LimitScope.SERVER
        for status, response in responses.items():
            headers = set(response.get("headers", ()))
            if status == "429":
                assert headers >= {"Retry-After", "RateLimit", "RateLimit-Policy"}
            else:
                assert ("RateLimit-Policy" in headers) == (spends and int(status) < 400), (route.name, status)
            if status == "410" and "Link" in headers:
                assert has(route, "timestamp") or route.path.endswith("/events")


async def test_streams_are_limited_too(event: Event) -> None:
    subject = event.api.app.domain.tokens.verify(event.host).caller.subject
    route = spent(event.api.app, "/events", "GET", subject)
    for path in (
        lambda: event.api.get(f"{event.path}/events", token=event.host, headers={"accept": "text/event-stream"}),
        lambda: event.api.post(f"{event.path}/events/ticket", token=event.host),
    ):
        limited(await path(), route.policy)


def test_every_policy_has_one_name_and_one_meaning(app: App) -> None:
    policies = {each for route in app.edge.routes for each in (route.policy, *route.guesses)}
    assert len({policy.name for policy in policies}) == len(policies)
    for route in app.edge.routes:
        assert route.policy.scope is not LimitScope.ADDRESS, "a hall shares one address"
        assert not (route.roles and route.policy.scope is LimitScope.SERVER), "each token is counted separately"
        if route.method != "GET" and route.roles:
            assert route.policy.shared, route.name


async def test_repeated_answer_is_not_refused_by_a_limit(event: Event) -> None:
    poll, seat = await event.activity(status="active"), await event.join()
    first = accepted(await event.answer(poll, seat, 1, headers=KEY), 201)
    route = spent(event.api.app, "/responses", "POST", str(seat.id))

    assert accepted(await event.answer(poll, seat, 1, headers=KEY), 201) == first
    refused(await event.answer(poll, seat, 2, headers=KEY), 422, "key-reused")
    limited(await event.answer(poll, seat, 1, headers=OTHER_KEY), route.policy)
    limited(await event.answer(poll, seat, 1), route.policy)
    assert await event.move(poll, "expired")
    assert accepted(await event.answer(poll, seat, 1, headers=KEY), 201) == first


@pytest.mark.parametrize("path", ["/sessions", "/sessions/{session_id}/activities", "/sessions/{session_id}/join", "/join"])
async def test_a_created_object_is_returned_again_above_the_limit(event: Event, path: str) -> None:
    body = BODIES[f"POST {path}"]
    body = body | {"code": event.code} if "code" in body else body
    token = None if "join" in path else event.api.admin
    where = path.replace("{session_id}", str(event.id))
    first = accepted(await event.api.post(where, body, token, headers=KEY), 201)
    route = spent(event.api.app, path, "POST", "admin")

    again = accepted(await event.api.post(where, body, token, headers=KEY), 201)
    same = "participant_id" if "join" in path else "id"
    assert again[same] == first[same]
    limited(await event.api.post(where, body, token, headers=OTHER_KEY), route.policy)
    limited(await event.api.post(where, body, token), route.policy)


async def test_looking_for_repetitions_is_limited_as_well(event: Event) -> None:
    poll, seat = await event.activity(status="active"), await event.join()
    route = spent(event.api.app, "/responses", "POST", str(seat.id))
    looked = 0

    async def looking(call: Any) -> bool:
        nonlocal looked
        looked += 1
        return False

    object.__setattr__(route, "replays", looking)
    for number in range(70):
        limited(await event.answer(poll, seat, 1, headers={"idempotency-key": f"made-up-{number}"}), route.policy)
    assert looked == 60


async def test_who_fails_on_purpose_shuts_nobody_out(event: Event) -> None:
    """Only successful requests spend from the bucket of the whole server."""
    accepted(await event.api.get(f"/sessions/by-code/{event.code}"))
    door = spent(event.api.app, "/join", "POST", "")
    event.api.app.platform.limiter.refund(door.policy, "", 3)
    for number in range(200):
        wrong = {"nickname": "Mallory", "code": "BCDF" + "".join("BCDFGHJKLM"[int(digit)] for digit in f"{number:04}")}
        assert (await event.api.post("/join", wrong)).status_code in {404, 429}
        assert (await event.api.post("/join", {"nickname": "Mallory"})).status_code == 422
        assert (await event.api.post("/seats/redeem", {"seat_token": f"{number}"})).status_code in {404, 409, 410, 429}

    assert [(await event.join(name)).nickname for name in ("Anna", "Ben", "Clara")] == ["Anna", "Ben", "Clara"]
    limited(await event.api.post("/join", {"nickname": "David", "code": event.code}), door.policy)


@pytest.mark.catalogue("R-02", "S-04")
async def test_only_who_floods_is_refused(event: Event, clock: HandClock) -> None:
    """R-02: a flood does not affect a neighbour at the same address."""
    poll = await event.activity(status="active", response_policy="many")
    noisy, calm = await event.join("Noisy"), await event.join("Calm")
    statuses = []
    for second in range(2):
        statuses += [(await event.answer(poll, noisy, number)).status_code for number in range(100)]
        accepted(await event.answer(poll, calm, second), 201)
        clock.advance(1)

    assert (statuses.count(201), statuses.count(429)) == (122, 78)


@pytest.fixture
async def behind(settings: Settings, clock: HandClock) -> AsyncIterator[App]:
    """An app behind a proxy at 10.0.0.1."""
    proxied = settings.model_copy(update={"trusted_proxies": "10.0.0.1"})
    async with App(proxied, clock=clock).running() as running:
        yield running


async def misses(app: App, peer: str, headers: list[dict[str, str]]) -> int:
    """Return the number of wrong codes that are looked up for `peer` with these headers."""
    transport = httpx2.ASGITransport(app=app, client=(peer, 1234))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
        codes = [(await http.get(f"/api/v1/sessions/by-code/BCDFGH{'BCDFGHJKLM'[number // 10]}{'BCDFGHJKLM'[number % 10]}", headers=each))
                 for number, each in enumerate(headers)]  # fmt: skip
    return sum(each.status_code == 404 for each in codes)


LEFT = 60


def leave(app: App, *addresses: str) -> None:
    """Spend all failures except `LEFT` of some addresses."""
    for address in addresses:
        app.platform.limiter.memory.spend(ADDRESS_POLICY, address, ADDRESS_POLICY.quota - LEFT)


FORGED = [
    {"x-forwarded-for": "203.0.113.{n}"},
    {"x-real-ip": "203.0.113.{n}"},
    {"forwarded": "for=203.0.113.{n}"},
    {"x-forwarded-for": "::ffff:203.0.113.{n}", "x-real-ip": "203.0.113.{n}", "cf-connecting-ip": "203.0.113.{n}"},
]


@pytest.mark.catalogue("R-03")
@pytest.mark.in_process
@pytest.mark.parametrize("forged", FORGED)
async def test_made_up_addresses_count_as_the_one_they_came_from(behind: App, forged: dict[str, str]) -> None:
    """R-03."""
    leave(behind, "192.0.2.1")
    headers = [{name: value.format(n=number) for name, value in forged.items()} for number in range(80)]
    assert await misses(behind, "192.0.2.1", headers) == LEFT


@pytest.mark.catalogue("R-03")
@pytest.mark.in_process
async def test_behind_a_proxy_the_address_is_what_the_proxy_saw(behind: App) -> None:
    leave(behind, "198.51.100.7", "198.51.100.8", "")
    headers = [{"x-forwarded-for": f"203.0.113.{number}, 198.51.100.7"} for number in range(80)]
    assert await misses(behind, "10.0.0.1", headers) == LEFT
    assert await misses(behind, "10.0.0.1", [{"x-forwarded-for": "198.51.100.8"}] * 80) == LEFT
    assert await misses(behind, "10.0.0.1", [{"x-forwarded-for": "::ffff:198.51.100.8"}] * 80) == 0
    assert await misses(behind, "10.0.0.1", [{"x-forwarded-for": f"nonsense {number}"} for number in range(80)]) == LEFT


@pytest.mark.catalogue("R-03")
@pytest.mark.in_process
async def test_addresses_of_one_network_are_one(behind: App) -> None:
    leave(behind, "2001:db8:1:2::")
    headers = [{"x-forwarded-for": f"2001:db8:1:2::{number:x}"} for number in range(80)]
    assert await misses(behind, "10.0.0.1", headers) == LEFT
    assert await misses(behind, "10.0.0.1", [{"x-forwarded-for": "2001:db8:1:3::1"}] * 3) == 3


async def test_guessing_has_the_rate_limit_headers_of_the_draft_everywhere(event: Event) -> None:
    event.api.app.platform.limiter.memory.drain(ADDRESS_POLICY, "127.0.0.1")
    requests = [
        await event.api.get("/sessions/by-code/BCDFGHJK"),
        await event.api.post("/join", {"nickname": "N", "code": "BCDFGHJK"}),
        await event.api.get(f"{event.path}/nicknames/validate?nickname=N&code=BCDFGHJK"),
        await event.api.post("/seats/redeem", {"seat_token": "made up"}),
    ]
    for answer in requests:
        problem = refused(answer, 429, "too-many-guesses")
        assert re.fullmatch(r'"join-code-failures";r=0;t=\d+', answer.headers["ratelimit"])
        assert answer.headers["ratelimit-policy"] == '"join-code-failures";q=600;w=60'
        assert int(answer.headers["retry-after"]) == problem["retry_after_s"] >= 1


@pytest.mark.catalogue("E-03")
async def test_wrong_ended_and_deleted_codes_are_alike(event: Event) -> None:
    """E-03: the same body from every route that takes a code."""
    ended, deleted = await make_event(event.api), await make_event(event.api)
    accepted(await event.api.patch(ended.path, {"status": "completed"}, token=ended.host))
    accepted(await event.api.delete(deleted.path, token=deleted.host), 204)
    codes = ["BCDFGHJK", ended.code, deleted.code, "not a code"]
    for request in (
        lambda code: event.api.get(f"/sessions/by-code/{code}"),
        lambda code: event.api.post("/join", {"nickname": "N", "code": code}),
        lambda code: event.api.post(f"{event.path}/join", {"nickname": "N", "code": code}),
        lambda code: event.api.get(f"{event.path}/nicknames/validate?nickname=N&code={code}"),
    ):
        refusals = [await request(code) for code in codes]
        refused(refusals[0], 404, "code-unknown")
        assert [alike(refusals[0], each) for each in refusals] == [True] * len(codes)
        assert len({tuple(sorted(name for name in each.headers)) for each in refusals}) == 1


@pytest.mark.catalogue("E-03")
@pytest.mark.timed
async def test_wrong_and_ended_codes_take_alike_long(event: Event) -> None:
    """E-03: the middle halves of both kinds' times overlap."""
    accepted(await event.api.patch(event.path, {"status": "completed"}, token=event.host))
    took: dict[str, list[float]] = {"BCDFGHJK": [], event.code: []}
    for _ in range(200):
        for code, times in took.items():
            event.api.app.platform.limiter.memory._buckets.clear()
            began = perf_counter()
            await event.api.get(f"/sessions/by-code/{code}")
            times.append(perf_counter() - began)
    (one_low, one_high), (other_low, other_high) = (quantiles(times, n=4)[::2] for times in took.values())

    assert one_low < other_high
    assert other_low < one_high


async def test_a_known_seat_is_returned_again_though_the_address_is_refused(event: Event) -> None:
    body = {"nickname": "Anna", "code": event.code}
    seat = accepted(await event.api.post("/join", body, headers=KEY), 201)
    event.api.app.platform.limiter.memory.drain(ADDRESS_POLICY, "127.0.0.1")
    assert isinstance(await event.join("Ben"), Seat)
    event.api.app.domain.code_guard.used.clear()  # as after a restart

    assert accepted(await event.api.post("/join", body, headers=KEY), 201)["participant_id"] == seat["participant_id"]
    event.api.app.domain.code_guard.used.clear()
    refused(await event.api.post("/join", body | {"nickname": "Clara"}, headers=OTHER_KEY), 429, "too-many-guesses")
    refused(await event.api.post("/join", body | {"nickname": "Clara"}), 429, "too-many-guesses")
