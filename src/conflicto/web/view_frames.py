"""Frames for views of types that this package does not contain.

Such a view runs in a sandboxed frame of an opaque origin (HTML, "sandboxed origin browsing context
flag"). Its page and the headers are built here; `static/frame` holds the script inside the frame,
`static/elements/framed_view.js` the page's side.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from conflicto.web.page_bundle import HERE, PACKAGE
from conflicto.web.request import header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conflicto.activity_types.model import ActivityType
    from conflicto.platform.http.messages import Header, Request

    Headers = tuple[Header, ...]

FRAMES = "frames/"
"""Folder of the frames' pages, as `frames/<type>/<view>.html`."""

SHARED_FILES = ("chunks/", "frame/", "sdk/", "types/")
"""Folders whose modules a frame imports. Requests from an opaque origin have `Origin: null`."""

ALLOW_ANY_ORIGIN: Header = (b"access-control-allow-origin", b"*")
"""Let an opaque origin import modules. They are public, and cookies are not sent for them."""

DENIED_FEATURES = (
    "accelerometer", "autoplay", "camera", "clipboard-read", "clipboard-write", "display-capture", "encrypted-media",
    "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "local-fonts",
    "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture", "publickey-credentials-create",
    "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb",
    "window-management", "xr-spatial-tracking",
)  # fmt: skip
"""Features of the Permissions Policy that browsers know. A frame gets none.

Unknown ones, such as `bluetooth` in Chromium 156, would only fill the console.
"""

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")
_TEMPLATE = HERE / "templates" / "frame.html"


def is_framed(known: ActivityType) -> bool:
    """Return whether the views of a type run in frames: it does not come with this package."""
    return not known.folder.is_relative_to(PACKAGE)


def frame_pages(types: Mapping[str, ActivityType]) -> Iterator[tuple[str, str]]:
    """Yield the path and HTML of the frame for each view of a framed type, given by its key."""
    template = _TEMPLATE.read_text(encoding="utf-8")
    for key, known in types.items():
        for view in known.ui if is_framed(known) else ():
            yield f"{FRAMES}{key}/{view}.html", template.replace("$type", escape(key)).replace("$view", view)


class FrameHeaders:
    """Headers of frames, of the modules that they import, and of the pages around them.

    They hold for this build and for earlier ones, whose files are kept for open pages.
    """

    def __init__(self, public_url: str, prefix: str, types: Iterable[ActivityType], *, has_session_types: bool = False) -> None:
        """Headers for a server with these types; without framed types, its pages allow no frame."""
        self._public_host = urlsplit(public_url).netloc
        self._prefix = prefix
        self._has_frames = has_session_types or any(is_framed(known) and known.ui for known in types)

    def of_file(self, build: str, name: str, request: Request) -> Headers:
        """Return the further headers of a file. `name` is its path below the build's."""
        if name.startswith(FRAMES):
            sources = _Sources(self._hosts(request), f"{self._prefix}/s/{build}/")
            return (
                (b"content-security-policy", _policy(sources, name.split("/")[1]).encode()),
                (b"permissions-policy", ", ".join(f"{feature}=()" for feature in DENIED_FEATURES).encode()),
                (b"connection-allowlist", sources.connections().encode()),
                (b"referrer-policy", b"no-referrer"),
                (b"x-dns-prefetch-control", b"off"),
            )
        return self.of_shared_file(name)

    def of_shared_file(self, name: str) -> Headers:
        """Return the headers by which a frame may read a module, or that it is missing.

        Without them a browser reports a fault of CORS, in the file that imports the missing one.
        """
        return (ALLOW_ANY_ORIGIN,) if self._has_frames and name.startswith(SHARED_FILES) else ()

    def frame_source(self, build: str, request: Request) -> str:
        """Return the directive of a page's policy that confines its frames, empty for none.

        It also confines where a frame navigates itself (CSP 3, "navigation response check").
        """
        sources = _Sources(self._hosts(request), f"{self._prefix}/s/{build}/")
        return f"; frame-src {sources.of(FRAMES)}" if self._has_frames else ""

    def _hosts(self, request: Request) -> list[str]:
        """Return the hosts of this request and of the public URL."""
        named = (header(request.headers, b"host").decode("latin-1"), self._public_host)
        return [host for host in dict.fromkeys(named) if _HOST.fullmatch(host)]


class _Sources(NamedTuple):
    """Sources of a policy: the folders of one build on some hosts.

    The scheme `http` in a source includes `https` (CSP 3, "scheme-part match"). Without a host that
    a policy can name, the source is `'self'`.
    """

    hosts: list[str]
    base: str

    def of(self, *folders: str) -> str:
        return " ".join(f"http://{host}{self.base}{folder}" for folder in folders for host in self.hosts) or "'self'"

    def origins(self) -> str:
        return " ".join(f"http://{host}" for host in self.hosts) or "'self'"

    def connections(self) -> str:
        """Return the allowed connections. They cover what no CSP does: WebRTC and early connects.

        Source: WICG Connection Allowlists, in Chromium since 152.
        """
        patterns = (f'"{scheme}://{host}{self.base}*"' for host in self.hosts for scheme in ("http", "https"))
        return f"({' '.join(patterns)})"


def _policy(sources: _Sources, type_name: str) -> str:
    own = f"types/{type_name}/"
    shared = (folder for folder in SHARED_FILES if folder != "types/")
    return (
        f"default-src 'none'; sandbox allow-scripts; script-src {sources.of(own, *shared)}; style-src {sources.of('css/')}; "
        f"img-src data: {sources.of(own)}; connect-src 'none'; form-action 'none'; frame-src 'none'; worker-src 'none'; "
        f"base-uri 'none'; frame-ancestors {sources.origins()}; require-trusted-types-for 'script'; "
        "trusted-types frame"
    )
