"""The pages and the files that they consist of, as routes of the front door: anyone may open them, all out of one limit."""

from __future__ import annotations

import re
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from conflicto.platform.http.messages import FOR_EVER, Header, Request, Response
from conflicto.platform.http.prefix import prefix_of
from conflicto.platform.http.routes import Docs, Route
from conflicto.platform.limits.bucket import Per, Policy
from conflicto.platform.problems import NotFound
from conflicto.web.asking import query_fields, takes_gzip
from conflicto.web.assets import Asset, Assets
from conflicto.web.looks import looks_of
from conflicto.web.shells import Shells, words_for_later

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from conflicto.activity_types.model import ActivityType

    Headers = tuple[Header, ...]

PAGES = Policy("pages", 60_000, 60, per=Per.SERVER)
"""Pages and files of everyone together: a hall of thousands that opens them at once, and a thousand a second on end."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{pictures}; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types conflicto"
)
"""Nothing but our own files, no text that becomes code, and nobody may frame us; what is trusted is the address of our worker."""

WORKER = "worker.js"
"""Served at the root, or it could not look after the pages there."""

SAFE: Headers = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)
"""Headers of a page beside its policy; they do nothing on a style sheet or a module."""
VARY_PACKED: Header = (b"vary", b"Accept-Encoding")
"""Of both forms of a file: a cache between phones and us may keep one of them for everybody otherwise."""

ASK_FIRST: Headers = ((b"cache-control", b"no-cache"), (b"vary", b"Accept-Encoding, Accept-Language, Cookie"))

ADDRESSES = {
    "/": "participant",
    "/j/{code}": "participant",
    "/p/{session_id}": "participant",
    "/host": "home",
    "/host/s/{session_id}": "control",
    "/host/s/{session_id}/report": "report",
    "/screen/{session_id}": "screen",
}
"""The page at each address; none depends on what the address names, so none tells whether there is such a thing."""

MAX_CODE_LENGTH = 32
CODE_LETTERS = range(6, 13)
"""Letters of what people take for a code, a slip of the finger included; the way in says whether it is one."""

_BELOW = ("", "/", "/{code}", "/{code}/")
DOORS = (
    *("/j", "/j/", "/j/{code}/", "/join/", "/join/{code}", "/join/{code}/", "/{code}", "/{code}/"),
    *(f"/{name}{below}" for name in ("J", "Join", "JOIN") for below in _BELOW),
)
"""Addresses that people type from memory, or that phones capitalise, for the way in."""

HOST_DOORS = ("/host/", *(f"/{name}{below}" for name in ("Host", "HOST") for below in ("", "/")))
"""The same for the hosts' page."""

_NOT_IN_CODE = re.compile(r"[^A-Za-z]")
_LIKE_CODE = re.compile(r"[A-Za-z0-9 _-]{0,32}")


class Pages:
    """Pages and files that browsers open.

    Files and pages are made when the first of them is wanted, or by `make`, which a server calls before it is ready.
    """

    def __init__(
        self,
        public_url: str = "",
        types: Sequence[ActivityType] = (),
        pictures: Sequence[str] = (),
        retention_days: int = 0,
        *,
        server: str = "",
    ) -> None:
        policy = POLICY.format(pictures="".join(f" {origin}" for origin in pictures))
        self._safe: Headers = ((b"content-security-policy", policy.encode()), *SAFE)
        self._public_url = public_url
        self._prefix = prefix_of(public_url)
        self._server = server
        self._types = tuple(types)
        self._pictures = tuple(pictures)
        self._retention_days = retention_days

    @cached_property
    def _assets(self) -> Assets:
        return Assets(self._types, words=words_for_later(), prefix=self._prefix)

    @cached_property
    def _shells(self) -> Shells:
        return Shells(
            self._assets, self._public_url, self._types, self._pictures, retention_days=self._retention_days, server=self._server
        )

    def make(self) -> None:
        """Make all that is made once, so that no reader waits for it."""
        _ = self._shells

    async def page(self, name: str, request: Request) -> Response:
        """Return a page as its reader wants it.

        Raises:
            NotFound: the address holds what no code can be.
            InvalidInput: the query is too long.
        """
        if len(request.params.get("code", "?")) not in range(1, MAX_CODE_LENGTH + 1):
            raise NotFound
        looks, kept = looks_of(request, self._prefix)
        return _served(request, self._shells.page(name, looks), (*self._safe, *ASK_FIRST, *kept))

    async def join(self, request: Request) -> Response:
        """Send someone with a code to its page: the form works before scripts, and says the code in the path as the QR does."""
        code = query_fields(request.query_string, {"code"}).get("code", "")
        letters = _NOT_IN_CODE.sub("", code)[:MAX_CODE_LENGTH]
        location = f"/j/{quote(letters)}" if letters else "/"
        return Response(303, headers=(*self._safe, (b"location", location.encode())))

    async def door(self, request: Request) -> Response:
        """Send people from an address that they typed to the way in, with their code if they typed one.

        Raises:
            NotFound: nobody would type this for a code.
        """
        code = request.params.get("code", "")
        if code and (not _LIKE_CODE.fullmatch(code) or len(_NOT_IN_CODE.sub("", code)) not in CODE_LETTERS):
            raise NotFound
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        location = f"/j/{quote(code, safe='')}{query}" if code else f"/{query}"
        return Response(303, headers=(*self._safe, (b"location", location.encode())))

    async def hosts(self, request: Request) -> Response:
        """Send hosts from an address that they typed to their page."""
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        return Response(303, headers=(*self._safe, (b"location", f"/host{query}".encode())))

    async def file(self, request: Request) -> Response:
        """Return a file of this build, which may be kept for ever.

        Raises:
            NotFound: another build has it. Only a problem document shows pages that the server itself says so.
        """
        found = self._assets.files.get(request.params["name"]) if request.params["build"] == self._assets.build else None
        if found is None:
            raise NotFound
        return _served(request, found, (FOR_EVER, VARY_PACKED))

    async def worker(self, request: Request) -> Response:
        """Return the script that looks after the pages where there is no connection."""
        return _served(request, self._assets.files[WORKER], (*self._safe, (b"cache-control", b"no-cache"), VARY_PACKED))

    async def icon(self, request: Request) -> Response:
        """Say that there is no icon beside the one in the page."""
        return Response(204, headers=(*self._safe, FOR_EVER))


def _served(request: Request, found: Asset, headers: Headers) -> Response:
    kind: Header = (b"content-type", found.media_type.encode())
    if takes_gzip(request.headers):
        return Response(200, found.packed, (*headers, kind, (b"content-encoding", b"gzip")))
    return Response(200, found.body, (*headers, kind))


def routes(pages: Pages, *, anyone: frozenset[Any]) -> list[Route]:
    """Return the addresses that browsers open; `anyone` stands for no role at all. The OpenAPI document leaves them out."""

    def page(path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(method="GET", path=path, endpoint=handler, handler=handler, who=anyone, policy=PAGES, tag="pages",
                     is_page=True, docs=Docs(summary="For browsers"))  # fmt: skip

    return [
        *(page(path, partial(pages.page, name)) for path, name in ADDRESSES.items()),
        page("/join", pages.join),
        *(page(path, pages.door) for path in DOORS),
        *(page(path, pages.hosts) for path in HOST_DOORS),
        page("/s/{build}/{name:path}", pages.file),
        page("/sw.js", pages.worker),
        page("/favicon.ico", pages.icon),
    ]
