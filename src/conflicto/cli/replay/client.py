"""Requests to a running server: asked again when it says so, never for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTEMPTS = 8
LONGEST_PAUSE_S = 30.0
FIRST_PAUSE_S = 0.2
REQUEST_TIMEOUT_S = 20.0
"""Above the server's own 8 s for a write, so that its reason arrives before ours."""

BUSY = frozenset({429, 503})


class Refused(Exception):
    """The server said no, or nothing at all; the text is `title: detail`."""


class Server:
    """One server's API. `retries` counts the requests that had to be sent again."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.retries = 0

    async def send(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = None, key: str | None = None
    ) -> bytes:
        """Return the body of a success.

        429 and 503 are honoured with their Retry-After; a lost connection is tried again only where a repetition does no harm: a read,
        or a request with an idempotency key.

        Raises:
            Refused: any other answer, or `ATTEMPTS` were not enough.
        """
        repeatable = key is not None or method == "GET"
        last: httpx2.Response | httpx2.TransportError | None = None
        for attempt in range(ATTEMPTS):
            if last is not None:
                self.retries += 1
                await asyncio.sleep(_pause_s(last, attempt))
            try:
                last = await self._http.request(method, f"/api/v1{path}", content=body, headers=_headers(body, token, key))
            except httpx2.TransportError as error:
                if not repeatable:
                    raise _unreachable(error) from error
                last = error
                continue
            if last.is_success:
                return last.content
            if last.status_code not in BUSY:
                break
        raise _unreachable(last) if isinstance(last, httpx2.TransportError) else _refusal(last)

    async def send_json(
        self, method: str, path: str, body: Mapping[str, Any], *, token: str, key: str | None = None
    ) -> dict[str, Any]:
        """Send and return JSON objects; raises as `send` does."""
        answer: dict[str, Any] = msgspec.json.decode(await self.send(method, path, msgspec.json.encode(body), token=token, key=key))
        return answer


def connect(url: str, connections: int) -> httpx2.AsyncClient:
    """Return a client with at most `connections` connections, all of which stay open."""
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx2.AsyncClient(base_url=url.rstrip("/"), limits=limits, timeout=REQUEST_TIMEOUT_S, trust_env=False)


def _headers(body: bytes | None, token: str | None, key: str | None) -> dict[str, str]:
    headers = {} if body is None else {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if key is not None:
        headers["idempotency-key"] = key
    return headers


def _pause_s(last: httpx2.Response | httpx2.TransportError, attempt: int) -> float:
    """Return how long to wait: what the server asked for, or twice as long each time."""
    asked = last.headers.get("retry-after", "") if isinstance(last, httpx2.Response) else ""
    return min(float(asked) if asked.isdecimal() else FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)


def _unreachable(error: Exception) -> Refused:
    return Refused(f"The server does not answer: {error or type(error).__name__}.")


def _refusal(answer: httpx2.Response | None) -> Refused:
    """Return the problem document of an answer in one line, with the fields at fault."""
    if answer is None:
        raise AssertionError
    try:
        problem = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return Refused(f"The server refuses: HTTP {answer.status_code} at {answer.request.method} {answer.request.url.path}.")
    fields = "".join(f" {each['pointer']} {each['message']}." for each in problem.get("errors", ()))
    return Refused(f"{problem.get('title')}: {problem.get('detail')}{fields}")
