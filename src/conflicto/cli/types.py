"""`conflicto types`: creates the package of a new activity type, and checks one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from conflicto.activity_types.scaffold import InvalidTypeName, create_type
from conflicto.activity_types.testing import failures
from conflicto.cli.environment import EXIT_CODES_HELP, EXIT_DIFFERENT, EXIT_USAGE, registered_types, settings_or_exit

app = typer.Typer(help=f"Make and test activity types. {EXIT_CODES_HELP}", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What activities of the type are called, such as mood.")],
    folder: Annotated[Path, typer.Option(help="Where its folder is made.")] = Path(),
) -> None:
    """Make the folder of a new type; it passes `conflicto types check` from the start."""
    try:
        created = create_type(name, folder)
    except InvalidTypeName as error:
        err.print(str(error), markup=False)
        raise typer.Exit(EXIT_USAGE) from None
    out.print(f"Made {created}", markup=False)


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="The type's folder.", exists=True, file_okay=False)]) -> None:
    """Test a type's folder against the conformance kit."""
    messages = failures(folder.resolve())
    for each in messages:
        err.print(each, markup=False)
    if messages:
        raise typer.Exit(EXIT_DIFFERENT)
    out.print(f"{folder.resolve().name} keeps every promise", markup=False)


@app.command("list")
def list_(origin: Annotated[bool, typer.Option("--origin", help="Name the package, or that it is a folder.")] = False) -> None:  # noqa: FBT002 - a flag
    """List the types that a server with these settings serves; others make the exit code 1."""
    types = registered_types(settings_or_exit())
    for known in types.all():
        out.print(f"{known.name} {known.version}  {known.title}" + (f"  {known.origin}" if origin else ""), markup=False)
    if types.rejected:
        raise typer.Exit(EXIT_DIFFERENT)
