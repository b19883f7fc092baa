"""Suite of idle streams: memory of one, and the delay of a change to the first and the last."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvloop

from bench import open_files, servers
from bench.histogram import Percentiles
from bench.load_generator import LoadGenerator
from bench.load_run import is_offered
from bench.report import Row, Section, Series
from bench.scenario import create_scenario

if TYPE_CHECKING:
    from bench.scale import Scale
    from bench.scenario import Scenario

TITLE = "Streams are idle"
KIB_GOAL, LAST_GOAL_MS = 20, 1_000
BEGIN_S = 5.0
SETTLE_S = 2.0
WITHIN_S = 10.0
"""Longest delay of the last stream. A later change is an error."""


@dataclass(frozen=True, slots=True)
class IdleStreams:
    """Figures of the streams. `first_ms` is the delay of the first stream."""

    before_mib: float
    resident_mib: float
    latencies: list[Percentiles]
    first_ms: list[float]
    errors: dict[str, int]


def measure(scale: Scale) -> list[Section]:
    """Open the streams, wait, then edit the activity's title several times."""
    streams = min(scale.streams, open_files.max_connections())
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        scenario = create_scenario(server)
        scenario.join(1)
        if not is_offered(scenario, "stream"):
            return [Section(TITLE, "Not measured: the server does not offer streams yet.", [])]
        scenario.join(streams - 1)
        activity = scenario.open_activity("one")
        idle = uvloop.run(_listen(scenario, activity, scale.rounds))
        server.kill()
    about = (
        f"{streams:,} participants each hold one stream of Server-Sent Events on one server; the host edits the activity's title."
    )
    return [Section(f"{streams:,} idle streams", about, _rows(idle, streams))]


async def _listen(scenario: Scenario, activity: str, rounds: int) -> IdleStreams:
    before_mib = scenario.server.resident_mib()
    latencies: list[Percentiles] = []
    first_ms: list[float] = []
    generator = LoadGenerator(scenario, "stream", period_s=BEGIN_S)
    async with generator.running():
        await asyncio.sleep(BEGIN_S + SETTLE_S)
        if generator.streaming < len(scenario.seats):
            generator.errors["streams that did not begin"] += len(scenario.seats) - generator.streaming
        resident_mib = scenario.server.resident_mib()
        for number in range(rounds):
            title = f"Title number {number} of the bench"
            generator.expect_news(title.encode())
            await asyncio.to_thread(_edit, scenario, activity, title)
            await generator.wait_for_news(WITHIN_S)
            latencies.append(generator.news.summary())
            first_ms.append(generator.news.smallest_s * 1000)
    return IdleStreams(before_mib, resident_mib, latencies, first_ms, dict(generator.errors))


def _edit(scenario: Scenario, activity: str, title: str) -> None:
    with scenario.server.connect(scenario.host) as line:
        line.call("PATCH", f"{scenario.path}/activities/{activity}", {"title": title})


def _rows(idle: IdleStreams, streams: int) -> list[Row]:
    each_kib = (idle.resident_mib - idle.before_mib) * 1024 / streams
    last = Series([each.largest for each in idle.latencies], "ms")
    errors = ", ".join(f"{count:,} × {what}" for what, count in idle.errors.items()) or "none"
    memory = {"server memory": f"{idle.before_mib:.0f} → {idle.resident_mib:.0f} MiB"}
    return [
        Row("memory for each stream", Series([each_kib], "KiB"), goal=f"≤ {KIB_GOAL} KiB", met=each_kib <= KIB_GOAL, notes=memory,
            key="stream-memory"),
        Row("from the host's request to the first stream", Series(idle.first_ms, "ms"), key="stream-first"),
        Row("from the host's request to the last stream", last, goal=f"≤ {LAST_GOAL_MS:,} ms, no errors",
            met=last.middle <= LAST_GOAL_MS and not idle.errors, notes={"errors": errors}, key="stream-last"),
    ]  # fmt: skip
