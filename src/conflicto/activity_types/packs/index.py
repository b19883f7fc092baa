"""Index of installed packs: `packs.json` in the directory of packs lists them.

Each pack lies in a folder that its digest names. Replacing the index is the one step that makes
packs appear and disappear, so a crash leaves the old packs or the new ones.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from time import sleep
from typing import TYPE_CHECKING, Annotated

import msgspec

from conflicto.activity_types.errors import TypeFault
from conflicto.activity_types.folder_files.manifest import NAME, VERSION
from conflicto.activity_types.origin import Origin, OriginKind
from conflicto.activity_types.registry import FoundTypes, RejectedType, types_in
from conflicto.platform.clock import Clock
from conflicto.platform.files import sync_directory
from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

INDEX_FILE = "packs.json"
LOCK_FILE = "lock"
MAX_INDEX_BYTES = MIB
MAX_LOCK_WAIT_S = 10.0
LOCK_POLL_INTERVAL_S = 0.1
REQUIRES = "/requires"
SHOWN_DIGITS = 12
"""Hexadecimal digits of a digest in lists."""


class InstalledPack(msgspec.Struct, frozen=True, kw_only=True):
    """One installed pack: what it was read from, and when."""

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    version: Annotated[str, msgspec.Meta(pattern=VERSION)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    source: str
    installed_at: str

    def folder(self, directory: Path) -> Path:
        """Return the folder of the type."""
        return directory / self.sha256 / self.name

    def origin(self) -> Origin:
        """Return the origin of its types."""
        return Origin(OriginKind.PACK, f"sha256:{self.sha256[:SHOWN_DIGITS]}")


class InvalidIndex(ValueError):
    """The index cannot be read; installed packs stay where they are. `fault` has a remedy."""

    def __init__(self, fault: TypeFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class PacksBusy(Exception):
    """Another command changes the packs for too long; the message has a remedy."""


def read_index(directory: Path) -> tuple[InstalledPack, ...]:
    """Return the installed packs; none if nothing was ever installed.

    Raises:
        InvalidIndex: the file is damaged, or cannot be read.
    """
    try:
        with (directory / INDEX_FILE).open("rb") as opened:
            body = opened.read(MAX_INDEX_BYTES + 1)
        return msgspec.json.decode(body, type=tuple[InstalledPack, ...])
    except FileNotFoundError:
        return ()
    except OSError as error:
        remedy = f"Make {directory} a folder that this user may use, or set CONFLICTO_DATA_DIR."
        raise InvalidIndex(TypeFault(str(directory / INDEX_FILE), "", f"cannot be read ({error.strerror})", remedy)) from None
    except msgspec.DecodeError as error:
        remedy = "Restore the file, or remove it and install the packs again."
        raise InvalidIndex(TypeFault(str(directory / INDEX_FILE), "", f"is damaged ({_in_words(error)})", remedy)) from None


def _in_words(error: msgspec.DecodeError) -> str:
    """Return what is wrong; messages of validation may hold a regular expression."""
    if isinstance(error, msgspec.ValidationError):
        return f"there is no list of packs, or no valid entry, at {str(error).partition(' - at ')[2] or '`$`'}"
    return str(error)


def write_index(directory: Path, packs: Iterable[InstalledPack]) -> None:
    """Replace the index; durable before it returns."""
    ordered = sorted(packs, key=lambda each: (each.name, each.version))
    temporary = directory / f"{INDEX_FILE}.new"
    with temporary.open("wb") as opened:
        opened.write(msgspec.json.format(msgspec.json.encode(ordered), indent=1) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(directory / INDEX_FILE)
    sync_directory(directory)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Create the directory, and let one command at a time change it.

    Raises:
        PacksBusy: another command does not end.
    """
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    with (directory / LOCK_FILE).open("wb") as file:
        _lock(file.fileno(), directory)
        yield


def _lock(descriptor: int, directory: Path) -> None:
    clock = Clock()
    deadline_s = clock.monotonic_s() + MAX_LOCK_WAIT_S
    while not _is_locked(descriptor):
        if clock.monotonic_s() >= deadline_s:
            message = f"Another command changes the packs in {directory}. Wait until it ends, or stop it, and run this one again."
            raise PacksBusy(message)
        sleep(LOCK_POLL_INTERVAL_S)


def _is_locked(descriptor: int) -> bool:
    """Take the lock unless another process has it, and return whether it is taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def packed_types(directory: Path) -> FoundTypes:
    """Return the types of the installed packs. A damaged index is told as a fault."""
    try:
        packs = read_index(directory)
    except InvalidIndex as error:
        return FoundTypes((), (RejectedType(INDEX_FILE, Origin(OriginKind.PACK), (error.fault,)),))
    found = [_types_of(each, directory) for each in packs]
    return FoundTypes(tuple(each for part in found for each in part.types), tuple(each for part in found for each in part.rejected))


def _types_of(pack: InstalledPack, directory: Path) -> FoundTypes:
    """Return the types of a pack, whose files nobody edits, so their faults have its own remedy.

    A pack that needs another version of the program is whole, and keeps the loader's remedy.
    """
    found = types_in(pack.folder(directory), pack.origin())
    remedy = (
        "Install the pack again: `conflicto types install FILE`."
        f" Or remove it: `conflicto types uninstall {pack.name} --version {pack.version}`."
    )
    rejected = [each._replace(faults=tuple(_repaired_by(fault, remedy) for fault in each.faults)) for each in found.rejected]
    return FoundTypes(found.types, tuple(rejected))


def _repaired_by(fault: TypeFault, remedy: str) -> TypeFault:
    return fault if fault.pointer == REQUIRES else fault._replace(remedy=remedy)
