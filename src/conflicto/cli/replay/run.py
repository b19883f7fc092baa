"""One replay from the first request to the report, for the command and the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conflicto.cli.replay.client import open_server
from conflicto.cli.replay.comparison import FeedItem, Report, compare
from conflicto.cli.replay.session import ReplaySession, create_session, join_participants, read_back, submit_column
from conflicto.platform.clock import Clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task

    from conflicto.cli.replay.session import Plan
    from conflicto.cli.replay.table import Table


@dataclass(frozen=True, slots=True)
class Target:
    """Target of a replay: the server's URL, its admin token, and the number of connections."""

    url: str
    admin_token: str
    connections: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a replay. `feeds` are the answers by column, as the server returned them."""

    session: ReplaySession
    report: Report
    feeds: tuple[list[FeedItem], ...]
    joins_per_s: float
    responses_per_s: float
    seconds: float
    retries: int


class PerSecond(TextColumn):
    """Column with the mean rate per second of the whole task."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> str:  # type: ignore[override]
        """Return the rate as text."""
        return f"{_rate(task):7,.0f}/s"


async def run_replay(target: Target, table: Table, plan: Plan, screen: Console) -> Outcome:
    """Send the whole table, read everything back, and compare.

    Raises:
        RequestFailed: the server refused a request, or did not answer.
    """
    began_s = Clock().monotonic_s()
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), PerSecond(), TimeElapsedColumn())
    async with open_server(target.url, target.connections) as server:
        await server.check_reachable()
        session = await create_session(server, table, plan, target.admin_token)
        with Progress(*columns, console=screen) as progress:
            joining = progress.add_task("joins", total=len(table.rows))
            seats = await join_participants(server, session, len(table.rows), lambda: progress.advance(joining))
            sending = progress.add_task("responses", total=table.cells)
            for column in range(len(table.columns)):
                await submit_column(server, session, table, column, seats, lambda: progress.advance(sending))
        feeds = tuple([await read_back(server, session, column) for column in range(len(table.columns))])
    report = compare(table, [seat.participant_id for seat in seats], feeds)
    joins_per_s, responses_per_s = (_rate(task) for task in progress.tasks)
    return Outcome(
        session, report, feeds, joins_per_s, responses_per_s, seconds=Clock().monotonic_s() - began_s, retries=server.retries
    )


def _rate(task: Task) -> float:
    elapsed = task.finished_time or task.elapsed
    return task.completed / elapsed if elapsed else 0.0
