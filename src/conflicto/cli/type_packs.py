"""`conflicto types pack`, `install` and `uninstall`: types as files that strangers send."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from conflicto.activity_types.kit.conformance import failures
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.packs.archive import MAX_ARCHIVE_BYTES, InvalidPack
from conflicto.activity_types.packs.index import InvalidIndex, PacksBusy
from conflicto.activity_types.packs.installation import PackConflict, StagedPack, receive, staged_pack
from conflicto.activity_types.packs.installation import install as install_staged
from conflicto.activity_types.packs.installation import uninstall as uninstall_packs
from conflicto.activity_types.packs.packing import pack_folder
from conflicto.activity_types.registry import GROUP
from conflicto.cli.environment import EXIT_DIFFERENT, EXIT_UNUSABLE, EXIT_USAGE, printable, settings_or_exit
from conflicto.platform.clock import Clock
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.packs.installation import ReceivedPack

RESTART = "Restart the server, and every further machine's after the same command there."

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def pack(
    folder: Annotated[Path, typer.Argument(help="The type's folder.", exists=True, file_okay=False)],
    to: Annotated[Path, typer.Option(help="Where the file is written.", file_okay=False)] = Path(),
) -> None:
    """Pack a type's folder into one file, NAME-VERSION.zip, for `conflicto types install`.

    Equal folders give equal files. A folder that `conflicto types check` refuses is not packed.
    """
    folder = folder.resolve()
    if messages := failures(folder):
        for each in messages:
            err.print(printable(each), markup=False)
        raise typer.Exit(EXIT_DIFFERENT)
    known = load_type(folder)
    try:
        packed = pack_folder(folder)
    except InvalidPack as error:
        err.print(printable(str(error)), markup=False)
        raise typer.Exit(EXIT_DIFFERENT) from None
    except OSError as error:
        err.print(printable(f"{error.filename} cannot be read: {error.strerror}. Remove it, or make it readable."), markup=False)
        raise typer.Exit(EXIT_DIFFERENT) from None
    file = to / f"{known.name}-{known.version}.zip"
    _write(file, packed.body)
    for path in packed.left_out:
        err.print(f"Left out, as no type uses such files: {printable(path)}", markup=False)
    out.print(f"Packed {file}: {packed.files} files, {len(packed.body):,} bytes\nSHA-256 {packed.sha256}", markup=False)


def install(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that `conflicto types pack` made.")],
    sha256: Annotated[str | None, typer.Option(help="Install nothing else than the file with this SHA-256.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Install a packed type, after showing its hash, origin and what it may do.

    The type lies in the data directory and is served after a restart. A Python package is installed
    by the installer of its environment, because its code runs in the server.
    """
    _refuse_package(file)
    settings = settings_or_exit()
    received = _read(Path(file), sha256)
    at, source = rfc3339(Clock().wall_us()), str(Path(file).resolve())
    folders = settings.activity_types
    staging = partial(staged_pack, settings.packs_path, received, source=source, installed_at=at, folders=folders)
    with _faults_printed():
        with staging() as seen:
            _describe(received, seen)
        if seen.is_installed:
            out.print("It is installed already.")
            return
        _ask(yes=yes)  # without the lock, which other commands wait for
        with staging() as staged:
            _require_same(seen, staged)
            install_staged(settings.packs_path, staged)
    out.print(f"Installed {staged.pack.name} {staged.pack.version}. {RESTART}", markup=False)


