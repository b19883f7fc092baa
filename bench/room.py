"""One room, from the door to the last answer: people poll; half-way an activity opens, and everyone answers while everyone polls."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvloop

from bench.client import BenchFailed, request_bytes
from bench.crowd import PERIOD_S, Crowd
from bench.histogram import Percentiles
from bench.line import PREFIX
from bench.stage import require_stored

if TYPE_CHECKING:
    from bench.stage import Stage

ANSWER_S = 3.0
AFTERWARDS_S = 1.5
"""How long polling is watched after the last answer is due."""

OPEN_S = 20
HELD_S = 0.5
"""A long-poll of a second that comes back sooner was not held."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of one room. `server` and `client` are shares of one core while people only polled."""

    transport: str
    people: int
    polls: Percentiles
    polls_meanwhile: Percentiles
    answers: Percentiles
    news: Percentiles
    late: Percentiles
    errors: dict[str, int]
    server: float
    client: float
    before_mib: float
    resident_mib: float

    @property
    def kib_each(self) -> float:
        """What one participant costs the server, connection and all."""
        return (self.resident_mib - self.before_mib) * 1024 / self.people


def offered(stage: Stage, transport: str) -> bool:
    """Tell whether the server speaks a transport: its first request is answered with 200, and a long-poll is held."""
    token = stage.seats[0][1]
    if transport == "stream":
        return _status(stage, request_bytes("GET", f"{PREFIX}{stage.path}/events", token=token, headers=_EVENTS)) == 200
    if transport == "long-poll":
        return _is_held(stage, token)
    return True


def visit(stage: Stage, transport: str, *, quiet_s: float) -> Visit:
    """Fill the room with the stage's seats, watch it, open an activity, and watch again."""
    with stage.server.line(stage.host) as line:
        activity = line.call("POST", f"{stage.path}/activities", {"type": "lunch", "title": "Lunch?", "config": {}})["id"]
    before_mib = stage.server.resident_mib()
    seen = uvloop.run(_visit(stage, transport, activity, quiet_s, before_mib))
    if not seen.errors:
        require_stored(stage, activity, seen.answers.count)
    return seen


async def _visit(stage: Stage, transport: str, activity: str, quiet_s: float, before_mib: float) -> Visit:
    crowd = Crowd(stage, transport)
    answers = stage.answers(activity, [token for _, token in stage.seats])
    async with crowd.present():
        await asyncio.sleep(PERIOD_S + 0.5)
        crowd.begin_to_count()
        busy = await crowd.watch(quiet_s)
        await crowd.prepare_answers()
        crowd.expect_news(activity.encode())
        if await asyncio.to_thread(_open, stage, activity):
            crowd.answer_within(answers, ANSWER_S)
        else:
            crowd.errors[f"activity not opened within {OPEN_S} s"] += 1
        await asyncio.sleep(ANSWER_S + AFTERWARDS_S)
        await crowd.drained()
        await crowd.all_told(PERIOD_S)
        resident_mib = stage.server.resident_mib()
    return Visit(
        transport, len(stage.seats), crowd.quiet.summary(), crowd.busy.summary(), crowd.answers.summary(), crowd.news.summary(),
        crowd.late.summary(), dict(crowd.errors), busy.server, busy.client, before_mib, resident_mib,
    )  # fmt: skip


def _open(stage: Stage, activity: str) -> bool:
    """Open the activity; a server that is busy with everyone's polls may fail to answer its host, which is a result, not an accident."""
    try:
        with stage.server.line(stage.host, timeout_s=OPEN_S) as line:
            line.call("POST", f"{stage.path}/activities/{activity}/transition", {"target_status": "active"})
    except TimeoutError:
        return False
    return True


_EVENTS = {"accept": "text/event-stream"}


def _status(stage: Stage, request: bytes) -> int:
    """Return the status alone; a stream has no end to wait for."""
    with stage.server.line() as line:
        return line.status(request)


def _is_held(stage: Stage, token: str) -> bool:
    path = f"{PREFIX}{stage.path}/status?wait=1"
    with stage.server.line() as line:
        status, _ = line.send(request_bytes("GET", path, token=token))
        tag = line.header("etag")
        if status != 200 or tag is None:
            return False
        began = time.perf_counter()
        status, _ = line.send(request_bytes("GET", path, token=token, headers={"if-none-match": tag}))
        if status not in {200, 304}:
            message = f"a long-poll was answered with {status}"
            raise BenchFailed(message)
        return status == 200 or time.perf_counter() - began >= HELD_S
