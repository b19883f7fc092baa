"""Routes: declarations of the API's routes, and the table that matches requests.

A route cannot be created without its roles, so routes are denied by default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conflicto.platform.problems import DomainError, Kind, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel

    from conflicto.platform.http.messages import Request, Response
    from conflicto.platform.limits.bucket import Policy
    from conflicto.platform.strict_json import JsonLimits

PREFIX = "/api/v1"

MAX_PATH_CHARS = 2048

MAX_CACHED_PATHS = 20_000
"""Number of cached matches, about 1 KB each. When full, the cache is cleared."""

MAX_CACHED_PATH_CHARS = 200
"""Longest path that is cached; all paths of the API are shorter. Only ASCII paths are cached."""

_INTEGER = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)


class TextInvalid(DomainError):
    """NUL and bytes that are not UTF-8 are not allowed in a path or query."""

    code = "text-invalid"
    title = "The path or query holds characters that cannot be text"
    kind = Kind.MALFORMED


class MethodNotAllowed(DomainError):
    """The path exists with other methods; `Allow` lists them."""

    code = "method-not-allowed"
    title = "This path does not accept this method"
    kind = Kind.NOT_ALLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Docs:
    """Description of a route in the OpenAPI document.

    - `summary`: one line.
    - `request`, `responses`: models of the request body, and of response bodies by status.
    - `problems`: problems that the route itself may return.
    - `files`: schema members and an example of each media type other than JSON.
    - `events`: an example of its event stream.
    - `headers`, `response_headers`: documented headers of requests and responses.
    - `min_key_chars`: shortest idempotency key.
    """

    summary: str
    request: type[BaseModel] | None = None
    responses: Mapping[int, type[BaseModel] | None] = field(default_factory=dict)
    query: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    problems: tuple[type[DomainError], ...] = ()
    example: Any = None
    files: Mapping[str, tuple[Mapping[str, str], str | None]] = field(default_factory=dict)
    events: str = ""
    response_headers: tuple[str, ...] = ()
    min_key_chars: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the API.

    - `roles`: the roles that may use it; an empty set allows everyone, without a token.
    - `handler`: the data-plane function; None for routes that the control plane's framework runs.
    - `policy`: the rate-limit policy of its requests.
    - `guesses`: further policies that a wrong code or secret spends from.
    - `replays`: whether a request repeats an answered one by its idempotency key. No limit refuses
      it.
    - `shows_presence`: a request counts as presence of its caller.
    - `takes_ticket`: `?ticket=` may replace the token, because browsers cannot send one.
    - `is_page`: a page for browsers, or one of its files.
    """

    method: str
    path: str
    roles: frozenset[Any]
    policy: Policy
    docs: Docs
    endpoint: Callable[..., Awaitable[Response]]
    handler: Callable[[Request], Awaitable[Response]] | None = None
    body: JsonLimits | None = None
    tag: str = ""
    takes_ticket: bool = False
    is_page: bool = False
    guesses: tuple[Policy, ...] = ()
    replays: Callable[[Request], Awaitable[bool]] | None = None
    shows_presence: bool = True

    @property
    def name(self) -> str:
        """`METHOD /template`: the label in metrics and logs, and the scope of idempotency keys."""
        return f"{self.method} {self.path}"


def control(method: str, path: str, endpoint: Callable[..., Awaitable[Response]], **declared: Any) -> Route:  # noqa: ANN401 - Route's fields
    """Return a control-plane route: the framework calls its endpoint with validated arguments.

    `path` is relative to the API prefix.
    """
    return Route(method=method, path=PREFIX + path, endpoint=endpoint, **declared)


def data(method: str, path: str, handler: Callable[[Request], Awaitable[Response]], **declared: Any) -> Route:  # noqa: ANN401 - Route's fields
    """Return a data-plane route: the pipeline calls its handler directly.

    `path` is relative to the API prefix.
    """
    return Route(method=method, path=PREFIX + path, endpoint=handler, handler=handler, **declared)


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    param: tuple[str, Callable[[str], Any]] | None = None
    child: _Node | None = None
    rest: tuple[str, _Node] | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class RouteTable:
    """Tree of path segments that finds the route of a request.

    A fixed segment takes precedence over a parameter. `{name:path}` matches all remaining segments.
    """

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self._root = _Node()
        self._cache: dict[tuple[str, str], tuple[Route, dict[str, Any]]] = {}
        for route in routes:
            self._add(route)

    def match(self, method: str, path: str) -> tuple[Route, dict[str, Any]]:
        """Return the route and its parsed parameters. Matches are cached, so do not change them.

        Raises:
            NotFound: no route has this path, or a parameter is no valid id.
            MethodNotAllowed: the path has routes, but not for this method.
        """
        found = self._cache.get((method, path))
        if found is None:
            found = self._walk(method, path)
            if len(path) <= MAX_CACHED_PATH_CHARS and path.isascii():
                if len(self._cache) >= MAX_CACHED_PATHS:
                    self._cache.clear()
                self._cache[method, path] = found
        return found

    def _walk(self, method: str, path: str) -> tuple[Route, dict[str, Any]]:
        _require_text(path)
        node: _Node | None = self._root
        params: dict[str, Any] = {}
        segments = path.split("/")
        for nth, segment in enumerate(segments[1:], 1):
            if node is None:
                break
            if node.rest is not None:
                name, node = node.rest
                params[name] = "/".join(segments[nth:])
                break
            child = node.fixed.get(segment)
            if child is None and node.param is not None:
                name, parse = node.param
                params[name] = parse(segment)
                child = node.child
            node = child
        if node is None or not node.routes:
            raise NotFound
        route = node.routes.get(method) or (node.routes.get("GET") if method == "HEAD" else None)
        if route is None:
            raise MethodNotAllowed(extensions={"allowed": sorted(node.routes)})
        return route, params

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.path.split("/")[1:]:
            if segment.endswith(":path}"):
                node.rest = node.rest or (segment[1:].removesuffix(":path}"), _Node())
                node = node.rest[1]
            elif segment.startswith("{"):
                name = segment.strip("{}")
                node.param = node.param or (name, _parser(name))
                node.child = node.child or _Node()
                node = node.child
            else:
                node = node.fixed.setdefault(segment, _Node())
        if route.method in node.routes:
            message = f"{route.name} is declared twice"
            raise ValueError(message)
        node.routes[route.method] = route


def _require_text(path: str) -> None:
    if len(path) > MAX_PATH_CHARS or not path.isprintable():
        raise TextInvalid


def _parser(name: str) -> Callable[[str], Any]:
    if name in {"session_id", "participant_id"}:
        return _integer
    if name == "type":
        return _name
    return _uuid if name.endswith("_id") else str


def _name(segment: str) -> str:
    if not segment:
        raise NotFound
    return segment


def _integer(segment: str) -> int:
    if not _INTEGER.fullmatch(segment):
        raise NotFound
    return int(segment)


def _uuid(segment: str) -> UUID:
    if not _UUID.fullmatch(segment):
        raise NotFound
    return UUID(segment)
