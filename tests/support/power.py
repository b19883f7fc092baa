"""Power cuts: the files of a server as a disk would hold them if power failed at that moment.

A library that is loaded before the server's own copies each file at every sync
(tests/support/power.c). Later writes may or may not be on the disk, block by block and in any
order. A cut omits them, or draws for each block.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.support.processes import Served

SOURCE = Path(__file__).with_name("power.c")
BLOCK = 4096
SLASH = "%"
"""The replacement of the slash in paths that become one file name."""
VOLATILE = "-shm"
"""SQLite's index of its log. It is memory in the form of a file, never synced, and recreated by
the first process that opens the database."""


@dataclass(frozen=True)
class Disk:
    """The files of a server as it sees them, and as they were last synced."""

    live: Path
    folder: Path
    library: Path

    @classmethod
    def below(cls, folder: Path, *, live: Path | None = None) -> "Disk":
        """Create the library and the folders, including `live` if it is not given.

        Without a C compiler the test is skipped; in CI it fails.
        """
        if shutil.which("cc") is None:
            message = "There is no C compiler here (`cc`): power cuts were not tried."
            pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
        made = cls(live or folder / "live", folder / "disk", folder / "power.so")
        made.live.mkdir(exist_ok=True)
        for name in ("names", "inodes"):
            (made.folder / name).mkdir(parents=True)
        build = ["cc", "-shared", "-fPIC", "-O2", "-o", str(made.library), str(SOURCE), "-ldl", "-lpthread"]
        subprocess.run(build, check=True, capture_output=True)
        return made

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "POWER_LIVE": str(self.live), "POWER_KEPT": str(self.folder)}

    def begin_with_what_is_there(self) -> None:
        """Treat the present files as synced; no process may have them open."""
        for path in self.live.rglob("*"):
            if path.is_file():
                copy = self.folder / "inodes" / str(path.stat().st_ino)
                shutil.copy(path, copy)
                (self.folder / "names" / SLASH.join(path.relative_to(self.live).parts)).symlink_to(copy)

    def cut(self, server: Served, into: Path, rng: Random, *, is_torn: bool) -> None:
        """Write the files that a power cut would leave now into a new folder.

        A torn cut keeps some blocks that were not synced.
        """
        into.mkdir()
        with self._nothing_moves(server):
            self._leave(into, rng, is_torn=is_torn)

    def cut_amid_syncs(self, into: Path, rng: Random, *, is_torn: bool) -> None:
        """Write the files that a power cut would leave while no sync can end.

        Writers continue and syncs wait, so nothing is acknowledged meanwhile.
        """
        for folder in (self.live, *(path for path in self.live.rglob("*") if path.is_dir())):
            (into / folder.relative_to(self.live)).mkdir(mode=0o700)
        with self._no_sync_ends():
            self._leave(into, rng, is_torn=is_torn)

    def _leave(self, into: Path, rng: Random, *, is_torn: bool) -> None:
        for kept in sorted((self.folder / "names").iterdir()):
            if not kept.name.endswith(VOLATILE):
                path = kept.name.replace(SLASH, "/")
                synced, written = _read(kept), _read(self.live / path)
                (into / path).write_bytes(_torn(synced, written, rng) if is_torn and written else synced)

    @contextmanager
    def broken(self, call: str) -> Iterator[None]:
        """Make every `sync`, `write` or `read` of the server's files fail without effect."""
        mark = self.folder / f"broken-{call}"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()

    @contextmanager
    def _no_sync_ends(self) -> Iterator[None]:
        with (self.folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _nothing_moves(self, server: Served) -> Iterator[None]:
        with self._no_sync_ends():
            server.process.send_signal(signal.SIGSTOP)
            try:
                while _state(server.process.pid) != "T":
                    time.sleep(0.001)
                yield
            finally:
                server.process.send_signal(signal.SIGCONT)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _torn(synced: bytes, written: bytes, rng: Random) -> bytes:
    """Return the length and blocks of either version at random; missing blocks are zero."""
    length = len(rng.choice((synced, written)))
    blocks = (rng.choice((synced, written))[at : at + BLOCK].ljust(BLOCK, b"\0") for at in range(0, length, BLOCK))
    return b"".join(blocks)[:length]
