"""Valid requests to every route, as bytes: the mutator's seeds.

Placeholders such as `@host@` stand for values that only a running app has.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conflicto.access.roles import Role
from conflicto.platform.http.routes import Route
from tests.support.shapes import SHAPES
from tests.support.walking import filled, fitting_body

Headers = tuple[tuple[bytes, bytes], ...]

TOKENS = {Role.ADMIN: b"@admin@", Role.HOST: b"@host@", Role.SCREEN: b"@screen@", Role.PARTICIPANT: b"@seat@"}
PATHS = {
    "session_id": "@session@", "activity_id": "@activity@", "participant_id": "@participant@", "response_id": "@response@",
    "code": "@code@", "timestamp": "0", "type": "poll", "link_id": "@link@", "export_id": "@export@",
}  # fmt: skip
QUERIES = {
    "limit": "2", "offset": "1", "wait": "0", "status": "active", "force": "true", "responses": "delete", "round": "1",
    "participant_id": "@participant@", "contains": "%7B%22a%22:1%7D", "nickname": "Bo", "code": "@code@", "since": "0",
    "ticket": "@ticket@",
}  # fmt: skip
COUNTED = {
    "votes": {"path": "/a", "op": "count"}, "sum": {"path": "/n", "op": "number"}, "said": {"path": "", "op": "words"},
    "order": {"path": "", "op": "rank"}, "ups": {"path": "/a", "op": "votes"}, "score": {"path": "/a", "op": "score", "key": "/a"},
}  # fmt: skip
PAGES = (b"/", b"/j/BCDFGHJK", b"/p/1", b"/host", b"/host/s/@session@", b"/screen/@session@", b"/join?code=BCDF", b"/s/0/sdk/v1.js",
         b"/favicon.ico", b"/?lang=de")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A request; its body comes in chunks of `piece` bytes, or in one if `piece` is 0."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes = b""
    piece: int = 0

    def filled(self, names: dict[bytes, bytes]) -> "Case":
        """Replace placeholders by their values."""

        def put(text: bytes) -> bytes:
            if b"@" in text:
                for name, value in names.items():
                    text = text.replace(name, value)
            return text

        headers = tuple((put(name), put(value)) for name, value in self.headers)
        return Case(put(self.method), put(self.target), headers, put(self.body), self.piece)

    def wire(self) -> bytes:
        """Return the request as bytes for a socket.

        Adds a content length unless a header concerns it already.
        """
        names = {name.lower() for name, _ in self.headers}
        length = ((b"content-length", b"%d" % len(self.body)),) if self.body and not names & LENGTHS else ()
        lines = [b"%b: %b" % header for header in (*self.headers, *length)]
        return b"\r\n".join([self.method + b" " + self.target + b" HTTP/1.1", *lines]) + b"\r\n\r\n" + self.body


LENGTHS = {b"content-length", b"transfer-encoding"}


def seeds(routes: list[Route]) -> list[Case]:
    """Return valid requests to all routes, in all of their roles.

    Destructive ones have their own event.
    """
    found = [Case(b"GET", page, ((b"host", b"test"),)) for page in PAGES]
    for route in routes:
        for token in [TOKENS[role] for role in sorted(route.roles & TOKENS.keys())] or [None]:
            found += [_case(route, token, target, body) for target in _targets(route) for body in _bodies(route)]
    return found


def _case(route: Route, token: bytes | None, target: bytes, body: bytes) -> Case:
    headers: list[tuple[bytes, bytes]] = [(b"host", b"test")]
    if token:
        headers.append((b"authorization", b"Bearer " + token))
    if body:
        headers.append((b"content-type", b"application/json"))
    case = Case(route.method.encode(), target, tuple(headers), body)
    return _at_victim(case) if route.method == "DELETE" or target.endswith(b"/reset") else case


def _at_victim(case: Case) -> Case:
    names = {
        name: b"@victim_" + name[1:]
        for name in (b"@session@", b"@activity@", b"@participant@", b"@response@", b"@link@", b"@export@", b"@host@", b"@seat@")
    }
    return case.filled(names)


def _targets(route: Route) -> Iterator[bytes]:
    path = filled(route, **PATHS)
    model = route.query
    known = [name for name in (model.model_fields if model else ()) if name in QUERIES and name != "ticket"]
    yield (path + "?" + "&".join(f"{name}={QUERIES[name]}" for name in known) if known else path).encode()
    if known:
        yield path.encode()


def _bodies(route: Route) -> Iterator[bytes]:
    body = fitting_body(route)
    if body is None:
        yield b""
        return
    if isinstance(body, dict) and "code" in body:
        body = {**body, "code": "@code@"}
    yield json.dumps(body).encode()
    yield from (text.encode() for text in _richer(route.name.rpartition("/")[2], route.method, body))


def _richer(last: str, method: str, body: dict[str, Any]) -> Iterator[str]:
    if "response_data" in body:
        yield from (f'{{"response_data":{shape}}}' for shape in SHAPES.values())
    elif last == "activities" or (body.get("type") == "lunch" and method == "PUT"):
        yield from (f'{{"type":"lunch","config":{shape},"secret":{shape}}}' for shape in list(SHAPES.values())[:6])
        yield json.dumps({"type": "lunch", "title": "T", "config": {}, "aggregate": COUNTED, "response_policy": "many",
                          "moderation": "before", "duration_seconds": 60, "anonymous": True, "order_index": 1})  # fmt: skip
    elif last == "validate":
        yield json.dumps({"config": {"options": [{"id": "a", "text": "A"}]}, "secret": None, "response_data": {"choice": "a"}})
