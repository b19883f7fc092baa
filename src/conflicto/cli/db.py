"""`conflicto db`: the database's schema, state and copies."""

from __future__ import annotations

import typer
from rich.console import Console

from conflicto.cli.environment import migrate, settings_or_exit
from conflicto.platform.db.schema import SCHEMA

app = typer.Typer(help="Schema, checks and backups of the database.", no_args_is_help=True)
out = Console(highlight=False)


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema. Safe to run again, and from several machines at once."""
    migrate(settings_or_exit().url)
    out.print(f"The database has schema {SCHEMA}.")
