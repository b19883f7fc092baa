"""The command line: one module per command or group, and no logic of its own."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer

from conflicto import __version__

COMMANDS = {
    "serve": "conflicto.cli.serve:serve",
    "doctor": "conflicto.cli.doctor:doctor",
    "export": "conflicto.cli.export:export",
    "replay": "conflicto.cli.replay.command:replay",
    "rehearse": "conflicto.cli.rehearse:rehearse",
    "demo": "conflicto.cli.demo:demo",
}
GROUPS = {
    "db": "conflicto.cli.db:app",
    "receipt": "conflicto.cli.receipt:app",
    "token": "conflicto.cli.token:app",
    "types": "conflicto.cli.types:app",
}


def application(only: str | None = None) -> typer.Typer:
    """Return the command line, complete or with the command or group `only`.

    `serve` then starts without the imports of `replay`.
    """
    app = typer.Typer(
        name="conflicto",
        help="Live sessions: polls, quizzes, Q&A and any activity described in JSON.",
        no_args_is_help=True,
        callback=_callback,
    )
    for name, place in {**COMMANDS, **GROUPS}.items():
        if only in {None, name}:
            module, _, attribute = place.partition(":")
            found = getattr(import_module(module), attribute)
            if name in COMMANDS:
                app.command(name)(found)
            else:
                app.add_typer(found, name=name)
    return app


def main() -> None:
    """Run the command line."""
    command = sys.argv[1] if len(sys.argv) > 1 else None
    application(command if command in COMMANDS or command in GROUPS else None)()


def _print_version(is_requested: bool) -> None:  # noqa: FBT001 - typer's callback
    if is_requested:
        typer.echo(f"conflicto {__version__}")
        raise typer.Exit


def _callback(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,  # noqa: FBT002 - typer's way
) -> None:
    """Live sessions: polls, quizzes, Q&A and any activity described in JSON."""
