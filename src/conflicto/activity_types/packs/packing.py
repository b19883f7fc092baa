"""Packing of a type's folder into one file. The kit decides before whether the type is good."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from conflicto.activity_types.folder_files.file_kinds import is_packable
from conflicto.activity_types.packs.archive import MAX_CONTENT_BYTES, MAX_FILES, InvalidPack, write_archive


class Packed(NamedTuple):
    """A packed folder: the archive, its digest, and the paths that were left out."""

    body: bytes
    sha256: str
    files: int
    left_out: tuple[str, ...]


def pack_folder(folder: Path) -> Packed:
    """Return the pack of a type's folder.

    Hidden files, and files of kinds that no type uses, are left out. Links are refused, because a
    pack would hold another file than its author sees.

    Raises:
        InvalidPack: the folder has a link, or too many or too large files.
    """
    files: dict[str, bytes] = {}
    left_out = []
    remaining_bytes = MAX_CONTENT_BYTES
    for path in _paths(folder):
        if not is_packable(path):
            left_out.append(path)
            continue
        with (folder / path).open("rb") as opened:
            files[path] = opened.read(remaining_bytes + 1)
        remaining_bytes -= min(len(files[path]), remaining_bytes)
        if len(files) > MAX_FILES:
            break
    body = write_archive(folder.name, files)
    return Packed(body, sha256_of(body), len(files), tuple(left_out))


def sha256_of(body: bytes) -> str:
    """Return the digest by which people compare packs."""
    return hashlib.sha256(body).hexdigest()


def _paths(folder: Path) -> list[str]:
    """Return the paths of all files that are not hidden, sorted."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *names):
            path = Path(parent) / name
            if path.is_symlink() and not name.startswith("."):
                message = f"{path.relative_to(folder)} is a link. Put the file itself there."
                raise InvalidPack(message)
        found += [(Path(parent) / name).relative_to(folder).as_posix() for name in names if not name.startswith(".")]
    return sorted(found)
