"""Files of earlier builds, kept for the pages that people have open while a server is updated.

An open page loads views and further modules when it needs them, from the addresses of its own
build. Each start stores the files of its build in a folder, so that a later process serves them
too:

    builds/BUILD.json    the SHA-256 of each file by its path
    files/SHA256.gz      a file, stored once for all builds that have it

The builds that were started or read last are kept, within `MAX_BUILDS` and `MAX_KEPT_BYTES`.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
import re
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import structlog

from conflicto.web.assets import MEDIA_TYPES, Asset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from conflicto.platform.clock import Clock

log = structlog.get_logger(__name__)

MAX_BUILDS = 20
"""Kept builds, this process's own included."""

MAX_KEPT_BYTES = 32 * 1024 * 1024
"""Bytes of all kept files, compressed. A build of this version has 85 kB."""

MAX_CACHED_FILES = 64
"""Files of earlier builds in memory, up to some 100 kB each."""

KEPT_SUFFIXES = frozenset({".css", ".html", ".js", ".json"})
"""Kinds of kept files. The documents are frames of views, whose headers name the build."""

TOUCH_S = 3_600
"""A build in use is marked as used this often, seconds."""

_BUILD = re.compile(r"[0-9a-f]{10}")
_PATHS = msgspec.json.Decoder(dict[str, str])


class KeptBuilds:
    """Stores the files of builds in a folder and reads those of earlier ones. Thread-safe.

    A folder that cannot be written costs the files of earlier builds only.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._builds = folder / "builds"
        self._files = folder / "files"
        self._lock = folder / "lock"
        self._clock = clock
        self._touched_s: dict[str, float] = {}

    def keep(self, build: str, files: Mapping[str, Asset]) -> None:
        """Store the files of a build, and remove those of the builds out of use."""
        paths = {name: hashlib.sha256(each.body).hexdigest() for name, each in files.items() if _is_kept(name)}
        try:
            with self._locked():
                for name, digest in paths.items():
                    _write_once(self._files / f"{digest}.gz", files[name].gzipped)
                _write_once(self._builds / f"{build}.json", msgspec.json.encode(paths))
                os.utime(self._builds / f"{build}.json")
                self._prune()
        except OSError as error:
            log.warning("builds_not_kept", folder=str(self._builds.parent), error=str(error))

    def find(self, build: str, name: str) -> Asset | None:
        """Return a file of a kept build, None if there is none or its bytes are damaged."""
        if not _BUILD.fullmatch(build) or not _is_kept(name):
            return None
        try:
            digest = _read_paths(self._builds / f"{build}.json").get(name)
            found = _read_file(self._files / f"{digest}.gz", MEDIA_TYPES[_suffix(name)]) if digest else None
            self._touch(build)
        except (OSError, EOFError, ValueError):
            return None
        return found

    def _touch(self, build: str) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._touched_s.get(build, -TOUCH_S) >= TOUCH_S:
            self._touched_s[build] = now_s
            os.utime(self._builds / f"{build}.json")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder, which the workers of a server share."""
        for folder in (self._builds, self._files):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _prune(self) -> None:
        """Remove the builds that were used longest ago, and the files that no other build has."""
        newest_first = sorted(self._builds.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        kept: dict[str, int] = {}
        for place, build in enumerate(newest_first):
            added = {digest: self._size(digest) for digest in _stored_paths(build).values() if digest not in kept}
            if place and (place >= MAX_BUILDS or sum(kept.values()) + sum(added.values()) > MAX_KEPT_BYTES):
                build.unlink()
            else:
                kept |= added
        for file in self._files.iterdir():
            if file.name.removesuffix(".gz") not in kept:
                file.unlink()

    def _size(self, digest: str) -> int:
        file = self._files / f"{digest}.gz"
        return file.stat().st_size if file.exists() else 0


def _is_kept(name: str) -> bool:
    """Return whether a file is kept."""
    return _suffix(name) in KEPT_SUFFIXES


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _write_once(file: Path, body: bytes) -> None:
    if not file.exists() or file.stat().st_size != len(body):  # a crash may have cut it
        partial = file.with_suffix(".part")
        partial.write_bytes(body)
        partial.replace(file)


def _stored_paths(file: Path) -> dict[str, str]:
    """Return the digests of a build by path; empty if its list is damaged."""
    try:
        return _PATHS.decode(file.read_bytes())
    except msgspec.DecodeError:
        return {}


@lru_cache(maxsize=MAX_BUILDS)
def _read_paths(file: Path) -> dict[str, str]:
    return _PATHS.decode(file.read_bytes())


@lru_cache(maxsize=MAX_CACHED_FILES)
def _read_file(file: Path, media_type: str) -> Asset:
    """Return a file; its name is the digest of its bytes.

    Raises:
        ValueError: the bytes are damaged.
    """
    gzipped = file.read_bytes()
    body = gzip.decompress(gzipped)
    if hashlib.sha256(body).hexdigest() != file.stem:
        message = f"{file.name} is damaged"
        raise ValueError(message)
    return Asset(media_type, body, gzipped)
