"""Authority: operations of the operator alone, and the links that carry the roles of a session."""

import asyncio
from datetime import datetime
from typing import Any

import httpx2
import jwt
import pytest

from conflicto.access import links as module
from conflicto.sessions import links as commands
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, audit_of, eventually, refused
from tests.support.clocks import HandClock
from tests.support.wire import listening, streamed

DAY_S = 86_400


async def made(event: Event, scope: str, token: str | None = None, **fields: Any) -> Any:
    return accepted(await event.api.post(f"{event.path}/links", {"scope": scope, **fields}, token=token or event.host), 201)


async def listed(event: Event, token: str | None = None) -> dict[str, Any]:
    found = accepted(await event.api.get(f"{event.path}/links", token=token or event.host))
    assert found["total"] == len(found["items"])
    return {item["id"]: item for item in found["items"]}


async def status(event: Event, token: str) -> httpx2.Response:
    return await event.api.get(f"{event.path}/status", token=token)


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


async def test_only_the_operator_creates_sessions_and_hosts_read_a_remedy(api: Api) -> None:
    event = await make_event(api)
    for token in (event.host, event.screen, (await event.join()).token):
        for path in (f"{event.path}/duplicate", "/sessions"):
            problem = refused(await api.post(path, {"title": "Mine"}, token=token), 403, "operator-only")
            assert "operator" in problem["detail"]
            assert "/host" in problem["detail"]
    assert accepted(await api.get("/sessions", token=api.admin))["total"] == 1


async def test_a_session_begins_with_the_owners_link_and_the_screens(api: Api) -> None:
    event = await make_event(api)

    links = await listed(event)

    assert [(each["scope"], each["name"], each["creator"], each["revoked_at"]) for each in links.values()] == [
        ("owner", "", "admin", None),
        ("screen", "", "admin", None),
    ]
    assert [claims_of(token)["jti"] for token in (event.host, event.screen)] == list(links)
    assert [each["is_own"] for each in links.values()] == [True, False]
    for token in (event.screen, (await event.join()).token):
        refused(await api.get(f"{event.path}/links", token=token), 403, "role-not-allowed")


async def test_links_are_named_listed_and_revoked_one_by_one(api: Api) -> None:
    event = await make_event(api)
    one, two = await made(event, "host", name="Second host"), await made(event, "screen", name="Stage left")
    assert (one["scope"], one["name"], one["creator"], one["is_own"]) == (
        "host",
        "Second host",
        claims_of(event.host)["sub"],
        False,
    )
    path = f"{event.path}/links/{two['id']}"
    assert accepted(await api.patch(path, {"name": "Stage right"}, token=one["token"]))["name"] == "Stage right"
    assert all([(await status(event, token)).status_code == 200 for token in (one["token"], two["token"])])

    accepted(await api.delete(path, token=one["token"]), 204)

    refused(await status(event, two["token"]), 401, "token-invalid")
    assert [(await status(event, token)).status_code for token in (event.host, event.screen, one["token"])] == [200] * 3
    links = await listed(event)
    assert [each["revoked_at"] is not None for each in links.values()] == [False, False, False, True]
    assert "token" not in links[one["id"]]
    accepted(await api.delete(path, token=event.host), 204)
    assert (await audit_of(event))[-3:] == [
        ("link", None, "link-made"),
        ("link", None, "link-made"),
        ("link", None, "link-revoked"),
    ]


async def test_no_other_host_touches_the_owners_link(api: Api) -> None:
    event = await make_event(api)
    own = f"{event.path}/links/{claims_of(event.host)['jti']}"
    cohost = (await made(event, "host"))["token"]

    refused(await api.delete(own, token=cohost), 403, "owner-only")
    refused(await api.patch(own, {"name": "Mine"}, token=cohost), 403, "owner-only")
    refused(await api.post(f"{event.path}/links", {"scope": "owner"}, token=cohost), 403, "owner-only")
    pair = accepted(await api.delete(f"{event.path}/tokens", token=cohost))

    for dead in (cohost, event.screen):
        refused(await status(event, dead), 401, "token-invalid")
    for alive in (event.host, pair["host_token"], pair["screen_token"]):
        assert (await status(event, alive)).status_code == 200
    refused(await api.delete(own, token=pair["host_token"]), 403, "owner-only")
    accepted(await api.patch(own, {"name": "Me"}, token=event.host))
    accepted(await api.delete(own, token=api.admin), 204)
    refused(await status(event, event.host), 401, "token-invalid")


@pytest.mark.parametrize("by_operator", [True, False])
async def test_the_owner_and_the_operator_replace_everything(api: Api, by_operator: bool) -> None:
    event = await make_event(api)
    tokens = [(await made(event, scope))["token"] for scope in ("owner", "host", "screen")]

    pair = accepted(await api.delete(f"{event.path}/tokens", token=api.admin if by_operator else tokens[0]))

    for dead in (event.host, event.screen, *tokens):
        refused(await status(event, dead), 401, "token-invalid")
    links = await listed(event, pair["host_token"])
    assert [each["scope"] for each in links.values()] == ["owner", "screen"]
    assert [claims_of(pair[f"{role}_token"])["jti"] for role in ("host", "screen")] == list(links)


async def waits_are(api: Api, wanted: int) -> bool:
    return api.app.edge.long_poll.waiting == wanted


