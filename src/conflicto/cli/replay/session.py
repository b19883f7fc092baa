"""A table's way through a server: a session, its activities, a seat for each row, then one activity after the other."""

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
"""Answers on a page that is read back: below the largest, so that ordinary files need more than one."""

AGGREGATE = {"values": {"path": "/value", "op": "count"}}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the session is called, what its activities are, and what is known of each column (`title`, `labels`)."""

    title: str
    type: str
    questions: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Stage:
    """The session that was made, with its host's token and an activity for each column."""

    session_id: int
    join_code: str
    host_token: str
    activities: tuple[str, ...]

    @property
    def path(self) -> str:
        """The session's path below `/api/v1`."""
        return f"/sessions/{self.session_id}"


class FeedPage(msgspec.Struct, frozen=True):
    """A page of the feed, as far as a reader needs it."""

    items: list[FeedItem]
    cursor: str
    has_more: bool


class Joined(msgspec.Struct, frozen=True):
    """A seat: who one is, and the token that proves it."""

    participant_id: int
    participant_token: str


async def build_stage(server: Server, table: Table, plan: Plan, admin_token: str) -> Stage:
    """Make and open the session, and its activities in the order of the columns, published and not yet active."""
    made = await server.send_json("POST", "/sessions", {"title": plan.title}, token=admin_token, key=_key())
    host, path = made["host_token"], f"/sessions/{made['id']}"
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
    return Stage(made["id"], made["join_code"], host, tuple(activities))


async def seat_rows(server: Server, stage: Stage, rows: int, done: Callable[[], None]) -> list[Joined]:
    """Let a participant join for each row, and return the seats by row."""
    seats: dict[int, Joined] = {}

    async def join(row: int) -> None:
        body = msgspec.json.encode({"nickname": f"Row {row + 1}", "code": stage.join_code})
        seats[row] = msgspec.json.decode(await server.send("POST", f"{stage.path}/join", body, key=_key()), type=Joined)
        done()

    await _together(range(rows), join, server.connections)
    return [seats[row] for row in range(rows)]


async def answer_column(
    server: Server, stage: Stage, table: Table, nth: int, seats: Sequence[Joined], done: Callable[[], None]
) -> None:
    """Open the activity of one column, which closes the one before, and send all its answers."""
    path = f"{stage.path}/activities/{stage.activities[nth]}"
    await server.send_json("POST", f"{path}/transition", {"target_status": "active"}, token=stage.host_token, key=_key())

    async def answer(cell: tuple[int, str]) -> None:
        row, text = cell
        body = f'{{"response_data":{answer_text(text)}}}'.encode()
        await server.send("POST", f"{path}/responses", body, token=seats[row].participant_token, key=_key())
        done()

    await _together(table.column(nth), answer, server.connections)


async def read_back(server: Server, stage: Stage, nth: int) -> list[FeedItem]:
    """Return every answer of a column's activity as its host sees it, page by page from the beginning."""
    items: list[FeedItem] = []
    cursor, more = "0", True
    while more:
        path = f"{stage.path}/activities/{stage.activities[nth]}/responses/since/{cursor}?limit={PAGE_ITEMS}"
        page = msgspec.json.decode(await server.send("GET", path, token=stage.host_token), type=FeedPage)
        items += page.items
        cursor, more = page.cursor, page.has_more
    return items


async def _together(jobs: Sequence[Job], work: Callable[[Job], Awaitable[None]], connections: int) -> None:
    """Do the jobs in their order, `connections` at a time; the first failure ends all and is raised as it is."""
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
