"""`conflicto db`: the database's schema, state and copies."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

import conflicto.results.tables  # noqa: F401 - with the tables that are imported by others: a copy holds them all
from conflicto.access.identity import read_key_files
from conflicto.cli.environment import DIFFERENT, EXIT_CODES, UNUSABLE, USAGE, existing_database, settings_or_exit, upgrade_or_exit
from conflicto.cli.restore import inspect_archive, restore_archive
from conflicto.platform.clock import Clock
from conflicto.platform.db.archive import ArchiveInvalid
from conflicto.platform.db.backup import BackupFailed, back_up
from conflicto.platform.db.checks import CheckResult, run_checks
from conflicto.platform.db.restore import RestoreRefused
from conflicto.platform.db.schema import SCHEMA
from conflicto.responses.recount.differences import counter_differences

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx

app = typer.Typer(help=f"Schema, checks and backups of the database. {EXIT_CODES}", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema. Safe to run again, and from several machines at once."""
    upgrade_or_exit(settings_or_exit())
    out.print(f"The database has schema {SCHEMA}.")


@app.command()
def check(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Look at schema, version, durability and integrity, and hold every counter against a recount; the server may be running.

    Exits with 1 if anything is not as it must be, and says what.
    """
    with existing_database(settings_or_exit(), any_schema=True) as db:
        found = db.query(_checked)
    if as_json:
        print(json.dumps({"ok": all(each.ok for each in found), "checks": [asdict(each) for each in found]}))
    else:
        for each in found:
            out.print(f"{'ok   ' if each.ok else 'WRONG'} {each.name:<11} {each.detail}", markup=False)
    if not all(each.ok for each in found):
        raise typer.Exit(DIFFERENT)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the archive; mode 0600.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Write the whole database to one file while it is in use, and check the file.

    `conflicto db restore` reads it back into SQLite or PostgreSQL, whichever it came from. It holds everything that the installation made
    itself, the signing key included: whoever has it can be everybody. CONFLICTO_SECRET_KEY and CONFLICTO_ADMIN_TOKEN are not in it.
    """
    if file.exists() and not force:
        err.print(f"{file} exists. Choose another name, or replace it with --force.", markup=False)
        raise typer.Exit(USAGE)
    settings = settings_or_exit()
    with existing_database(settings) as db:
        try:
            rows = back_up(db, file, Clock(), extra_metadata=read_key_files(db, settings.data_dir))
        except BackupFailed as error:
            err.print(str(error), markup=False)
            raise typer.Exit(UNUSABLE) from None
    out.print(f"{file}: {file.stat().st_size:,} bytes, {_told(rows)}.", markup=False)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="An archive of `conflicto db backup`.", exists=True, dir_okay=False)],
    *,
    look: Annotated[
        bool, typer.Option("--look", help="Read the archive to its end, say what is in it, and change nothing.")
    ] = False,
) -> None:
    """Put an archive in the place of the database of DATABASE_URL; stop every server on it first.

    What was there is kept: SQLite as a file beside it, PostgreSQL in a schema of its own. A new epoch begins: positions of the feeds from
    after the backup answer 410, so that everyone who followed along begins again. Tokens hold as long as the signing key is the same.
    """
    try:
        if look:
            header, rows = inspect_archive(file)
            out.print(
                f"{file}: schema {header.schema}, made {header.made_at} by {header.program} on {header.database}: {_told(rows)}."
            )
            return
        done = restore_archive(file, settings_or_exit())
    except (ArchiveInvalid, RestoreRefused) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(UNUSABLE) from None
    out.print(f"Restored what was there at {done.header.made_at}: {_told(done.rows)}.", markup=False)
    if done.forgotten:
        out.print(f"{done.forgotten:,} participants who left and were forgotten after it were forgotten again.")
    for kept in filter(None, (done.previous, done.previous_key)):
        out.print(f"What was there before is kept: {kept}", markup=False)


def _told(rows: dict[str, int]) -> str:
    return f"{rows.get('sessions', 0):,} sessions, {rows.get('participants', 0):,} participants, {rows.get('responses', 0):,} responses"


def _checked(tx: ReadTx) -> list[CheckResult]:
    found = run_checks(tx)
    if found[0].ok:
        wrong = counter_differences(tx)
        found.append(CheckResult("counters", not wrong, "; ".join(wrong) or "equal a recount"))
    return found
