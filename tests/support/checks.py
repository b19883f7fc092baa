"""Short assertions that most API tests share."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import msgspec

from tests.support.api import Event
from tests.support.patience import PATIENCE_S


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that a response is this problem, and return its document."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    return answer.json()


def accepted(answer: httpx2.Response, status: int = 200) -> Any:
    """Assert the status of a response, and return its body (None without one)."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def raw(answer: httpx2.Response, field: str) -> str:
    """Return a field of a response's body, byte for byte."""
    return bytes(msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])[field]).decode()


def alike(one: httpx2.Response, other: httpx2.Response) -> bool:
    """Return whether two problems differ only in their request ids."""
    own = ("request_id", "instance")
    bodies = [{name: value for name, value in answer.json().items() if name not in own} for answer in (one, other)]
    return one.status_code == other.status_code and bodies[0] == bodies[1]


async def eventually(check: Callable[[], Awaitable[Any]], within_s: float = PATIENCE_S) -> Any:
    """Return the first truthy result of `check`; fail after a timeout."""
    until = time.monotonic() + within_s
    while True:
        found = await check()
        if found:
            return found
        assert time.monotonic() < until, "the condition did not hold in time"
        await asyncio.sleep(0.02)


async def session_of(event: Event) -> dict[str, Any]:
    """Return the session as its host sees it now."""
    return accepted(await event.api.get(event.path, token=event.host))


async def activity_of(event: Event, activity: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    """Return the activity as its host (or the bearer of `token`) sees it now."""
    return accepted(await event.api.get(f"{event.path}/activities/{activity['id']}", token=token or event.host))


async def audit_of(event: Event) -> list[tuple[str, str | None, str]]:
    """Return the session's audit as (entity, from, to)."""
    lines = accepted(await event.api.get(f"{event.path}/transitions", token=event.host))["items"]
    return [(line["entity"], line["from_status"], line["to_status"]) for line in lines]
