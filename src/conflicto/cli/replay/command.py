"""The command itself: options in, summary out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop
from rich.console import Console

from conflicto.cli.environment import EXIT_DIFFERENT, EXIT_UNUSABLE, EXIT_USAGE
from conflicto.cli.replay.client import RequestFailed
from conflicto.cli.replay.run import Target, run_replay
from conflicto.cli.replay.session import Plan
from conflicto.cli.replay.table import Table, TableInvalid, read_table

if TYPE_CHECKING:
    from conflicto.cli.replay.run import Outcome

MAX_SHOWN_MISMATCHES = 20
"""Mismatches that are printed; `--json` has them all."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def replay(
    file: Annotated[
        Path, typer.Argument(help="CSV with a header: a column is an activity, a row a participant, a cell an answer.")
    ],
    url: Annotated[str, typer.Option(help="The running server.")] = "http://127.0.0.1:8000",
    connections: Annotated[int, typer.Option(help="Connections that send at once.", min=1, max=1000)] = 64,
    title: Annotated[str | None, typer.Option(help="The session's title; without it the file's name.")] = None,
    type_: Annotated[str, typer.Option("--type", help="The activities' type.")] = "replay",
    *,
    admin_token: Annotated[str, typer.Option(envvar="CONFLICTO_ADMIN_TOKEN", help="The operator's token.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Replay a table of answers as a live session, read everything back, and compare each cell.

    An answer is `{"value": cell}`: the cell as a number if it is one, else as a string. Empty cells
    send nothing. The session stays active with its last activity.

    Exit codes: 0 all equal, 1 something differs, 2 the file is not a table, 3 the server refuses or
    does not answer.
    """
    table = table_or_exit(file)
    target = Target(url, admin_token, connections)
    outcome = outcome_or_exit(target, table, Plan(title or file.stem, type_, {}))
    show(outcome, table, as_json=as_json)
    if outcome.report.mismatches:
        raise typer.Exit(EXIT_DIFFERENT)


def table_or_exit(file: Path) -> Table:
    """Return the file's table, or print what is wrong with it and exit with 2."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return read_table(lines)
    except (OSError, TableInvalid) as error:
        err.print(f"{file}: {getattr(error, 'strerror', None) or error}", markup=False)
        raise typer.Exit(EXIT_USAGE) from None


def outcome_or_exit(target: Target, table: Table, plan: Plan) -> Outcome:
    """Replay, or print the server's refusal and exit with 3."""
    try:
        return uvloop.run(run_replay(target, table, plan, err))
    except RequestFailed as error:
        err.print(str(error), markup=False)
        raise typer.Exit(EXIT_UNUSABLE) from None


def show(outcome: Outcome, table: Table, *, as_json: bool) -> None:
    """Print the summary, as text or as one JSON object."""
    mismatches = outcome.report.mismatches
    if as_json:
        figures = {"cells": outcome.report.cells, "participants": len(table.rows), "activities": len(table.columns),
                   "retries": outcome.retries, "seconds": round(outcome.seconds, 3), "joins_per_s": round(outcome.joins_per_s),
                   "responses_per_s": round(outcome.responses_per_s)}  # fmt: skip
        found = [asdict(each) for each in mismatches]
        print(json.dumps({"session_id": outcome.session.session_id, **figures, "mismatches": found}, ensure_ascii=False))
        return
    for each in mismatches[:MAX_SHOWN_MISMATCHES]:
        out.print(f"{each.column}, row {each.row}: expected {each.expected}, found {each.found}", markup=False)
    out.print(
        f"{outcome.report.cells:,} cells of {len(table.rows):,} participants in {len(table.columns)} activities "
        f"compared, mismatches {len(mismatches):,}."
    )
    out.print(
        f"{outcome.joins_per_s:,.0f} joins/s, {outcome.responses_per_s:,.0f} responses/s, {outcome.retries} sent again, "
        f"{outcome.seconds:.1f} s in all. Session {outcome.session.session_id}, code {outcome.session.join_code}."
    )
