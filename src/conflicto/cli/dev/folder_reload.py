"""Reload of the server's process when a file of a folder changes.

uvicorn's supervisor keeps the socket, so new connections wait meanwhile. A folder of a type is
small: looking at its times needs no library.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from uvicorn.supervisors.basereload import BaseReload

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from uvicorn import Config

Snapshot = dict[Path, tuple[int, int]]
"""Time of the last change in ns and size in bytes, by file."""

MAX_WATCHED_FILES = 2_000


class FolderReload(BaseReload):
    """Supervisor that starts its process again after a change in `folder`."""

    def __init__(self, config: Config, target: Callable[[list[socket] | None], None], sockets: list[socket], folder: Path) -> None:
        super().__init__(config, target, sockets)
        self.reloader_name = "conflicto types dev"
        self._folder = folder
        self._seen = snapshot_of(folder)

    def should_restart(self) -> list[Path] | None:
        """Wait a moment, and return the files that changed since the last call."""
        self.pause()
        found = snapshot_of(self._folder)
        changed = [path for path in found.keys() | self._seen.keys() if found.get(path) != self._seen.get(path)]
        self._seen = found
        return sorted(changed) or None


def snapshot_of(folder: Path) -> Snapshot:
    """Return the state of all files that are not hidden."""
    found: Snapshot = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent) / name for name in names if not name.startswith(".")):
            try:
                state = path.stat()
            except OSError:  # an editor has just replaced it
                continue
            found[path] = (state.st_mtime_ns, state.st_size)
            if len(found) >= MAX_WATCHED_FILES:
                return found
    return found
