"""Keys of QR-code links: visible to hosts and screens, accepted as codes, and never limited."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from conflicto.access.code_guard import ADDRESS_POLICY, SERVER_POLICY
from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, alike, refused

Endpoint = Callable[[Event, str, dict[str, str]], Awaitable[httpx2.Response]]

ENDPOINTS: dict[str, Endpoint] = {
    "by-code": lambda event, code, headers: event.api.get(f"/sessions/by-code/{code}", headers=headers),
    "join": lambda event, code, headers: event.api.post("/join", {"nickname": "Anna", "code": code}, headers=headers),
    "join here": lambda event, code, headers: event.api.post(
        f"{event.path}/join", {"nickname": "Ben", "code": code}, headers=headers
    ),
    "name": lambda event, code, headers: event.api.get(f"{event.path}/nicknames/validate?nickname=N&code={code}", headers=headers),
}
"""All forms of a code."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limits": True})


@pytest.fixture
async def event(api: Api) -> Event:
    return await make_event(api)


async def key_of(event: Event) -> str:
    return accepted(await event.api.get(event.path, event.screen))["link_key"]


def guessed(app: App) -> None:
    """Spend all failures of the address and of the server."""
    app.platform.limiter.memory.drain(ADDRESS_POLICY, "127.0.0.1")
    app.platform.limiter.memory.drain(SERVER_POLICY, "")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_link_passes_when_no_more_codes_may_be_tried(event: Event, endpoint: str) -> None:
    key = await key_of(event)
    guessed(event.api.app)
    refused(await ENDPOINTS[endpoint](event, event.code, {}), 429, "too-many-guesses")

    assert (await ENDPOINTS[endpoint](event, event.code, {"link-key": key})).is_success
    assert (await ENDPOINTS[endpoint](event, event.code.lower().replace("-", " "), {"link-key": key})).status_code in {200, 409}
    assert (await ENDPOINTS["by-code"](event, event.code, {})).is_success, "the code was used from this address"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_wrong_key_is_a_miss_like_a_wrong_code(event: Event, endpoint: str) -> None:
    other = await make_event(event.api)
    began_s, before = (
        event.api.app.platform.clock.monotonic_s(),
        event.api.app.platform.limiter.memory.spend(ADDRESS_POLICY, "127.0.0.1", 0).remaining,
    )
    wrong = await ENDPOINTS[endpoint](event, "BBBBBBBB", {})
    for key in (await key_of(other), "x", (await key_of(event))[:-1], "%00", "x" * 4_000):
        assert alike(wrong, await ENDPOINTS[endpoint](event, event.code, {"link-key": key}))
    refused(wrong, 404, "code-unknown")
    left = event.api.app.platform.limiter.memory.spend(ADDRESS_POLICY, "127.0.0.1", 0).remaining
    given_back = (event.api.app.platform.clock.monotonic_s() - began_s) / ADDRESS_POLICY.interval_s
    assert left <= before - 6 + 1 + given_back

    assert (await ENDPOINTS[endpoint](event, event.code, {})).is_success, "an older link without a key is a typed code"
    assert (await ENDPOINTS[endpoint](event, event.code, {"link-key": ""})).status_code in {200, 409}


async def test_key_changes_with_the_code(event: Event) -> None:
    old_code, old_key = event.code, await key_of(event)
    renewed = accepted(await event.api.post(f"{event.path}/join-code", token=event.host))
    assert renewed["link_key"] != old_key

    refused(await ENDPOINTS["by-code"](event, renewed["join_code"], {"link-key": old_key}), 404, "code-unknown")
    refused(await ENDPOINTS["by-code"](event, old_code, {"link-key": old_key}), 404, "code-unknown")
    assert (
        accepted(await ENDPOINTS["by-code"](event, renewed["join_code"], {"link-key": renewed["link_key"]}))["session_id"]
        == event.id
    )


async def test_hosts_and_screens_read_the_key_everywhere_and_participants_nowhere(event: Event) -> None:
    seat = await event.join()
    made = accepted(await event.api.post("/sessions", {"title": "New"}, event.api.admin), 201)
    key = await key_of(event)
    assert re.fullmatch(r"[\w-]{12}", made["link_key"])

    async def read(path: str, token: str) -> Any:
        return (await event.api.get(path, token)).text

    for token in (event.host, event.screen, event.api.admin):
        assert key in await read(event.path, token)
    for token in (event.host, event.screen):
        assert key in await read(f"{event.path}/changes/since/0", token)
    assert key in await read("/sessions", event.api.admin)
    for path in (event.path, f"{event.path}/changes/since/0", "/participants/me", f"{event.path}/status"):
        answer = await event.api.get(path, seat.token)
        assert answer.is_success
        assert key not in answer.text
        assert "link_key" not in answer.text


async def test_page_from_memory_and_from_the_database_hold_the_same_key(event: Event) -> None:
    key = await key_of(event)
    first = accepted(await event.api.get(f"{event.path}/changes/since/0", event.host))
    event.api.app.domain.sessions.reset()
    again = accepted(await event.api.get(f"{event.path}/changes/since/0", event.host))
    assert [page["items"][0]["data"]["link_key"] for page in (first, again)] == [key, key]


async def test_repeated_join_with_its_key_is_answered_after_the_code_was_renewed(event: Event) -> None:
    body, headers = (
        {"nickname": "Anna", "code": event.code},
        {"idempotency-key": "a-phone-that-repeats", "link-key": await key_of(event)},
    )
    seat = accepted(await event.api.post("/join", body, headers=headers), 201)
    accepted(await event.api.post(f"{event.path}/join-code", token=event.host))
    guessed(event.api.app)

    assert accepted(await event.api.post("/join", body, headers=headers), 201)["participant_id"] == seat["participant_id"]
    headers.pop("link-key")
    assert accepted(await event.api.post("/join", body, headers=headers), 201)["participant_id"] == seat["participant_id"]
