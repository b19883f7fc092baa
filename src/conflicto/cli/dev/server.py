"""The application of one start: the server as operators run it, and the page that shows its pages.

The pages may be framed by their own origin here, and nowhere else: this module rewrites that one
directive of their policy, so no setting of a server can do it.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.kit.conformance import failures
from conflicto.activity_types.registry import types_in
from conflicto.app import from_environment
from conflicto.cli.dev.rehearsed_session import NotRehearsed, rehearse
from conflicto.platform.ids import opaque_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conflicto.app import App

    Send = Callable[[dict[str, Any]], Awaitable[None]]

HOST = "127.0.0.1"
PAGE = "/dev"
STATUS = "/dev/status"
FOLDER_VARIABLE, PORT_VARIABLE = "CONFLICTO_DEV_FOLDER", "CONFLICTO_DEV_PORT"
"""Environment variables by which the command tells its processes what they serve."""

FILES = {
    PAGE: ("dev.html", "text/html; charset=utf-8"),
    "/dev/dev.js": ("dev.js", "text/javascript; charset=utf-8"),
    "/dev/dev.css": ("dev.css", "text/css; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
)
FRAMED_BY_NOBODY, FRAMED_BY_ITSELF = b"frame-ancestors 'none'", b"frame-ancestors 'self'"
CSP = b"content-security-policy"


class DevelopmentApp:
    """The server with `/dev`. Its status names this start, faults of the folder, and links."""

    def __init__(self, app: App, folder: Path, port: int, admin_token: str) -> None:
        self._app = app
        self._folder = folder
        self._admin_token = admin_token
        self._hosts = {f"{name}:{port}".encode() for name in (HOST, "localhost")}
        self._start = opaque_secret()
        self._faults: list[str] = []
        self._links: dict[str, str] | None = None
        self._title = ""
        self._is_checked = False
        self._preparation: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: ANN401 - ASGI
        """Serve the page and its status, and pass every other request to the server."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._preparing(send))
        elif scope["path"] == STATUS or scope["path"] in FILES:
            await self._serve(scope, send)
        else:
            await self._app(scope, receive, _framed_by_itself(send))

    def _preparing(self, send: Send) -> Send:
        """Return a `send` that starts the rehearsal as soon as the server runs, and ends it."""

        async def forward(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.shutdown.complete" and self._preparation:
                self._preparation.cancel()
                with suppress(asyncio.CancelledError):
                    await self._preparation
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._preparation = asyncio.ensure_future(self._prepare())

        return forward

    async def _prepare(self) -> None:
        """Check the folder, and rehearse its type if a server can load it."""
        self._faults = await asyncio.to_thread(failures, self._folder)
        found = types_in(self._folder).types
        if found:
            self._title = f"{found[0].name} {found[0].version}: {found[0].title}"
            try:
                self._links = await rehearse(self._app, self._admin_token, found[0])
            except NotRehearsed as error:
                self._faults.append(str(error))
        self._is_checked = True

    async def _serve(self, scope: Any, send: Send) -> None:  # noqa: ANN401 - ASGI
        """Send the page, one of its files or the status, to this machine's own address only.

        A page of another site cannot read them: it would have to resolve its own name to this
        machine, and then the header `Host` differs.
        """
        if dict(scope["headers"]).get(b"host") not in self._hosts:
            await _respond(send, 421, "text/plain; charset=utf-8", b"Open http://127.0.0.1 with the port of the command.\n")
        elif scope["path"] == STATUS:
            await _respond(send, 200, "application/json", self._status())
        else:
            name, media_type = FILES[scope["path"]]
            await _respond(send, 200, media_type, (Path(__file__).parent / "page" / name).read_bytes())

    def _status(self) -> bytes:
        return msgspec.json.encode({
            "start": self._start, "is_checked": self._is_checked, "title": self._title, "faults": self._faults, "links": self._links,
        })  # fmt: skip


async def _respond(send: Send, status: int, media_type: str, body: bytes) -> None:
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (CSP, POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _framed_by_itself(send: Send) -> Send:
    """Return a `send` that lets pages of this origin frame the server's pages."""

    async def forward(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, value.replace(FRAMED_BY_NOBODY, FRAMED_BY_ITSELF) if name == CSP else value)
                for name, value in message["headers"]
            ]
            message = message | {"headers": headers}
        await send(message)

    return forward


def application() -> DevelopmentApp:
    """Return the application of this process; the command sets the variables."""
    folder, port = Path(os.environ.pop(FOLDER_VARIABLE)), int(os.environ.pop(PORT_VARIABLE))
    return DevelopmentApp(from_environment(), folder, port, os.environ["CONFLICTO_ADMIN_TOKEN"])
