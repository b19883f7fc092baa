"""`conflicto export`: the answers of a session as a file."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.console import Console

from conflicto.cli.environment import EXIT_CODES_HELP, EXIT_UNUSABLE, existing_database, registered_types, settings_or_exit
from conflicto.exports.files import FileFormat, write_file
from conflicto.exports.reader import ResponseReader
from conflicto.exports.sheets import Shape, anonymous_titles, session_questions
from conflicto.sessions.queries import session_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.registry import Registry
    from conflicto.platform.db.transaction import ReadTx

err = Console(stderr=True, highlight=False, soft_wrap=True)


def export(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Id or join code.")],
    form: Annotated[
        FileFormat, typer.Option("--format", help="JSON Lines hold every answer as it was sent; the others are for spreadsheets.")
    ] = FileFormat.JSONL,
    shape: Annotated[
        Shape,
        typer.Option(
            help="A row for each answer (long: for each part of one), for each participant (wide: a column for each option), or option."
        ),
    ] = Shape.RESPONSES,
    output: Annotated[
        Path | None, typer.Option(help="File to write, replaced once it is whole; without it standard output.")
    ] = None,
) -> None:
    """Write a session's answers, all rounds, in one snapshot; the server may be running.

    In jsonl, shapes responses and table, `response_data` stands exactly as it was sent. In csv and
    xlsx answers are shown by the labels of their options. A value that looks like a formula is text
    in xlsx, and gets an apostrophe in csv. Answers to anonymous activities never stand beside a
    participant: in table and wide each has a row of its own, at the end, sorted by text.
    """
    settings = settings_or_exit()
    types = registered_types(settings)
    with existing_database(settings) as db, _output_file(output) as sink:
        anonymous = db.query(_write_export, session, form, shape, sink, types)
    if anonymous and shape in {Shape.TABLE, Shape.WIDE}:
        err.print(f"Anonymous, so in rows of their own without participant: {', '.join(anonymous)}.", markup=False)


export.__doc__ = f"{export.__doc__}\n    {EXIT_CODES_HELP}"


def _write_export(tx: ReadTx, session_name: str, form: FileFormat, shape: Shape, sink: BinaryIO, types: Registry) -> list[str]:
    session = session_by_name(tx, session_name)
    write_file(ResponseReader(tx, session.id), form, shape, sink, types)
    return anonymous_titles(session_questions(tx, session.id, types))


@contextmanager
def _output_file(output: Path | None) -> Iterator[BinaryIO]:
    """Yield the output: standard output, or a private file that is named once complete."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    partial = output.with_name(f"{output.name}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        partial.replace(output)
    except OSError as error:
        err.print(f"{output}: {error.strerror}", markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None
    finally:
        partial.unlink(missing_ok=True)
