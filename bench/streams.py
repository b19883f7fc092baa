"""Idle streams: what one costs in memory, and how soon a change has reached the first and the last of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvloop

from bench import files, servers
from bench.crowd import Crowd
from bench.histogram import Percentiles
from bench.report import Row, Section, Series
from bench.room import offered
from bench.stage import set_stage

if TYPE_CHECKING:
    from bench.scale import Scale
    from bench.stage import Stage

TITLE = "Streams are idle"
KIB_GOAL, LAST_GOAL_MS = 20, 1_000
BEGIN_S = 5.0
SETTLE_S = 2.0
WITHIN_S = 10.0
"""How long the last stream may take; what has not come by then is an error."""


@dataclass(frozen=True, slots=True)
class Idle:
    """What came of the streams; `first_ms` is when the first of them had the change."""

    before_mib: float
    resident_mib: float
    told: list[Percentiles]
    first_ms: list[float]
    errors: dict[str, int]


def measure(scale: Scale) -> list[Section]:
    """Open the streams, leave them alone, then edit the activity's title a few times."""
    streams = min(scale.streams, files.most_connections())
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        stage = set_stage(server)
        stage.join(1)
        if not offered(stage, "stream"):
            return [Section(TITLE, "Not measured: the server does not offer streams yet.", [])]
        stage.join(streams - 1)
        activity = stage.open_activity("one")
        idle = uvloop.run(_listen(stage, activity, scale.rounds))
        server.end_at_once()
    about = (
        f"{streams:,} participants each hold one stream of Server-Sent Events on one server; the host edits the activity's title."
    )
    return [Section(f"{streams:,} idle streams", about, _rows(idle, streams))]


async def _listen(stage: Stage, activity: str, rounds: int) -> Idle:
    before_mib = stage.server.resident_mib()
    told: list[Percentiles] = []
    first_ms: list[float] = []
    crowd = Crowd(stage, "stream", period_s=BEGIN_S)
    async with crowd.present():
        await asyncio.sleep(BEGIN_S + SETTLE_S)
        if crowd.streaming < len(stage.seats):
            crowd.errors["streams that did not begin"] += len(stage.seats) - crowd.streaming
        resident_mib = stage.server.resident_mib()
        for number in range(rounds):
            title = f"Title number {number} of the bench"
            crowd.expect_news(title.encode())
            await asyncio.to_thread(_edit, stage, activity, title)
            await crowd.all_told(WITHIN_S)
            told.append(crowd.news.summary())
            first_ms.append(crowd.news.smallest_s * 1000)
    return Idle(before_mib, resident_mib, told, first_ms, dict(crowd.errors))


def _edit(stage: Stage, activity: str, title: str) -> None:
    with stage.server.line(stage.host) as line:
        line.call("PATCH", f"{stage.path}/activities/{activity}", {"title": title})


def _rows(idle: Idle, streams: int) -> list[Row]:
    each_kib = (idle.resident_mib - idle.before_mib) * 1024 / streams
    last = Series([each.largest for each in idle.told], "ms")
    errors = ", ".join(f"{count:,} × {what}" for what, count in idle.errors.items()) or "none"
    memory = {"server memory": f"{idle.before_mib:.0f} → {idle.resident_mib:.0f} MiB"}
    return [
        Row("memory for each stream", Series([each_kib], "KiB"), goal=f"≤ {KIB_GOAL} KiB", met=each_kib <= KIB_GOAL, notes=memory,
            key="stream-memory"),
        Row("from the host's request to the first stream", Series(idle.first_ms, "ms"), key="stream-first"),
        Row("from the host's request to the last stream", last, goal=f"≤ {LAST_GOAL_MS:,} ms, no errors",
            met=last.middle <= LAST_GOAL_MS and not idle.errors, notes={"errors": errors}, key="stream-last"),
    ]  # fmt: skip
