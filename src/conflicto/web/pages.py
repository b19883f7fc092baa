"""The pages as an ASGI application that stands before the API's: what is a page's address is answered here, everything else goes on."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conflicto.web.asking import header, origin, query
from conflicto.web.assets import Asset, Assets
from conflicto.web.looks import cookies_of, looks_of
from conflicto.web.qr import code_picture
from conflicto.web.shells import Shells

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from conflicto.activity_types.model import ActivityType

    Headers = list[tuple[bytes, bytes]]
    Send = Callable[[Any], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{pictures}; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types conflicto"
)
"""Nothing but our own files, no text that becomes code, and nobody may frame us; what is trusted is the address of our worker."""

WORKER = "worker.js"
"""Served at the root, or it could not look after the pages there."""

SAFE: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
]
OF_FILES: Headers = [(name, value) for name, value in SAFE if name in {b"x-content-type-options", b"referrer-policy"}]
"""A style sheet or a module is no page: what else a page says of itself does nothing there, and would be sent with each."""
FOR_EVER: Headers = [(b"cache-control", b"public, max-age=31536000, immutable")]
ASK_FIRST: Headers = [(b"cache-control", b"no-cache"), (b"vary", b"Accept-Encoding, Accept-Language, Cookie")]
AN_HOUR: Headers = [(b"cache-control", b"private, max-age=3600")]

ADDRESSES = (
    (re.compile(r"/|/j/[^/]{1,32}|/p/[0-9]{1,15}"), "participant"),
    (re.compile(r"/host"), "home"),
    (re.compile(r"/host/s/[0-9]{1,15}"), "control"),
    (re.compile(r"/host/s/[0-9]{1,15}/report"), "report"),
    (re.compile(r"/screen/[0-9]{1,15}"), "screen"),
)
_CODE = re.compile(r"/qr/([A-Za-z]{4}-?[A-Za-z]{4})\.svg")
_NOT_IN_CODE = re.compile(r"[^A-Za-z]")


class Pages:
    """What browsers open; `app` answers everything that is not a page's.

    Files and pages are made when the first of them is wanted, or by `make`, which a server calls before it is ready.
    """

    def __init__(
        self,
        app: Any,  # noqa: ANN401 - ASGI
        public_url: str = "",
        types: Sequence[ActivityType] = (),
        pictures: Sequence[str] = (),
        on_fault: Callable[[Exception, Any, Send], Awaitable[None]] | None = None,
    ) -> None:
        self._app = app
        self._on_fault = on_fault
        policy = POLICY.format(pictures="".join(f" {origin}" for origin in pictures))
        self._safe: Headers = [(b"content-security-policy", policy.encode()), *SAFE]
        self._public_url = public_url
        self._types = tuple(types)
        self._pictures = tuple(pictures)

    @cached_property
    def _assets(self) -> Assets:
        return Assets(self._types)

    @cached_property
    def _shells(self) -> Shells:
        return Shells(self._assets, self._public_url, self._types, self._pictures)

    def make(self) -> None:
        """Make all that is made once, so that no reader waits for it."""
        _ = self._shells

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: ANN401 - ASGI
        """Answer a page's address, or hand the request on; `on_fault` answers where no page could be made."""
        try:
            found = self._found(scope) if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else None
        except Exception as error:
            if self._on_fault is None:
                raise
            await self._on_fault(error, scope, send)
            return
        if found is None:
            await self._app(scope, receive, send)
        else:
            status, asset, headers = found
            is_file = status == 200 and scope["path"].startswith("/s/")  # noqa: PLR2004
            await _answer(scope, send, status, asset, [*(OF_FILES if is_file else self._safe), *headers])

    def _found(self, scope: Any) -> tuple[int, Asset | None, Headers] | None:  # noqa: ANN401 - ASGI
        path: str = scope["path"]
        if path.startswith("/s/") or path == "/sw.js":
            return self._static(path)
        for address, page in ADDRESSES:
            if address.fullmatch(path):
                return 200, self._shells.page(page, looks_of(scope)), [*ASK_FIRST, *cookies_of(scope)]
        if path == "/join":
            return 303, None, [(b"location", _address_of(query(scope, "code")).encode())]
        if code := _CODE.fullmatch(path):
            return 200, code_picture(f"{self._public_url or origin(scope)}/j/{code[1].upper()}"), AN_HOUR
        return (204, None, FOR_EVER) if path == "/favicon.ico" else None

    def _static(self, path: str) -> tuple[int, Asset | None, Headers]:
        if path == "/sw.js":
            return 200, self._assets.files[WORKER], [(b"cache-control", b"no-cache")]
        _, _, build, name = path.split("/", 3) if path.count("/") > 2 else ("", "", "", "")  # noqa: PLR2004 - /s/build/name
        found = self._assets.files.get(name) if build == self._assets.build else None
        if found is None:
            return 404, None, [(b"cache-control", b"no-store")]
        return 200, found, FOR_EVER


async def _answer(scope: Any, send: Send, status: int, found: Asset | None, headers: Headers) -> None:  # noqa: ANN401 - ASGI
    body = b""
    told = [*headers]
    if found is not None:
        body = found.body
        told.append((b"content-type", found.media_type.encode()))
        if "gzip" in (header(scope, b"accept-encoding") or ""):
            body = found.packed
            told.append((b"content-encoding", b"gzip"))
    if status != 204:  # noqa: PLR2004 - No Content has no length
        told.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _address_of(code: str | None) -> str:
    """Return where someone with a code goes: the form works before scripts, and says the code in the path as the QR does."""
    letters = _NOT_IN_CODE.sub("", code or "")[:32]
    return f"/j/{quote(letters)}" if letters else "/"
