"""`conflicto export`."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.console import Console

from conflicto.cli.environment import EXIT_CODES, UNUSABLE, existing_database, settings_or_exit
from conflicto.exports.csv import anonymous_titles, csv_lines
from conflicto.exports.jsonl import jsonl_lines
from conflicto.sessions.queries import named_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.platform.db.transaction import ReadTx

err = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """How the answers are written."""

    JSONL = "jsonl"
    CSV = "csv"


LINES = {Format.JSONL: jsonl_lines, Format.CSV: csv_lines}


def export(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Id or join code.")],
    form: Annotated[
        Format, typer.Option("--format", help="A line for each answer, or a table of people by activities.")
    ] = Format.JSONL,
    output: Annotated[
        Path | None, typer.Option(help="File to write, replaced once it is whole; without it standard output.")
    ] = None,
) -> None:
    """Write a session's answers, all rounds, in one snapshot; the server may be running.

    jsonl: one answer a line, `response_data` exactly as it was sent. csv: for spreadsheets; an answer that is one value, or an object with
    one value, is a plain cell, any other is JSON, and what looks like a formula gets an apostrophe. Answers to anonymous activities
    never stand beside a participant: in the table each has a row of its own, at the end, in the order of the text.
    """
    with existing_database(settings_or_exit()) as db, _sink(output) as sink:
        apart = db.query(_written, session, form, sink)
    if apart and form is Format.CSV:
        err.print(f"Anonymous, so in rows of their own without participant: {', '.join(apart)}.", markup=False)


export.__doc__ = f"{export.__doc__}\n    {EXIT_CODES}"


def _written(tx: ReadTx, named: str, form: Format, sink: BinaryIO) -> list[str]:
    session = named_session(tx, named)
    sink.writelines(LINES[form](tx, session.id))
    return anonymous_titles(tx, session.id)


@contextmanager
def _sink(output: Path | None) -> Iterator[BinaryIO]:
    """Yield where to write: a file that takes its name when it is whole, readable by its owner alone, or standard output."""
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
        raise typer.Exit(UNUSABLE) from None
    finally:
        partial.unlink(missing_ok=True)
