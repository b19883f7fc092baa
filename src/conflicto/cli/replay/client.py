"""HTTP client for a running server: retries on 429, 503 and lost connections."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

MAX_ATTEMPTS = 8
MAX_PAUSE_S = 30.0
FIRST_PAUSE_S = 0.1
REQUEST_TIMEOUT_S = 20.0
"""More than the server's own 8 s for a write, so that its problem arrives first."""

BUSY_STATUSES = frozenset({429, 503})


class RequestFailed(Exception):
    """The server refused, or did not answer; the text is `title: detail`."""


class Server:
    """One server's API over a fixed number of connections. `retries` counts repeated requests.

    Each connection is a client of its own. One pool of 64 searches all of them for each request,
    and was a third slower (measured).
    """

    def __init__(self, clients: Iterable[httpx2.AsyncClient]) -> None:
        self._idle = list(clients)
        self.connections = len(self._idle)
        self.retries = 0

    async def check_reachable(self) -> None:
        """Check once that a server answers.

        Raises:
            RequestFailed: it does not.
        """
        try:
            await self._idle[-1].get("/health/live")
        except httpx2.TransportError as error:
            raise _unreachable(error) from error

    async def send(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = None, key: str | None = None
    ) -> bytes:
        """Return the body of a successful response.

        At most `connections` calls may run at once. 429 and 503 are retried after their
        Retry-After. A lost connection is retried only for reads and for requests with an
        idempotency key.

        Raises:
            RequestFailed: any other response, or `MAX_ATTEMPTS` were not enough.
        """
        http = self._idle.pop()
        try:
            return await self._send_with_retries(
                http.build_request(method, f"/api/v1{path}", content=body, headers=_headers(body, token, key)), http
            )
        finally:
            self._idle.append(http)

    async def _send_with_retries(self, request: httpx2.Request, http: httpx2.AsyncClient) -> bytes:
        repeatable = request.method == "GET" or "idempotency-key" in request.headers
        last: httpx2.Response | httpx2.TransportError | None = None
        for attempt in range(MAX_ATTEMPTS):
            if last is not None:
                self.retries += 1
                await asyncio.sleep(_pause_s(last, attempt))
            try:
                last = await http.send(request)
            except httpx2.TransportError as error:
                if not repeatable:
                    raise _unreachable(error) from error
                last = error
                continue
            if last.is_success:
                return last.content
            if last.status_code not in BUSY_STATUSES:
                break
        raise _unreachable(last) if isinstance(last, httpx2.TransportError) else _explain(last)

    async def send_json(
        self, method: str, path: str, body: Mapping[str, Any], *, token: str, key: str | None = None
    ) -> dict[str, Any]:
        """Send and return JSON objects; raises as `send` does."""
        result: dict[str, Any] = msgspec.json.decode(await self.send(method, path, msgspec.json.encode(body), token=token, key=key))
        return result


@asynccontextmanager
async def open_server(url: str, connections: int) -> AsyncIterator[Server]:
    """Yield the server at `url` over `connections` persistent connections."""
    tls = ssl.create_default_context()
    one = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
    async with AsyncExitStack() as stack:
        clients = [
            httpx2.AsyncClient(base_url=url.rstrip("/"), limits=one, timeout=REQUEST_TIMEOUT_S, trust_env=False, verify=tls)
            for _ in range(connections)
        ]
        for client in clients:
            await stack.enter_async_context(client)
        yield Server(clients)


def _headers(body: bytes | None, token: str | None, key: str | None) -> dict[str, str]:
    headers = {} if body is None else {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if key is not None:
        headers["idempotency-key"] = key
    return headers


def _pause_s(last: httpx2.Response | httpx2.TransportError, attempt: int) -> float:
    """Return the pause before a retry: the server's Retry-After, or twice as long each time."""
    retry_after = last.headers.get("retry-after", "") if isinstance(last, httpx2.Response) else ""
    return min(float(retry_after) if retry_after.isdecimal() else FIRST_PAUSE_S * 2 ** (attempt - 1), MAX_PAUSE_S)


def _unreachable(error: Exception) -> RequestFailed:
    return RequestFailed(f"The server does not answer: {str(error) or type(error).__name__}.")


def _explain(response: httpx2.Response | None) -> RequestFailed:
    """Return a problem document as one line, with the invalid fields."""
    if response is None:
        raise AssertionError
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return RequestFailed(
            f"The server refuses: HTTP {response.status_code} at {response.request.method} {response.request.url.path}."
        )
    fields = "".join(f" {each['pointer']} {each['message']}." for each in problem.get("errors", ()))
    parts = [problem.get("title"), problem.get("detail")]
    return RequestFailed(": ".join(dict.fromkeys(str(each) for each in parts if each)) + fields)
