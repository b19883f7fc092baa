"""`conflicto db`: schema, checks, backup and restore of the database."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

import conflicto.results.tables  # noqa: F401 - with the tables that are imported by others: a copy holds them all
from conflicto.access.identity import read_key_files
from conflicto.cli.environment import (
    EXIT_CODES_HELP,
    EXIT_DIFFERENT,
    EXIT_UNUSABLE,
    EXIT_USAGE,
    existing_database,
    settings_or_exit,
    upgrade_or_exit,
)
from conflicto.cli.restore import inspect_archive, restore_archive
from conflicto.platform.clock import Clock
from conflicto.platform.db.archive import ArchiveInvalid
from conflicto.platform.db.backup import BackupFailed, back_up
from conflicto.platform.db.checks import run_checks
from conflicto.platform.db.dialects.dialect import CheckResult, RestoreRefused
from conflicto.platform.db.schema import SCHEMA
from conflicto.responses.recount.differences import counter_differences

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx

app = typer.Typer(help=f"Schema, checks and backups of the database. {EXIT_CODES_HELP}", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema. Safe to repeat, on several machines too."""
    upgrade_or_exit(settings_or_exit())
    out.print(f"The database has schema {SCHEMA}.")


@app.command()
def check(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check schema, version, durability, integrity and counters; the server may be running.

    Exits with 1 if a check fails, and prints what is wrong.
    """
    with existing_database(settings_or_exit(), any_schema=True) as db:
        found = db.query(_run_checks)
    if as_json:
        print(json.dumps({"ok": all(each.ok for each in found), "checks": [asdict(each) for each in found]}))
    else:
        for each in found:
            out.print(f"{'ok   ' if each.ok else 'WRONG'} {each.name:<11} {each.detail}", markup=False)
    if not all(each.ok for each in found):
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the archive; mode 0600.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Write the whole database to one file while it is in use, and check the file.

    `conflicto db restore` reads it into SQLite or PostgreSQL, whichever it came from. The file
    includes all generated keys, the signing key too: whoever has it can act as anybody. It does not
    include CONFLICTO_SECRET_KEY and CONFLICTO_ADMIN_TOKEN.
    """
    if file.exists() and not force:
        err.print(f"{file} exists. Choose another name, or replace it with --force.", markup=False)
        raise typer.Exit(EXIT_USAGE)
    settings = settings_or_exit()
    with existing_database(settings) as db:
        try:
            rows = back_up(db, file, Clock(), extra_metadata=read_key_files(db, settings.data_dir))
        except BackupFailed as error:
            err.print(str(error), markup=False)
            raise typer.Exit(EXIT_UNUSABLE) from None
    out.print(f"{file}: {file.stat().st_size:,} bytes, {_summary(rows)}.", markup=False)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="An archive of `conflicto db backup`.", exists=True, dir_okay=False)],
    *,
    inspect_only: Annotated[
        bool, typer.Option("--look", help="Read the whole archive, print its content, and change nothing.")
    ] = False,
) -> None:
    """Replace the database of DATABASE_URL by an archive. Stop every server on it first.

    The previous database is kept: SQLite as a file beside it, PostgreSQL in a schema of its own. A
    new epoch begins. Feed positions after the backup answer 410, so that all clients start again.
    Tokens stay valid as long as the signing key is the same.
    """
    try:
        if inspect_only:
            header, rows = inspect_archive(file)
            out.print(
                f"{file}: schema {header.schema}, made {header.made_at} by {header.program} on {header.database}: {_summary(rows)}."
            )
            return
        done = restore_archive(file, settings_or_exit())
    except (ArchiveInvalid, RestoreRefused) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None
    out.print(f"Restored the state of {done.header.made_at}: {_summary(done.rows)}.", markup=False)
    if done.forgotten:
        out.print(f"{done.forgotten:,} participants who were erased after the backup were erased again.")
    for previous in filter(None, (done.previous, done.previous_key)):
        out.print(f"The previous data are kept: {previous}", markup=False)


def _summary(rows: dict[str, int]) -> str:
    return f"{rows.get('sessions', 0):,} sessions, {rows.get('participants', 0):,} participants, {rows.get('responses', 0):,} responses"


def _run_checks(tx: ReadTx) -> list[CheckResult]:
    found = run_checks(tx)
    if found[0].ok:
        faults = counter_differences(tx)
        found.append(CheckResult("counters", not faults, "; ".join(faults) or "equal a recount"))
    return found
