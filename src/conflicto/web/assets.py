"""Static files of the pages, read and compressed once.

Their paths hold the name of the build, so caches may keep them for ever.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conflicto.web.bundler import SHARED, bundle, minify_css, shorten_variables, strip_comments, strip_indentation
from conflicto.web.minifier import minify_module
from conflicto.web.prefix import add_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conflicto.activity_types.model import ActivityType

HERE = Path(__file__).parent
STATIC = HERE / "static"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
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

    def __init__(
        self, types: Iterable[ActivityType] = (), folder: Path = STATIC, texts: Mapping[str, str] | None = None, prefix: str = ""
    ) -> None:
        """Read and bundle all files. `texts` holds further files; own paths start at `prefix`."""
        read = {
            path.relative_to(folder).as_posix(): add_prefix(_read(path), prefix)
            for path in sorted(folder.rglob("*"))
            if path.suffix in MEDIA_TYPES
        }
        own = {SHARED, *read}
        for name, path in _type_modules(types):
            is_own = path.is_relative_to(HERE.parent)
            read[name] = _read(path) if is_own else path.read_text(encoding="utf-8")
            own |= {name} if is_own else set()
        modules = {name: text for name, text in read.items() if name.endswith(".js")}
        bundled = {name: minify_module(strip_indentation(text)) if name in own else text for name, text in bundle(modules).items()}
        served = {name: text for name, text in read.items() if name not in modules}
        served |= shorten_variables(bundled) | dict(texts or {})
        self.files: Mapping[str, Asset] = {
            name: make_asset(MEDIA_TYPES[name[name.rindex(".") :]], text.encode()) for name, text in served.items()
        }
        digest = hashlib.sha256()
        for name, each in sorted(self.files.items()):
            digest.update(b"%b\0%d\0%b" % (name.encode(), len(each.body), each.body))
        self.build = digest.hexdigest()[:10]


def _read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    shorten = {".js": strip_comments, ".css": minify_css}.get(path.suffix)
    return shorten(text) if shorten else text


def _type_modules(types: Iterable[ActivityType]) -> Iterator[tuple[str, Path]]:
    """Yield the modules of activity types, each with the path under which pages import it."""
    for activity_type in types:
        for file in sorted((activity_type.folder / "ui").glob("*.js")):
            yield f"types/{activity_type.name}/{file.name}", file
