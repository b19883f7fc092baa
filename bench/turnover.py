"""Suite of memory while sessions come, are completed and go.

Rooms run side by side. Each creates a session, lets its people join, answer and follow, completes
the session and begins the next one. What a process keeps for sessions that are over shows as a line
that rises.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

import uvloop

from bench import servers
from bench.blocking_connection import PREFIX
from bench.client import BenchmarkError, request_bytes
from bench.report import Plot, Row, Section, Series
from bench.scale import FULL
from bench.soak import slope_per_minute

if TYPE_CHECKING:
    from bench.scale import Scale
    from bench.servers import Server
    from bench.soak import Samples

ROOMS, PEOPLE, STREAMS = 6, 50, 7
"""Sessions at once, people in each, and how many of them hold a stream: 300 phones, 42 streams."""

ROUNDS = 3
POLL_EVERY_S = 2.0
SAMPLE_EVERY_S = 5.0
GOAL_MIB = 2.0
"""Largest growth per hour after the warm-up."""

WARM_UP = 0.4
"""Share of the run before the line begins."""

POINTS = 24
SAMPLES = Path(__file__).parent / "turnover.csv"
"""File of the samples of a whole run."""

POLL = {"question": "Lunch?", "options": [{"id": "a", "text": "Curry"}, {"id": "b", "text": "Pasta"}], "multiple": False}


class Line:
    """Keep-alive connection of one person."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def call(self, method: str, path: str, token: str | None = None, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Send a request and return the decoded body; any status but a success ends the run."""
        self._writer.write(request_bytes(method, PREFIX + path, token=token, body=body))
        head = await self._reader.readuntil(b"\r\n\r\n")
        at = head.find(b"content-length: ")
        content = await self._reader.readexactly(int(head[at + 16 : head.index(b"\r", at)]) if at > 0 else 0)
        if head[9:10] != b"2":
            message = f"{method} {path}: {head[9:12].decode()} {content[:300]!r}"
            raise BenchmarkError(message)
        return json.loads(content) if content else None

    async def read_events(self, path: str, token: str) -> None:
        """Read a stream until the server ends it."""
        self._writer.write(request_bytes("GET", PREFIX + path, token=token, headers={"accept": "text/event-stream"}))
        with suppress(OSError):
            while await self._reader.read(1 << 16):
                pass

    def close(self) -> None:
        self._writer.close()


