"""An app that compares each cached response with the slow path's response.

Tests through it verify that both are equal.
"""

from typing import Any

from conflicto.app import App
from conflicto.platform.response_cache.cached_response import NOT_MODIFIED, VARIANT_STATUS

OWN = {b"x-request-id", b"renewed-token"}
"""Headers of the slow path alone: a request id, and a new token for one past half of its life."""

Message = dict[str, Any]


class Audited:
    """An ASGI application that counts its comparisons.

    `app.platform.limiter` must be off, since a comparison sends the request twice.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.compared = 0

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        given: list[Message] = []

        async def keep(message: Message) -> None:
            given.append(message)

        before = self._moment(scope)
        if not await self._send_cached(scope, keep):
            await self.app(scope, receive, send)
            return
        whole: list[Message] = []

        async def keep_whole(message: Message) -> None:
            whole.append(message)

        await self.app.edge.http(dict(scope), receive, keep_whole)
        if self._moment(scope) == before:
            self.compared += 1
            assert _content(given) == _content(whole), (scope["path"], _content(given), _content(whole))
        for message in given:
            await send(message)

    async def _send_cached(self, scope: Message, send: Any) -> bool:
        """Send the response of the fast path to a plain poll. Return whether there is one."""
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        found = self.app.edge.fast_path.parse(target, scope["headers"]) if scope["method"] == "GET" else None
        if found is None:
            return False
        poll, response = found
        variant = response.select_variant(poll.if_none_match)
        response.tally.counts[variant] += 1
        await send({"type": "http.response.start", "status": VARIANT_STATUS[variant], "headers": response.headers[variant]})
        await send({"type": "http.response.body", "body": b"" if variant == NOT_MODIFIED else response.body})
        return True

    def _moment(self, scope: Message) -> Any:
        """Return the state of the session that the response was built from."""
        session = next((part for part in scope["path"].split("/") if part.isdecimal()), "0")
        head = self.app.domain.sessions.cached(int(session))
        return None if head is None else (id(head), head.position)


def _content(messages: list[Message]) -> Any:
    start, *rest = messages
    headers = sorted(header for header in start["headers"] if header[0] not in OWN)
    return start["status"], headers, b"".join(message["body"] for message in rest)
