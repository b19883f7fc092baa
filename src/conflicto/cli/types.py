"""`conflicto types`: creates and checks activity types, and upgrades activities to new versions."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from conflicto.activities.queries import stored_versions
from conflicto.activity_types.kit.conformance import CHECKS, failures
from conflicto.activity_types.kit.property_tests import property_failures
from conflicto.activity_types.kit.scaffold import InvalidTypeName, ScaffoldParts, create_type
from conflicto.activity_types.loader import load_type
from conflicto.cli.dev.command import dev
from conflicto.cli.dev.pictures import NoPictures, take_pictures
from conflicto.cli.environment import (
    EXIT_CODES_HELP,
    EXIT_DIFFERENT,
    EXIT_UNUSABLE,
    EXIT_USAGE,
    existing_database,
    printable,
    registered_types,
    settings_or_exit,
)
from conflicto.cli.preflight import exclusive_database
from conflicto.cli.type_packs import install, pack, uninstall
from conflicto.cli.type_upgrade import UpgradeSummary, upgrade_activities
from conflicto.web.page_bundle import declarations

if TYPE_CHECKING:
    from conflicto.activity_types.registry import Registry

app = typer.Typer(help=f"Make and test activity types. {EXIT_CODES_HELP}", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

for further_command in (dev, pack, install, uninstall):
    app.command()(further_command)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What activities of the type are called, such as mood.")],
    folder: Annotated[Path, typer.Option(help="Where its folder is made.")] = Path(),
    *,
    views: Annotated[bool, typer.Option("--views", help="With a view for phones and one for the screen.")] = False,
    secret: Annotated[bool, typer.Option("--secret", help="With a secret, the right answer, and a score.")] = False,
    package: Annotated[bool, typer.Option("--package", help="As a Python package with an entry point.")] = False,
) -> None:
    """Make the folder of a new type; it passes `conflicto types check` from the start."""
    try:
        created = create_type(name, folder, ScaffoldParts(views, secret, package))
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
    out.print(f"{folder.resolve().name} is valid: {len(CHECKS)} checks passed", markup=False)


@app.command("test")
def run_tests(
    folder: Annotated[Path, typer.Argument(help="The type's folder.", exists=True, file_okay=False)],
    seed: Annotated[int, typer.Option(help="Another seed generates other configs and answers.")] = 0,
    pictures: Annotated[Path | None, typer.Option(help="Write pictures of all pages into this folder; needs Playwright.")] = None,
) -> None:
    """Run the conformance kit, then property tests with generated configs and answers.

    Pictures show phone, screen, host page and report in light and dark, with answers of scripted
    participants.
    """
    messages = failures(folder.resolve()) or list(property_failures(load_type(folder.resolve()), seed))
    for each in messages:
        err.print(each, markup=False)
    if messages:
        raise typer.Exit(EXIT_DIFFERENT)
    out.print(f"{folder.resolve().name} is valid: {len(CHECKS)} checks and all property tests passed", markup=False)
    if pictures is not None:
        _take_pictures(folder.resolve(), pictures)


def _take_pictures(folder: Path, target: Path) -> None:
    try:
        for path in take_pictures(folder, target):
            out.print(f"Wrote {path}", markup=False)
    except NoPictures as error:
        err.print(printable(str(error)), markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None


@app.command()
def sdk(folder: Annotated[Path, typer.Argument(help="The folder that contains types.", exists=True, file_okay=False)]) -> None:
    """Write the declarations of the interface for views, by which editors complete and check them.

    They lie beside the types, where the imports of views lead.
    """
    for name, text in declarations().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    out.print(f"Wrote the declarations of sdk for the views of types in {folder}", markup=False)


@app.command("list")
def list_(
    *, origin: Annotated[bool, typer.Option("--origin", help="Name the package or pack, or that it is a folder.")] = False
) -> None:
    """List the types that a server with these settings serves; others make the exit code 1."""
    types = registered_types(settings_or_exit())
    for known in types.every_version():
        line = f"{known.name} {known.version}  {known.title}" + (f"  {known.origin}" if origin else "")
        out.print(printable(line), markup=False)
    if types.rejected:
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def upgrade(
    names: Annotated[list[str] | None, typer.Argument(help="The types to upgrade; without a name all.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try every step on every answer, and change nothing.")] = False,
) -> None:
    """Bring activities with their answers to the newest version of their types.

    One transaction upgrades everything of an activity, or nothing. A repeated run continues. An
    embedded database has no server meanwhile. Activities that do not fit stay as they are, and make
    the exit code 1. So do activities whose type or version is not registered.
    """
    settings = settings_or_exit()
    types = registered_types(settings)
    with nullcontext() if dry_run else exclusive_database(settings), existing_database(settings) as db:
        known = {*(each.name for each in types.all()), *(each.type for each in db.query(stored_versions))}
        unknown = [name for name in names or () if name not in known]
        if unknown:
            err.print(f"There is no type {', '.join(unknown)}. Types: {', '.join(sorted(known))}.", markup=False)
            raise typer.Exit(EXIT_USAGE)
        summary = upgrade_activities(db, types, names or sorted(known), dry_run=dry_run)
    _print_upgrade(summary, "Would upgrade" if dry_run else "Upgraded")
    _print_unavailable(summary, types)
    if summary.failed or summary.unavailable:
        raise typer.Exit(EXIT_DIFFERENT)


def _print_upgrade(summary: UpgradeSummary, verb: str) -> None:
    for stride, activities in sorted(summary.activities.items()):
        sessions, responses = len(summary.sessions[stride]), summary.responses[stride]
        out.print(f"{verb} {stride}: {activities:,} activities of {sessions:,} sessions, {responses:,} answers.", markup=False)
    for stride, activities in sorted(summary.stranded.items()):
        out.print(f"{stride}: no declared steps for {activities:,} activities. Keep that version registered.", markup=False)
    for failure in summary.failures:
        err.print(failure, markup=False)
    if summary.failed:
        err.print(f"{summary.failed:,} activities do not fit and stay as they are.", markup=False)
    if not (summary.activities or summary.stranded or summary.failed or summary.unavailable):
        out.print("Every activity has the newest version of its type.", markup=False)


def _print_unavailable(summary: UpgradeSummary, types: Registry) -> None:
    """Print which activities this server cannot check, and what to do."""
    left_out = {each.name for each in types.rejected}
    for name, version, activities in summary.unavailable:
        if known := types.versions(name):
            reason = f"only version {', '.join(known)} is registered. Register it too, or declare upgrades/{version}.json."
        elif name in left_out:
            reason = "the type is left out. Correct its faults, which are listed above."
        else:
            reason = "the type is not registered. Is CONFLICTO_ACTIVITY_TYPES that of the server?"
        err.print(f"{name} {version}: {activities:,} activities stay as they are and take no answers: {reason}", markup=False)
