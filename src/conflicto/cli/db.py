"""`conflicto db`: the database's schema, state and copies."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from conflicto.cli.environment import DIFFERENT, EXIT_CODES, UNUSABLE, USAGE, existing_database, migrate, settings_or_exit
from conflicto.platform.db.backup import BackupFailed, back_up
from conflicto.platform.db.checks import Finding, findings
from conflicto.platform.db.schema import SCHEMA
from conflicto.responses.recount import counter_differences

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx

app = typer.Typer(help=f"Schema, checks and backups of the database. {EXIT_CODES}", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema. Safe to run again, and from several machines at once."""
    migrate(settings_or_exit().url)
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
    file: Annotated[Path, typer.Argument(help="Where to write the copy; mode 0600.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Copy the database while it is in use, and check the copy.

    SQLite: FILE is a database like the original; put it in its place to restore. PostgreSQL: FILE is an archive for pg_restore, made by
    pg_dump. The file signing.key of the data directory is no part of it: keep a copy, or every token dies with it.
    """
    if file.exists() and not force:
        err.print(f"{file} exists. Choose another name, or replace it with --force.", markup=False)
        raise typer.Exit(USAGE)
    with existing_database(settings_or_exit()) as db:
        try:
            back_up(db, file)
        except BackupFailed as error:
            err.print(str(error), markup=False)
            raise typer.Exit(UNUSABLE) from None
    out.print(f"{file}: {file.stat().st_size:,} bytes, checked.", markup=False)


def _checked(tx: ReadTx) -> list[Finding]:
    found = findings(tx)
    if found[0].ok:
        wrong = counter_differences(tx)
        found.append(Finding("counters", not wrong, "; ".join(wrong) or "equal a recount"))
    return found
