"""The command line: one file for each noun, each command short; no business code lives here alone."""

from __future__ import annotations

import typer

from conflicto.cli import db, demo, export, serve, token
from conflicto.cli.replay.command import replay

app = typer.Typer(
    name="conflicto", help="Live sessions: a host lines up activities, everybody follows along.", no_args_is_help=True
)
app.command("serve")(serve.serve)
app.command("export")(export.export)
app.command("replay")(replay)
app.command("demo")(demo.demo)
app.add_typer(db.app, name="db")
app.add_typer(token.app, name="token")


def main() -> None:
    """Run the command line."""
    app()
