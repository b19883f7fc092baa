"""Static files of the pages, read and compressed once.

Their paths hold the name of the build, so caches may keep them for ever.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.web.page_bundle import read_bundle
from conflicto.web.prefix import add_prefix
from conflicto.web.type_versions import keyed_types
from conflicto.web.view_frames import frame_pages, is_framed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conflicto.activity_types.model import ActivityType

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".ts": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A body, as it is and compressed with gzip."""

    media_type: str
    body: bytes
    gzipped: bytes


def make_asset(media_type: str, body: bytes) -> Asset:
    """Return a body with its compressed form, which is deterministic."""
    return Asset(media_type, body, gzip.compress(body, 9, mtime=0))


class AssetBundle:
    """The static files of a build by their relative path, and the name of the build."""

    def __init__(self, types: Iterable[ActivityType] = (), texts: Mapping[str, str] | None = None, prefix: str = "") -> None:
        """Read all files. `texts` holds further files; own paths start at `prefix`.

        Raises:
            OutdatedBundle: the pages were not built from the present sources.
        """
        bundle = read_bundle()
        self.preloads: Mapping[str, Sequence[str]] = bundle.preloads
        served = {name: add_prefix(text, prefix) for name, text in bundle.texts.items()}
        keyed = keyed_types(types)
        served |= dict(_framed_views(keyed)) | dict(frame_pages(keyed)) | dict(texts or {})
        self.files: Mapping[str, Asset] = {
            name: make_asset(MEDIA_TYPES[name[name.rindex(".") :]], text.encode()) for name, text in served.items()
        }
        digest = hashlib.sha256()
        for name, each in sorted(self.files.items()):
            digest.update(b"%b\0%d\0%b" % (name.encode(), len(each.body), each.body))
        self.build = digest.hexdigest()[:10]


def _framed_views(types: Mapping[str, ActivityType]) -> Iterator[tuple[str, str]]:
    """Yield the modules of types outside this package, given by key, each with its path.

    The bundle holds the modules of included types.
    """
    for key, activity_type in types.items():
        if is_framed(activity_type):
            for file in sorted((activity_type.folder / "ui").glob("*.js")):
                yield f"types/{key}/{file.name}", file.read_text(encoding="utf-8")
