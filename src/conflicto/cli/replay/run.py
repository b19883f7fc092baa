"""One replay from the first request to the verdict; the command and the demo both call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conflicto.cli.replay.client import connected
from conflicto.cli.replay.comparison import FeedItem, Report, compare
from conflicto.cli.replay.session import Stage, answer_column, build_stage, read_back, seat_rows
from conflicto.platform.clock import Clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task

    from conflicto.cli.replay.session import Plan
    from conflicto.cli.replay.table import Table


@dataclass(frozen=True, slots=True)
class Target:
    """Where to replay: the server's address, its admin token, and how many connections to use."""

    url: str
    admin_token: str
    connections: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay did. `feeds` are the answers by column, as the server gave them back."""

    stage: Stage
    report: Report
    feeds: tuple[list[FeedItem], ...]
    joins_per_s: float
    responses_per_s: float
    seconds: float
    retries: int


class PerSecond(TextColumn):
    """How many a second, over the whole task."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> str:  # type: ignore[override]
        """Return the rate as text."""
        return f"{_rate(task):7,.0f}/s"


async def run_replay(target: Target, table: Table, plan: Plan, screen: Console) -> Outcome:
    """Send the whole table, read everything back, and compare.

    Raises:
        Refused: the server would not take something, or does not answer.
    """
    began_s = Clock().monotonic_s()
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), PerSecond(), TimeElapsedColumn())
    async with connected(target.url, target.connections) as server:
        await server.greet()
        stage = await build_stage(server, table, plan, target.admin_token)
        with Progress(*columns, console=screen) as progress:
            joining = progress.add_task("joins", total=len(table.rows))
            seats = await seat_rows(server, stage, len(table.rows), lambda: progress.advance(joining))
            sending = progress.add_task("responses", total=table.cells)
            for nth in range(len(table.columns)):
                await answer_column(server, stage, table, nth, seats, lambda: progress.advance(sending))
        feeds = tuple([await read_back(server, stage, nth) for nth in range(len(table.columns))])
    report = compare(table, [seat.participant_id for seat in seats], feeds)
    joins_per_s, responses_per_s = (_rate(task) for task in progress.tasks)
    return Outcome(
        stage, report, feeds, joins_per_s, responses_per_s, seconds=Clock().monotonic_s() - began_s, retries=server.retries
    )


def _rate(task: Task) -> float:
    elapsed = task.finished_time or task.elapsed
    return task.completed / elapsed if elapsed else 0.0
