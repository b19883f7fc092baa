"""Loading of types for one session into the registry of this process, when somebody needs one.

A version names its content, so a type that was loaded for one session serves all that have it.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conflicto.activities.session_types import store
from conflicto.activities.session_types.checking import write_files
from conflicto.activities.session_types.model import is_session_version
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.origin import Origin, OriginKind
from conflicto.activity_types.packs.archive import read_archive

if TYPE_CHECKING:
    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.registry import Registry
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx


class SessionTypeLoader:
    """Loads types for one session in threads, each once at a time. For the event loop only."""

    def __init__(self, db: Database, types: Registry) -> None:
        self._db = db
        self._types = types
        self._loads: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def wanted_version(self, session_id: int, name: str, version: str | None) -> str | None:
        """Return the version for a new activity: without one, that of the session's own type."""
        if version is not None or self._types.find(name) is not None:
            return version
        return await self._db.read(store.find_version, session_id, name)

    async def load(self, name: str, version: str | None) -> None:
        """Add a type to the registry, if the version is one of a session and its pack is stored."""
        if version is None or not is_session_version(version) or self._types.find_version(name, version) is not None:
            return
        key = (name, version)
        task = self._loads.get(key)
        if task is None:
            task = self._loads[key] = asyncio.create_task(self._load(*key))
            task.add_done_callback(lambda _: self._loads.pop(key))
        await asyncio.shield(task)

    async def _load(self, name: str, version: str) -> None:
        pack = await self._db.read(store.find_pack, name, version)
        if pack is not None:
            self._types.add_session_type(await asyncio.to_thread(built_type, version, pack))


def load_types(tx: ReadTx, session_id: int, types: Registry) -> None:
    """Add all types of a session to the registry. For threads."""
    for each in store.of_session(tx, session_id):
        if types.find_version(each.name, each.version) is None and (pack := store.find_pack(tx, each.name, each.version)):
            types.add_session_type(built_type(each.version, pack))


def built_type(version: str, pack: bytes) -> ActivityType:
    """Return the type of a stored pack under its version. The folder is gone afterwards."""
    name, files = read_archive(pack)
    with tempfile.TemporaryDirectory(prefix="conflicto-type-") as parent:
        folder = Path(parent).resolve() / name
        write_files(folder, files)
        return replace(load_type(folder, Origin(OriginKind.SESSION)), version=version)
