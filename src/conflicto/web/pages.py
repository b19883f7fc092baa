"""Routes of the pages and their files. Everyone may open them, within one shared limit."""

from __future__ import annotations

import asyncio
import re
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from conflicto.platform.http.messages import IMMUTABLE, Header, Request, Response
from conflicto.platform.http.path_prefix import prefix_of
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.limits.bucket import LimitScope, Policy
from conflicto.platform.problems import NotFound
from conflicto.web.appearance import read_appearance
from conflicto.web.assets import Asset, AssetBundle
from conflicto.web.page_renderer import PageRenderer, deferred_text_files
from conflicto.web.request import accepts_gzip, query_fields
from conflicto.web.view_frames import FrameHeaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from conflicto.activity_types.model import ActivityType
    from conflicto.web.kept_builds import KeptBuilds
    from conflicto.web.session_types import SessionTypeFiles

    Headers = tuple[Header, ...]

PAGES = Policy("pages", 60_000, 60, scope=LimitScope.SERVER)
"""Limit of pages and files together: thousands at once, and 1,000 a second."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{image_origins}; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types conflicto"
)
"""Allow own files only, no evaluated text and no frames. The trusted type is the worker's URL."""

WORKER = "worker.js"
"""The service worker. It is served at the root, so that its scope holds all pages."""

SECURITY_HEADERS: Headers = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)
"""Security headers of a page beside its policy. Files do not need them."""
VARY_ENCODING: Header = (b"vary", b"Accept-Encoding")
"""Header of both forms of a file, so that shared caches keep them apart."""

REVALIDATE: Headers = ((b"cache-control", b"no-cache"), (b"vary", b"Accept-Encoding, Accept-Language, Cookie"))

PAGE_PATHS = {
    "/": "participant",
    "/j/{code}": "participant",
    "/p/{session_id:int}": "participant",
    "/host": "home",
    "/host/s/{session_id:int}": "control",
    "/host/s/{session_id:int}/report": "report",
    "/screen/{session_id:int}": "screen",
}
"""Pages by path. No page depends on the parameters, so none reveals what exists."""

SHOWS_ACTIVITIES = frozenset({"participant", "control", "report", "screen"})
"""Pages that show views of activity types. Only they may contain frames."""

MAX_CODE_LENGTH = 32
CODE_LENGTHS = range(6, 13)
"""Lengths of texts that are treated as a code, typing errors included."""

_ALIAS_SUFFIXES = ("", "/", "/{code}", "/{code}/")
JOIN_ALIASES = (
    *("/j", "/j/", "/j/{code}/", "/join/", "/join/{code}", "/join/{code}/", "/{code}", "/{code}/"),
    *(f"/{name}{below}" for name in ("J", "Join", "JOIN") for below in _ALIAS_SUFFIXES),
)
"""Other paths of the join page that people type or phones capitalise."""

HOST_ALIASES = ("/host/", *(f"/{name}{below}" for name in ("Host", "HOST") for below in ("", "/")))
"""Other paths of the hosts' page."""

_NOT_IN_CODE = re.compile(r"[^A-Za-z]")
_CODE_CANDIDATE = re.compile(r"[A-Za-z0-9 _-]{0,32}")