def uninstall(
    name: Annotated[str, typer.Argument(help="The type.")],
    version: Annotated[str | None, typer.Option(help="Only the pack of this version.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an installed pack. Activities of the type are kept, and take no answers without it."""
    settings = settings_or_exit()
    _ask(yes=yes, question=f"Remove {printable(name)} {printable(version or '')}".rstrip())
    with _faults_printed():
        removed = uninstall_packs(settings.packs_path, name, version)
    if not removed:
        err.print(f"No pack of {name} is installed. `conflicto types list --origin` lists them.", markup=False)
        raise typer.Exit(EXIT_USAGE)
    for each in removed:
        out.print(f"Removed {each.name} {each.version} (SHA-256 {each.sha256}).", markup=False)
    out.print(RESTART)


def _write(file: Path, body: bytes) -> None:
    """Write a pack, or print why not and exit."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    except OSError as error:
        sentence = f"{file} cannot be written: {error.strerror}. Name a folder that this user may write: --to FOLDER."
        err.print(printable(sentence), markup=False)
        raise typer.Exit(EXIT_DIFFERENT) from None


@contextmanager
def _faults_printed() -> Iterator[None]:
    """Print why a pack cannot be installed, and exit."""
    try:
        yield
    except (InvalidPack, PackConflict) as error:
        for line in str(error).splitlines():
            err.print(printable(line), markup=False)
        raise typer.Exit(EXIT_DIFFERENT) from None
    except (PacksBusy, InvalidIndex) as error:
        err.print(printable(str(error)), markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None
    except OSError as error:
        place = printable(f"{error.filename} ({error.strerror})")
        err.print(
            f"The folder of packs cannot be used: {place}. Make it a folder that this user may write, or set CONFLICTO_DATA_DIR.",
            markup=False,
        )
        raise typer.Exit(EXIT_UNUSABLE) from None


def _require_same(seen: StagedPack, staged: StagedPack) -> None:
    """Raise if the installation would now do something else than what the operator saw."""
    if (seen.is_installed, seen.replaced) != (staged.is_installed, staged.replaced):
        message = "Another command changed the packs meanwhile, so nothing was installed. Run this one again."
        raise PackConflict(message)


def _refuse_package(name: str) -> None:
    """Exit with an explanation if the argument is a Python package instead of a file."""
    try:
        if Path(name).exists():
            return
        entries = distribution(name).entry_points.select(group=GROUP)
    except (PackageNotFoundError, ValueError, OSError):  # OSError: a name that is too long for a file
        entries = None
    if entries:
        err.print(f"The package {name} is installed, and its types are served: `conflicto types list --origin`.", markup=False)
    else:
        err.print(
            f"There is no file {printable(name)}. A Python package runs code in the server, so only its own installer"
            " installs it, as in `pip install NAME`. Then restart the server.",
            markup=False,
        )
    raise typer.Exit(EXIT_USAGE)


def _read(file: Path, sha256: str | None) -> ReceivedPack:
    """Return the content of a file, or print why not and exit."""
    try:
        with file.open("rb") as opened:
            received = receive(opened.read(MAX_ARCHIVE_BYTES + 1), sha256=sha256)
    except IsADirectoryError:
        err.print(
            printable(f"{file} is a folder. Run `conflicto types pack {file}`, and install the file that it makes."), markup=False
        )
        raise typer.Exit(EXIT_USAGE) from None
    except OSError as error:
        err.print(printable(f"{file} cannot be read: {error.strerror}. Make it readable for this user."), markup=False)
        raise typer.Exit(EXIT_USAGE) from None
    except InvalidPack as error:
        err.print(printable(str(error)), markup=False)
        raise typer.Exit(EXIT_DIFFERENT) from None
    return received


def _describe(received: ReceivedPack, staged: StagedPack) -> None:
    """Print what an operator should know before installing."""
    known = staged.type
    views = ", ".join(known.ui)
    lines = {
        "File": f"{staged.pack.source}, {len(received.files)} files, {received.size_bytes:,} bytes",
        "SHA-256": received.sha256,
        "Versions": ", ".join(staged.versions),
        "Authors": ", ".join(known.authors) or "not named",
        "Licence": known.license or "not named",
        "Homepage": known.homepage or "not named",
        "Requires": f"Conflicto {known.requires}" if known.requires else "any version of Conflicto",
        "Data": "schemas, texts and counting; none of its code runs in the server",
        "Views": f"{views}: in sandboxed frames without token, storage and network" if views else "none",
        "Replaces": ", ".join(f"{each.name} {each.version}" for each in staged.replaced),
    }
    out.print(printable(f"{known.name} {known.version}: {known.title}"), markup=False)
    for label, text in lines.items():
        if text:
            out.print(f"  {label:<9} {printable(text)}", markup=False)
    out.print("Authors, licence and homepage are what the file says; nobody verified them.")


def _ask(*, yes: bool, question: str = "Install it") -> None:
    """Ask before a change; exit without a yes, or without a terminal to ask at."""
    if yes:
        return
    if not _is_terminal():
        err.print("There is no terminal to ask at. Add --yes to go on without a question.")
        raise typer.Exit(EXIT_USAGE)
    if not typer.confirm(f"{question}?"):
        raise typer.Exit(EXIT_DIFFERENT)


def _is_terminal() -> bool:
    return sys.stdin.isatty()