@dataclass(slots=True)
class Turnover:
    """Totals of a run, and its samples: seconds since the start, MiB."""

    sessions: int = 0
    joins: int = 0
    answers: int = 0
    samples: Samples = field(default_factory=list)
    totals: list[tuple[int, int]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


def measure(scale: Scale) -> list[Section]:
    """Let sessions come and go on one server, and sample its memory."""
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        run = uvloop.run(_run(server, scale.turnover_s, scale.turnover_session_s))
    if scale.turnover_s >= FULL.turnover_s:
        _write_csv(run, SAMPLES)
    return [_section(run, scale)]


async def _run(server: Server, seconds: float, session_s: float) -> Turnover:
    run, began_s = Turnover(), perf_counter()
    rooms = [asyncio.create_task(_room(server, run, session_s, number)) for number in range(ROOMS)]
    while (now_s := perf_counter() - began_s) <= seconds:
        run.samples.append((now_s, server.resident_mib()))
        run.totals.append((run.sessions, run.joins))
        await asyncio.sleep(SAMPLE_EVERY_S)
        for room in rooms:
            if room.done():
                room.result()
    for room in rooms:
        room.cancel()
    await asyncio.gather(*rooms, return_exceptions=True)
    return run


async def _room(server: Server, run: Turnover, session_s: float, number: int) -> None:
    await asyncio.sleep(session_s * number / ROOMS)
    host = await Line.open(server.port)
    for each in count():
        await _session(server, run, host, session_s, f"Room {number}, session {each}")
        run.sessions += 1


async def _session(server: Server, run: Turnover, host: Line, session_s: float, title: str) -> None:
    """Play one session: everybody joins, answers each round and follows; then it is completed."""
    made = await host.call("POST", "/sessions", servers.ADMIN_TOKEN, {"title": title})
    token, path = made["host_token"], f"/sessions/{made['id']}"
    await host.call("PATCH", path, token, {"status": "active"})
    activities: dict[str, None] = {}
    async with asyncio.TaskGroup() as people:
        phones = [people.create_task(_phone(server, run, path, made["join_code"], activities, person)) for person in range(PEOPLE)]
        for number in range(ROUNDS):
            fields = {"type": "poll", "title": f"Question {number}", "config": POLL, "status": "active"}
            activity = await host.call("POST", f"{path}/activities", token, fields)
            activities[activity["id"]] = None
            await asyncio.sleep(session_s / ROUNDS)
            await host.call("GET", f"{path}/activities/{activity['id']}/results", token)
        await host.call("PATCH", path, token, {"status": "completed"})
        for phone in phones:
            phone.cancel()


async def _phone(server: Server, run: Turnover, path: str, code: str, activities: dict[str, None], person: int) -> None:
    line = await Line.open(server.port)
    stream: asyncio.Task[None] | None = None
    try:
        joined = await line.call("POST", f"{path}/join", None, {"nickname": f"Guest {person}", "code": code})
        token = joined["participant_token"]
        run.joins += 1
        if person < STREAMS:
            stream = asyncio.create_task(_stream(server, f"{path}/events", token))
        answered: set[str] = set()
        while True:
            await line.call("GET", f"{path}/status", token)
            for activity in [each for each in activities if each not in answered][-1:]:
                answered.add(activity)
                body = {"response_data": {"choices": ["ab"[person % 2]]}}
                await line.call("POST", f"{path}/activities/{activity}/responses", token, body)
                run.answers += 1
            await asyncio.sleep(POLL_EVERY_S)
    finally:
        line.close()
        if stream is not None:
            stream.cancel()


async def _stream(server: Server, path: str, token: str) -> None:
    line = await Line.open(server.port)
    try:
        await line.read_events(path, token)
    finally:
        line.close()


def fit(samples: Samples) -> tuple[float, float]:
    """Return the growth after the warm-up in MiB an hour, and r² of the line."""
    later = samples[int(len(samples) * WARM_UP) :]
    slope = slope_per_minute(later) / 60
    middle_s = sum(at for at, _ in later) / len(later)
    middle = sum(mib for _, mib in later) / len(later)
    total = sum((mib - middle) ** 2 for _, mib in later)
    rest = sum((mib - middle - slope * (at - middle_s)) ** 2 for at, mib in later)
    return slope * 3600, 1 - rest / total if total else 0.0


def _write_csv(run: Turnover, path: Path) -> None:
    """Write the samples: seconds, MiB, sessions that are over, joins."""
    rows = (f"{at:.0f},{mib:.2f},{ended},{joins}" for (at, mib), (ended, joins) in zip(run.samples, run.totals, strict=True))
    path.write_text("\n".join(["seconds,mib,sessions,joins", *rows]) + "\n")


def _section(run: Turnover, scale: Scale) -> Section:
    slope, fitted = fit(run.samples)
    notes = {
        "at the begin": f"{run.samples[0][1]:.1f} MiB",
        "after the warm-up": f"{run.samples[int(len(run.samples) * WARM_UP)][1]:.1f} MiB",
        "at the end": f"{run.samples[-1][1]:.1f} MiB",
        "r²": f"{fitted:.2f}",
        "sessions": f"{run.sessions:,}",
        "joins": f"{run.joins:,}",
        "answers": f"{run.answers:,}",
    }
    row = Row("growth after the warm-up", Series([slope], "MiB/h"), goal=f"≤ {GOAL_MIB} MiB/h", met=slope <= GOAL_MIB, notes=notes,
              key="turnover-slope")  # fmt: skip
    about = (
        f"{scale.turnover_s:,.0f} s with {ROOMS} sessions at once, each of {PEOPLE} phones, {STREAMS} streams and {ROUNDS} polls, "
        f"completed after {scale.turnover_session_s:.0f} s and followed by the next one."
    )
    chosen = run.samples[:: max(1, len(run.samples) // POINTS)]
    plot = Plot("turnover", "Memory while sessions come and go", [f"{at:.0f}" for at, _ in chosen],
                {"resident memory": [round(mib, 1) for _, mib in chosen]}, "seconds", "MiB")  # fmt: skip
    return Section("Sessions come and go", about, [row], [plot])
