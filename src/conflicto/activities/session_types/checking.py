"""Checks of a pack before it is stored, in a process of its own with bounds on time and memory.

The parent process reads nothing but the archive's list of files and the child's verdict.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from conflicto.activities.session_types.errors import PackRejected
from conflicto.activities.session_types.model import MAX_PACK_BYTES, PackSummary
from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.kit.conformance import failures
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.packs.archive import InvalidPack, read_archive
from conflicto.platform.sizes import GIB, KIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_CHECK_S = 30
"""Seconds of a check, beside others. Pages wait 10 s for an answer."""

MAX_CPU_S = 10
"""Processor time of a check. The example type of 100 points takes 0.5 s."""

MAX_CHECK_BYTES = 2 * GIB
"""Address space of the child process."""

MAX_FAULTS = 50
"""Faults that a problem lists."""

CHILD = "from conflicto.activities.session_types.checking import print_verdict; print_verdict()"


class PackVerdict(msgspec.Struct):
    """The verdict of a check: all faults, or what the type is."""

    faults: list[str]
    summary: PackSummary | None = None


async def checked_pack(archive: bytes, turn: asyncio.Semaphore) -> PackSummary:
    """Return what a pack holds, once it is its `turn`.

    Raises:
        PackRejected: the pack has faults, or its check takes too long.
    """
    if len(archive) > MAX_PACK_BYTES:
        raise rejected(
            [f"A type for one session has up to {MAX_PACK_BYTES // KIB} KiB. Remove some files, or make pictures smaller."]
        )
    try:
        name, files = await asyncio.to_thread(read_archive, archive)  # it may unpack far more than it is
    except InvalidPack as error:
        raise rejected([str(error)]) from None
    async with turn:
        with tempfile.TemporaryDirectory(prefix="conflicto-pack-") as folder:
            await asyncio.to_thread(write_files, Path(folder) / name, files)
            verdict = await _verdict_of(Path(folder) / name)
    if verdict.summary is None:
        raise rejected(verdict.faults)
    return verdict.summary


def rejected(faults: list[str]) -> PackRejected:
    """Return the problem of a pack with these faults."""
    return PackRejected(extensions={"faults": faults[:MAX_FAULTS]})


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a pack. Their paths were checked when the archive was read."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


async def _verdict_of(folder: Path) -> PackVerdict:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(folder), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        output, _ = await asyncio.wait_for(child.communicate(), MAX_CHECK_S)
        return msgspec.json.decode(output, type=PackVerdict)
    except (TimeoutError, msgspec.DecodeError):
        return PackVerdict(["The check took too much time or memory. Make schemas and views smaller, or try again later."])
    finally:
        with suppress(ProcessLookupError):
            child.kill()


def print_verdict() -> None:
    """Print the verdict of the folder in the arguments: the child process."""
    for kind, limit in ((resource.RLIMIT_CPU, MAX_CPU_S), (resource.RLIMIT_AS, MAX_CHECK_BYTES)):
        resource.setrlimit(kind, (limit, resource.getrlimit(kind)[1]))
    sys.stdout.buffer.write(msgspec.json.encode(verdict_of(Path(sys.argv[1]))))


def verdict_of(folder: Path) -> PackVerdict:
    """Return the verdict of the loader and of the authors' kit."""
    faults = list(_faults(folder))
    if faults:
        return PackVerdict(faults[:MAX_FAULTS])
    known = load_type(folder)
    return PackVerdict(
        [],
        PackSummary(
            known.name, known.version, known.title, known.icon, known.authors, known.license, known.homepage, known.ui,
        ),
    )  # fmt: skip


def _faults(folder: Path) -> Iterator[str]:
    try:
        load_type(folder)
    except InvalidActivityType as error:
        yield from map(str, error.faults)
        return
    yield from failures(folder)