async def test_a_revoked_link_ends_its_streams_and_waits_at_once_and_no_others(api: Api) -> None:
    event = await make_event(api)
    doomed, kept = await made(event, "host"), await made(event, "host")
    async with (
        listening(api.app) as port,
        streamed(port, f"{event.path}/events", doomed["token"]) as ended,
        streamed(port, f"{event.path}/events", kept["token"]) as open_still,
    ):
        tag = (await status(event, doomed["token"])).headers["etag"]
        waits = api.get(f"{event.path}/status?wait=20", doomed["token"], headers={"if-none-match": tag})
        waiting = asyncio.create_task(waits)
        await eventually(lambda: waits_are(api, 1))
        accepted(await api.delete(f"{event.path}/links/{doomed['id']}", token=event.host), 204)

        refused(await waiting, 401, "token-invalid")
        await ended.to_end()
        accepted(await api.post(f"{event.path}/lock", token=event.host))
        await open_still.until(1)
    ticket = await api.post(f"{event.path}/events/ticket", token=doomed["token"])
    refused(ticket, 401, "token-invalid")


async def test_a_ticket_dies_with_the_link_that_it_came_from(api: Api) -> None:
    event = await make_event(api)
    link = await made(event, "host")
    tickets = [accepted(await api.post(f"{event.path}/events/ticket", token=token), 201) for token in (link["token"], api.admin)]
    accepted(await api.delete(f"{event.path}/links/{link['id']}", token=event.host), 204)

    refused(await api.get(f"{event.path}/events?ticket={tickets[0]['ticket']}"), 401, "token-invalid")


@pytest.mark.in_process
async def test_a_link_expires_as_declared_and_no_renewal_outlives_it(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    ends = "2099-01-01T00:00:00.000000Z"
    longest = await made(event, "host", expires_at=ends)
    assert longest["expires_at"] < ends
    refused(
        await api.post(f"{event.path}/links", {"scope": "host", "expires_at": "2020-01-01T00:00:00Z"}, token=event.host),
        422,
        "invalid-input",
    )
    token, days = longest["token"], 0
    while (answer := await api.get(event.path, token=token)).status_code == 200:
        token = answer.headers.get("renewed-token", token)
        clock.advance(DAY_S)
        days += 1
    refused(answer, 401, "token-invalid")
    assert days == 180


def seconds_of(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


@pytest.mark.in_process
async def test_a_seat_ends_as_many_days_after_joining_whoever_holds_it(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    seat = accepted(await api.post("/join", {"nickname": "Anna", "code": event.code}), 201)
    token, end = seat["participant_token"], claims_of(seat["participant_token"])["end"]
    joined_s = seconds_of(accepted(await api.get("/participants/me", token=token))["created_at"])
    for _ in range(20):
        clock.advance(5 * DAY_S)
        token = (await api.get("/participants/me", token=token)).headers.get("renewed-token", token)
    link = accepted(await api.post("/participants/me/seat-link", token=token), 201)["seat_token"]

    moved = accepted(await api.post("/seats/redeem", {"seat_token": link}))["participant_token"]

    assert claims_of(token)["end"] == claims_of(moved)["end"] == end
    assert end - joined_s == 180 * DAY_S


async def test_a_session_holds_a_bounded_number_of_links(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_LINKS_PER_SESSION", 4)
    assert module.MAX_LINKS_PER_SESSION == 200
    event = await make_event(api)
    for _ in range(2):
        link = await made(event, "host")
        accepted(await api.delete(f"{event.path}/links/{link['id']}", token=event.host), 204)
    for path, body in (("links", {"scope": "screen"}), ("tokens", {"role": "screen"})):
        refused(await api.post(f"{event.path}/{path}", body, token=event.host), 409, "too-many-links")

    monkeypatch.setattr(commands, "PRUNED_AFTER_S", -10)
    await made(event, "host")
    assert len(await listed(event)) == 3


@pytest.mark.parametrize(
    "body",
    [{}, {"scope": "reader"}, {"scope": "host", "name": "x" * 101}, {"scope": "host", "name": None}, {"scope": "host", "x": 1}],
)
async def test_a_link_that_does_not_fit_is_refused(api: Api, body: dict[str, Any]) -> None:
    event = await make_event(api)
    refused(await api.post(f"{event.path}/links", body, token=event.host), 422, "invalid-input")
    assert len(await listed(event)) == 2


async def test_links_of_other_sessions_are_unknown(api: Api) -> None:
    one, other = await make_event(api), await make_event(api)
    link = await made(other, "host")
    for method, body in (("PATCH", {"json": {"name": "x"}}), ("DELETE", {})):
        for link_id in (link["id"], "nothing"):
            refused(await api.request(method, f"{one.path}/links/{link_id}", token=one.host, **body), 404, "not-found")
    assert (await status(other, link["token"])).status_code == 200


async def test_a_repeated_request_for_a_session_returns_its_links_and_recreates_missing_ones(api: Api) -> None:
    key = {"idempotency-key": "made-once"}
    first = accepted(await api.post("/sessions", {"title": "T"}, token=api.admin, headers=key), 201)
    event = Event(api, first["id"], first["join_code"], first["host_token"], first["screen_token"])

    again = accepted(await api.post("/sessions", {"title": "T"}, token=api.admin, headers=key), 201)

    assert claims_of(again["host_token"])["jti"] == claims_of(event.host)["jti"]
    assert len(await listed(event)) == 2
    accepted(await api.delete(f"{event.path}/links/{claims_of(event.host)['jti']}", token=event.host), 204)
    third = accepted(await api.post("/sessions", {"title": "T"}, token=api.admin, headers=key), 201)
    assert claims_of(third["host_token"])["jti"] != claims_of(event.host)["jti"]
    assert (await status(event, third["host_token"])).status_code == 200
    refused(await status(event, event.host), 401, "token-invalid")