class Pages:
    """Handlers of pages and files.

    Pages and files are made on first use, or by `prepare`, which a server calls before it is ready.
    """

    def __init__(
        self,
        public_url: str = "",
        types: Sequence[ActivityType] = (),
        image_origins: Sequence[str] = (),
        retention_days: int = 0,
        *,
        server: str = "",
        kept_builds: KeptBuilds | None = None,
        session_types: SessionTypeFiles | None = None,
    ) -> None:
        """Pages of a server.

        `session_types` are the files of types for one session, None if hosts may install none.
        """
        self._policy = CONTENT_SECURITY_POLICY.format(image_origins="".join(f" {origin}" for origin in image_origins))
        self._security_headers: Headers = ((b"content-security-policy", self._policy.encode()), *SECURITY_HEADERS)
        self._public_url = public_url
        self._prefix = prefix_of(public_url)
        self._server = server
        self._kept_builds = kept_builds
        self._session_types = session_types
        self._types = tuple(types)
        self._image_origins = tuple(image_origins)
        self._retention_days = retention_days

    @cached_property
    def _assets(self) -> AssetBundle:
        return AssetBundle(self._types, texts=deferred_text_files(), prefix=self._prefix)

    @cached_property
    def _frames(self) -> FrameHeaders:
        return FrameHeaders(self._public_url, self._prefix, self._types, has_session_types=self._session_types is not None)

    @cached_property
    def _renderer(self) -> PageRenderer:
        return PageRenderer(
            self._assets,
            self._public_url,
            self._types,
            self._image_origins,
            retention_days=self._retention_days,
            server=self._server,
            installs_types=self._session_types is not None,
        )

    def prepare(self) -> None:
        """Read and compress the files and store them, so that no request waits for it."""
        _ = self._renderer
        if self._kept_builds is not None:
            self._kept_builds.keep(self._assets.build, self._assets.files)

    async def page(self, name: str, request: Request) -> Response:
        """Return a page in the wanted appearance.

        Raises:
            NotFound: the length of the code is not possible.
            InvalidInput: the query is too long.
        """
        if len(request.params.get("code", "?")) not in range(1, MAX_CODE_LENGTH + 1):
            raise NotFound
        appearance, cookies = read_appearance(request, self._prefix)
        policy = (b"content-security-policy", f"{self._policy}{self._frame_source(name, request)}".encode())
        return _response(request, self._renderer.render(name, appearance), (policy, *SECURITY_HEADERS, *REVALIDATE, *cookies))

    def _frame_source(self, name: str, request: Request) -> str:
        return self._frames.frame_source(self._assets.build, request) if name in SHOWS_ACTIVITIES else ""

    async def redirect_to_code(self, request: Request) -> Response:
        """Redirect the join form, which works without scripts, to the path with the code."""
        code = query_fields(request.query_string, {"code"}).get("code", "")
        letters = _NOT_IN_CODE.sub("", code)[:MAX_CODE_LENGTH]
        location = f"/j/{quote(letters)}" if letters else "/"
        return Response(303, headers=(*self._security_headers, (b"location", location.encode())))

    async def redirect_to_join(self, request: Request) -> Response:
        """Redirect a typed path to the join page, with the code if there is one.

        Raises:
            NotFound: the text cannot be a code.
        """
        code = request.params.get("code", "")
        if code and (not _CODE_CANDIDATE.fullmatch(code) or len(_NOT_IN_CODE.sub("", code)) not in CODE_LENGTHS):
            raise NotFound
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        location = f"/j/{quote(code, safe='')}{query}" if code else f"/{query}"
        return Response(303, headers=(*self._security_headers, (b"location", location.encode())))

    async def redirect_to_host(self, request: Request) -> Response:
        """Redirect a typed path to the hosts' page."""
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        return Response(303, headers=(*self._security_headers, (b"location", f"/host{query}".encode())))

    async def file(self, request: Request) -> Response:
        """Return a file of this or of an earlier build, which caches may keep for ever.

        Raises:
            NotFound: no such build is kept. Pages trust this only in the server's own problem
                document.
        """
        build, name = request.params["build"], request.params["name"]
        is_newest = build == self._assets.build
        found = self._assets.files.get(name) if is_newest else await self._earlier_file(build, name)
        if found is None and self._session_types is not None:
            found = await self._session_types.find(name)
        if found is None:
            raise NotFound
        further = () if is_newest else (self._newest_build,)
        return _response(request, found, (IMMUTABLE, VARY_ENCODING, *further, *self._frames.of_file(build, name, request)))

    def file_problem_headers(self, params: Mapping[str, Any]) -> Headers:
        """Return the headers of a problem at the path of a file."""
        return self._frames.of_shared_file(params["name"])

    async def _earlier_file(self, build: str, name: str) -> Asset | None:
        kept = self._kept_builds
        return None if kept is None else await asyncio.to_thread(kept.find, build, name)

    @cached_property
    def _newest_build(self) -> Header:
        """Return the header by which an open page learns that there is a newer build."""
        return (b"conflicto-build", self._assets.build.encode())

    async def worker(self, request: Request) -> Response:
        """Return the service worker, which serves pages without a connection."""
        return _response(
            request, self._assets.files[WORKER], (*self._security_headers, (b"cache-control", b"no-cache"), VARY_ENCODING)
        )

    async def icon(self, request: Request) -> Response:
        """Return no icon: it is in the page."""
        return Response(204, headers=(*self._security_headers, IMMUTABLE))


def _response(request: Request, found: Asset, headers: Headers) -> Response:
    kind: Header = (b"content-type", found.media_type.encode())
    if accepts_gzip(request.headers):
        return Response(200, found.gzipped, (*headers, kind, (b"content-encoding", b"gzip")))
    return Response(200, found.body, (*headers, kind))


def routes(pages: Pages, *, anyone: frozenset[Any]) -> list[Route]:
    """Return the routes of pages. `anyone` is the set of no roles; OpenAPI omits these routes."""

    def page(path: str, handler: Callable[[Request], Awaitable[Response]], **more: Any) -> Route:  # noqa: ANN401 - Route's fields
        return route("GET", path, handler, prefix="", roles=anyone, policy=PAGES, tag="pages", is_page=True,
                     docs=Docs(summary="For browsers"), **more)  # fmt: skip

    return [
        *(page(path, partial(pages.page, name)) for path, name in PAGE_PATHS.items()),
        page("/join", pages.redirect_to_code),
        *(page(path, pages.redirect_to_join) for path in JOIN_ALIASES),
        *(page(path, pages.redirect_to_host) for path in HOST_ALIASES),
        page("/s/{build}/{name:path}", pages.file, problem_headers=pages.file_problem_headers),
        page("/sw.js", pages.worker),
        page("/favicon.ico", pages.icon),
    ]
