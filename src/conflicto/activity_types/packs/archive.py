"""The file of a pack: a ZIP archive of plain files below one folder, the type's name.

Equal content gives equal bytes on every machine: names are sorted, times are constant, and nothing
is compressed, as compressors differ. So an archive cannot expand either. Bounds and names hold for
writing and for reading.
"""

from __future__ import annotations

import re
import stat
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from conflicto.activity_types.folder_files.file_kinds import SUFFIXES, is_packable
from conflicto.activity_types.folder_files.manifest import NAME
from conflicto.platform.sizes import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_FILES = 500
MAX_CONTENT_BYTES = 4 * MIB
"""Bytes of all files together."""

MAX_ARCHIVE_BYTES = MAX_CONTENT_BYTES + 512 * KIB
"""Bytes of the archive: the files, and their names twice."""

MAX_FOLDERS = 8
"""Folders above a file, with the type's own."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = stat.S_IFREG | 0o644
_UNIX = 3
_REPACK = "Make it with `conflicto types pack`."


class InvalidPack(ValueError):
    """A folder cannot be packed, or a file is no pack; the message has a remedy."""


def write_archive(name: str, files: Mapping[str, bytes]) -> bytes:
    """Return the archive of a type's files, given by their paths in its folder.

    Raises:
        InvalidPack: a name or a size is not allowed.
    """
    _check_sizes(map(len, files.values()))
    paths = [f"{name}/{path}" for path in sorted(files)]
    _check_paths(paths)
    sink = BytesIO()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        for path in paths:
            entry = ZipInfo(path, _TIME)
            entry.create_system, entry.external_attr = _UNIX, _MODE << 16
            archive.writestr(entry, files[path.partition("/")[2]])
    return sink.getvalue()


def read_archive(body: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the name of a type and its files by their paths in its folder.

    Raises:
        InvalidPack: the bytes are no archive of plain files with allowed names and sizes.
    """
    if len(body) > MAX_ARCHIVE_BYTES:
        raise InvalidPack(_too_large())
    try:
        with ZipFile(BytesIO(body)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (BadZipFile, NotImplementedError, RuntimeError, UnicodeDecodeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, InvalidPack):
            raise
        message = f"The file is no ZIP archive, or it is damaged. {_REPACK}"
        raise InvalidPack(message) from None
    name = next(iter(files)).partition("/")[0]
    return name, {path.partition("/")[2]: content for path, content in files.items()}


def _check_entries(entries: list[ZipInfo]) -> None:
    """Raise if an entry is no plain, uncompressed file, or if together they are too large."""
    _check_sizes(max(entry.file_size, entry.compress_size) for entry in entries)
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or kind not in {0, stat.S_IFREG}:
            message = f"{_shown(entry.filename)} is a folder, a link or a device; a pack holds plain files only. {_REPACK}"
            raise InvalidPack(message)
        if entry.compress_type != ZIP_STORED or entry.flag_bits & 1:
            message = f"{_shown(entry.filename)} is compressed or encrypted. {_REPACK}"
            raise InvalidPack(message)
    _check_paths([entry.filename for entry in entries])


def _check_sizes(sizes: Iterable[int]) -> None:
    known = list(sizes)
    if not known:
        message = f"The pack is empty. {_REPACK}"
        raise InvalidPack(message)
    if len(known) > MAX_FILES:
        message = f"A pack has up to {MAX_FILES} files, and this one has {len(known)}. Remove or join some."
        raise InvalidPack(message)
    if sum(known) > MAX_CONTENT_BYTES:
        raise InvalidPack(_too_large())


def _too_large() -> str:
    return f"A pack has up to {MAX_CONTENT_BYTES // MIB} MiB. Remove some files, or make pictures smaller."


def _check_paths(paths: list[str]) -> None:
    """Raise if a path could leave the type's folder, or be another file on another system."""
    top = paths[0].partition("/")[0]
    if not re.fullmatch(NAME, top):
        message = f"{_shown(top)} is no name of a type. {_REPACK}"
        raise InvalidPack(message)
    for path in paths:
        names = path.split("/")
        if names[0] != top or not 1 < len(names) <= MAX_FOLDERS + 1 or not all(map(_is_name, names)) or not is_packable(path):
            message = (
                f"{_shown(path)} is no path of a pack: names have letters, digits, - _ . and a suffix of {_suffixes()}. Rename it."
            )
            raise InvalidPack(message)
    known = {path.lower() for path in paths}
    for path in paths:
        if any(f"{parent}".lower() in known for parent in PurePosixPath(path).parents):
            message = f"{_shown(path)} lies below a file. Rename the file or the folder above it."
            raise InvalidPack(message)
    if len(known) < len(paths):
        message = "Two files have one name, or differ in capitals only. Rename one of them."
        raise InvalidPack(message)


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not name.endswith(".")


def _suffixes() -> str:
    return " ".join(sorted(SUFFIXES))


def _shown(path: str) -> str:
    return repr(path[:200])
