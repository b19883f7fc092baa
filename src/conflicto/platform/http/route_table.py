"""Table of routes, which matches requests by method and path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conflicto.platform.problems import DomainError, Kind, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.http.routes import Route

MAX_PATH_CHARS = 2048

MAX_CACHED_PATHS = 20_000
"""Number of cached matches, about 1 KB each. When full, the cache is cleared."""

MAX_CACHED_PATH_CHARS = 200
"""Longest path that is cached; all paths of the API are shorter. Only ASCII paths are cached."""


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


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    parameter: tuple[str, Callable[[str], Any]] | None = None
    child: _Node | None = None
    rest: tuple[str, _Node] | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class RouteTable:
    """Tree of path segments that finds the route of a request.

    A fixed segment takes precedence over a parameter. `{rest:path}` matches all remaining segments.
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
        for depth, segment in enumerate(segments[1:], 1):
            if node is None:
                break
            if node.rest is not None:
                name, node = node.rest
                params[name] = "/".join(segments[depth:])
                break
            child = node.fixed.get(segment)
            if child is None and node.parameter is not None:
                name, parse = node.parameter
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
            name = segment.strip("{}").partition(":")[0]
            kind = route.path_parameters.get(name) if segment.startswith("{") else None
            if kind is None:
                node = node.fixed.setdefault(segment, _Node())
            elif kind.spans_segments:
                node.rest = node.rest or (name, _Node())
                node = node.rest[1]
            else:
                node.parameter = node.parameter or (name, kind.parse)
                node.child = node.child or _Node()
                node = node.child
        if route.method in node.routes:
            message = f"{route.name} is declared twice"
            raise ValueError(message)
        node.routes[route.method] = route


def _require_text(path: str) -> None:
    if len(path) > MAX_PATH_CHARS or not path.isprintable():
        raise TextInvalid
