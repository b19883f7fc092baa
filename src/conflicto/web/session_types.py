"""Files of types that hosts installed for one session: data, views and frames, by content.

Their paths hold the version, which is derived from the content. So caches may keep them for ever,
and nobody learns them but those who were shown an activity of the type.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from conflicto.activities.session_types import store
from conflicto.activities.session_types.loader import built_type
from conflicto.activity_types.packs.archive import read_archive
from conflicto.web.assets import MEDIA_TYPES, make_asset
from conflicto.web.languages import catalogs
from conflicto.web.page_data import host_type_data, type_data
from conflicto.web.view_frames import frame_pages

if TYPE_CHECKING:
    from conflicto.platform.db.engine import Database
    from conflicto.web.assets import Asset

MAX_CACHED_TYPES = 16
"""Types whose files are in memory, with their data in all languages."""

_PATH = re.compile(r"(?:types|frames)/([a-z0-9][a-z0-9_-]{0,63})\.(x[0-9a-f]{16})/[^/]+")
_DATA = {"page": type_data, "host": host_type_data}
"""Data of a type for phones and screens, and for hosts' pages and reports."""


class SessionTypeFiles:
    """The files by path. For the event loop only."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cache: OrderedDict[tuple[str, str], dict[str, Asset]] = OrderedDict()

    async def find(self, path: str) -> Asset | None:
        """Return a file by its path below the build's, None if no session has its type."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        key = (match[1], match[2])
        files = self._cache.get(key)
        if files is None:
            pack = await self._db.read(store.find_pack, *key)
            if pack is None:
                return None
            files = self._cache[key] = await asyncio.to_thread(_files_of, key[1], pack)
            if len(self._cache) > MAX_CACHED_TYPES:
                self._cache.popitem(last=False)
        return files.get(path)


def _files_of(version: str, pack: bytes) -> dict[str, Asset]:
    known, (name, sources) = built_type(version, pack), read_archive(pack)
    key = f"{name}.{version}"
    found = dict(frame_pages({key: known}))
    for path, source in sources.items():
        parent, _, file = path.rpartition("/")
        if parent == "ui" and file.endswith(".js"):
            found[f"types/{key}/{file}"] = source.decode()
    for locale in catalogs():
        for kind, data_of in _DATA.items():
            found[f"types/{key}/{kind}.{locale}.json"] = msgspec.json.encode(data_of(known, locale)).decode()
    return {path: make_asset(MEDIA_TYPES[path[path.rindex(".") :]], text.encode()) for path, text in found.items()}
