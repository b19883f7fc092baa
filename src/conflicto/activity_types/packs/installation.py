"""Installation of packs below the data directory, and their removal.

A pack is written and validated beside the others, then the index names it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from conflicto.activity_types.packs.archive import InvalidPack, read_archive
from conflicto.activity_types.packs.index import INDEX_FILE, LOCK_FILE, InstalledPack, locked, packed_types, read_index, write_index
from conflicto.activity_types.packs.packing import sha256_of
from conflicto.activity_types.registry import FoundTypes, load_registry, types_in
from conflicto.platform.files import sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conflicto.activity_types.model import ActivityType

UNPACKED = ".new"
"""Suffix of folders that no index may name yet."""


class PackConflict(ValueError):
    """A pack cannot be installed beside what is there; the message has a remedy."""


class ReceivedPack(NamedTuple):
    """A pack that was read and not yet validated."""

    name: str
    files: dict[str, bytes]
    sha256: str
    size_bytes: int


class StagedPack(NamedTuple):
    """A validated pack beside the installed ones. `replaced` are packs whose versions it holds.

    A pack whose files were lost or changed is not installed, so that installing it repairs it.
    """

    pack: InstalledPack
    type: ActivityType
    versions: tuple[str, ...]
    replaced: tuple[InstalledPack, ...]
    is_installed: bool


def receive(body: bytes, *, sha256: str | None = None) -> ReceivedPack:
    """Return the content of a pack, whose digest is compared with `sha256` before it is read.

    Raises:
        InvalidPack: the bytes are no pack, or another one than expected.
    """
    found = sha256_of(body)
    if sha256 is not None and found != sha256.lower():
        message = f"The file has another SHA-256: {found}. Ask its author for the right file, and do not install this one."
        raise InvalidPack(message)
    name, files = read_archive(body)
    return ReceivedPack(name, files, found, len(body))


@contextmanager
def staged_pack(
    directory: Path, received: ReceivedPack, *, source: str, installed_at: str, folders: Iterable[Path]
) -> Iterator[StagedPack]:
    """Write and validate a pack where no server looks, and yield it for `install`.

    `folders` are the configured folders, whose types a pack must not meet. No other command changes
    the directory meanwhile. A pack that was not installed is removed again.

    Raises:
        InvalidPack: the folder is no valid type; the message lists all faults.
        PackConflict: the type is there in the same version, from elsewhere or with other content.
    """
    with locked(directory):
        try:
            yield _stage(directory, received, source=source, installed_at=installed_at, folders=folders)
        finally:
            _sweep(directory, read_index(directory))


def _stage(directory: Path, received: ReceivedPack, *, source: str, installed_at: str, folders: Iterable[Path]) -> StagedPack:
    installed = read_index(directory)
    _sweep(directory, installed)
    staged = directory / f"{received.sha256}{UNPACKED}"
    _write(staged / received.name, received.files)
    found = types_in(staged / received.name)
    if found.rejected or not found.types:
        faults = "\n".join(str(fault) for each in found.rejected for fault in each.faults)
        raise InvalidPack(faults)
    newest = found.types[0]
    pack = InstalledPack(name=newest.name, version=newest.version, sha256=received.sha256, source=source, installed_at=installed_at)
    replaced = _replaced(directory, installed, pack, found.types)
    _require_no_conflict(directory, found, (pack, *replaced), folders)
    is_installed = any(each.sha256 == pack.sha256 for each in installed) and _holds(pack.folder(directory), received.files)
    return StagedPack(pack, newest, tuple(each.version for each in found.types), replaced, is_installed)


def install(directory: Path, staged: StagedPack) -> None:
    """Make a staged pack appear, in place of those that it replaces."""
    target = directory / staged.pack.sha256
    if not staged.is_installed:
        _remove(target)
        (directory / f"{staged.pack.sha256}{UNPACKED}").replace(target)
        sync_directory(directory)
    gone = {staged.pack.sha256, *(each.sha256 for each in staged.replaced)}
    kept = [each for each in read_index(directory) if each.sha256 not in gone]
    write_index(directory, [*kept, staged.pack])


def uninstall(directory: Path, name: str, version: str | None) -> tuple[InstalledPack, ...]:
    """Remove the packs of a type, or one version of them, and return them."""
    with locked(directory):
        installed = read_index(directory)
        removed = tuple(each for each in installed if each.name == name and version in {None, each.version})
        if removed:
            kept = [each for each in installed if each not in removed]
            write_index(directory, kept)
            _sweep(directory, kept)
    return removed


def _replaced(
    directory: Path, installed: Iterable[InstalledPack], pack: InstalledPack, types: tuple[ActivityType, ...]
) -> tuple[InstalledPack, ...]:
    """Return the installed packs all of whose versions the new pack holds with equal schemas.

    Raises:
        PackConflict: both hold a version with other content, or the old one holds one more.
    """
    offered = {each.version: each for each in types}
    rivals = [each for each in installed if each.name == pack.name and each.sha256 != pack.sha256]
    replaced = []
    for old in rivals:
        known = {each.version: each for each in types_in(old.folder(directory)).types}
        common = known.keys() & offered.keys()
        if pack.version in common or any(_content(known[each]) != _content(offered[each]) for each in common):
            raise PackConflict(_same_version(pack, old, min(common)))
        if common and known.keys() - common:
            missing = ", ".join(sorted(known.keys() - common))
            message = f"The installed pack of {old.name} {old.version} also holds version {missing}. Add versions/{missing} to the new one."
            raise PackConflict(message)
        replaced += [old] if common else []
    return tuple(replaced)


def _same_version(pack: InstalledPack, old: InstalledPack, version: str) -> str:
    return (
        f"Version {version} of {pack.name} is installed with other content, in the pack of version {old.version}"
        f" (SHA-256 {old.sha256}). Give the new content another version, or first run"
        f" `conflicto types uninstall {old.name} --version {old.version}`."
    )


def _content(known: ActivityType) -> tuple[object, ...]:
    """Return what checks and counts answers, which one version has only once."""
    return known.config_schema, known.response_schema, known.secret_schema, known.aggregate


def _require_no_conflict(directory: Path, found: FoundTypes, absent: Iterable[InstalledPack], folders: Iterable[Path]) -> None:
    """Raise if a server would leave a type of the pack out, beside all others."""
    gone = {each.folder(directory).resolve() for each in absent}
    others = [each for each in packed_types(directory).types if not any(map(each.folder.is_relative_to, gone))]
    registry = load_registry(folders, FoundTypes((*others, *found.types), ()))
    served = {each.folder for each in registry.every_version()}
    if any(each.folder not in served for each in found.types):
        faults = [str(fault) for each in registry.rejected if each.name == found.types[0].name for fault in each.faults]
        raise PackConflict("\n".join(faults))


def _holds(folder: Path, files: dict[str, bytes]) -> bool:
    """Return whether a folder has these files and no others."""
    try:
        paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        return paths == files.keys() and all((folder / path).read_bytes() == content for path, content in files.items())
    except OSError:
        return False


def _remove(damaged: Path) -> None:
    """Remove what lies in the place of a pack, if anything does."""
    if damaged.is_dir() and not damaged.is_symlink():
        shutil.rmtree(damaged)
    else:
        damaged.unlink(missing_ok=True)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a pack durably. Their paths were checked when the archive was read."""
    parents = {folder}
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        parents.update(parent for parent in target.parents if parent.is_relative_to(folder))
        with target.open("xb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
    for parent in (*parents, folder.parent):
        sync_directory(parent)


def _sweep(directory: Path, installed: Iterable[InstalledPack]) -> None:
    """Remove folders that no index names, such as those of an interrupted installation."""
    named = {INDEX_FILE, LOCK_FILE, *(each.sha256 for each in installed)}
    for entry in directory.iterdir():
        if entry.name not in named and entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
