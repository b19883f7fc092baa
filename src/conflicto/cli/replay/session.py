"""Replay of a table: creates session, activities and seats, then submits column by column."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from conflicto.cli.replay.comparison import FeedItem, answer_text
from conflicto.platform.ids import random_uuid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from conflicto.cli.replay.client import Server
    from conflicto.cli.replay.table import Table

Job = TypeVar("Job")

PAGE_ITEMS = 500
"""Answers per page that is read back: below the maximum, so that files need several pages.
"""

AGGREGATE = {"values": {"path": "/value", "op": "count"}}


@dataclass(frozen=True, slots=True)
class Plan:
    """Title of the session, type of its activities, and metadata of columns (`title`, `labels`)."""

    title: str
    type: str
    questions: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ReplaySession:
    """The created session, with its host's token and an activity per column."""

    session_id: int
    join_code: str
    host_token: str
    activities: tuple[str, ...]

    @property
    def path(self) -> str:
        """The session's path below `/api/v1`."""
        return f"/sessions/{self.session_id}"


class FeedPage(msgspec.Struct, frozen=True):
    """A page of the feed, as far as it is needed."""

    items: list[FeedItem]
    cursor: str
    has_more: bool


class ReplaySeat(msgspec.Struct, frozen=True):
    """A seat: the participant's id and token."""

    participant_id: int
    participant_token: str


async def create_session(server: Server, table: Table, plan: Plan, admin_token: str) -> ReplaySession:
    """Create and open the session, and publish an activity per column, in order."""
    session = await server.send_json("POST", "/sessions", {"title": plan.title}, token=admin_token, key=_key())
    host, path = session["host_token"], f"/sessions/{session['id']}"
    await server.send_json("PATCH", path, {"status": "active"}, token=host, key=_key())
    activities = []
    for name in table.columns:
        about = plan.questions.get(name, {})
        config = {"column": name, **({"labels": about["labels"]} if "labels" in about else {})}
        body = {
            "type": plan.type,
            "title": about.get("title", name),
            "config": config,
            "status": "published",
            "aggregate": AGGREGATE,
        }
        activities.append((await server.send_json("POST", f"{path}/activities", body, token=host, key=_key()))["id"])
    return ReplaySession(session["id"], session["join_code"], host, tuple(activities))


async def join_participants(server: Server, session: ReplaySession, rows: int, done: Callable[[], None]) -> list[ReplaySeat]:
    """Join a participant per row, and return the seats by row."""
    seats: dict[int, ReplaySeat] = {}

    async def join(row: int) -> None:
        body = msgspec.json.encode({"nickname": f"Row {row + 1}", "code": session.join_code})
        seats[row] = msgspec.json.decode(await server.send("POST", f"{session.path}/join", body, key=_key()), type=ReplaySeat)
        done()

    await _run_concurrently(range(rows), join, server.connections)
    return [seats[row] for row in range(rows)]


async def submit_column(
    server: Server, session: ReplaySession, table: Table, column: int, seats: Sequence[ReplaySeat], done: Callable[[], None]
) -> None:
    """Open the activity of one column, which closes the previous one, and send all its answers."""
    path = f"{session.path}/activities/{session.activities[column]}"
    await server.send_json("POST", f"{path}/transition", {"target_status": "active"}, token=session.host_token, key=_key())

    async def answer(cell: tuple[int, str]) -> None:
        row, text = cell
        body = f'{{"response_data":{answer_text(text)}}}'.encode()
        await server.send("POST", f"{path}/responses", body, token=seats[row].participant_token, key=_key())
        done()

    await _run_concurrently(table.column(column), answer, server.connections)


async def read_back(server: Server, session: ReplaySession, column: int) -> list[FeedItem]:
    """Return every answer to a column's activity as its host sees it, page by page."""
    items: list[FeedItem] = []
    cursor, more = "0", True
    while more:
        path = f"{session.path}/activities/{session.activities[column]}/responses/since/{cursor}?limit={PAGE_ITEMS}"
        page = msgspec.json.decode(await server.send("GET", path, token=session.host_token), type=FeedPage)
        items += page.items
        cursor, more = page.cursor, page.has_more
    return items


async def _run_concurrently(jobs: Sequence[Job], work: Callable[[Job], Awaitable[None]], connections: int) -> None:
    """Run the jobs in order, `connections` at a time; the first failure ends all and is raised."""
    waiting = iter(jobs)

    async def one_connection() -> None:
        for job in waiting:
            await work(job)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(connections, len(jobs))):
                group.create_task(one_connection())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def _key() -> str:
    return str(random_uuid())
