"""Joining and answering, all at once, on both databases: every answer is acknowledged after a durable commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import servers
from bench.client import each_once, in_turn
from bench.databases import both
from bench.report import Row, Section, Series, memory_row, paired
from bench.stage import CONNECTIONS, Stage, require_stored, set_stage

if TYPE_CHECKING:
    from bench.client import Run
    from bench.scale import Scale
    from bench.servers import Server

SUBMIT_GOAL = 5_000
P99_GOAL_MS = 150
FLOOR_BYTES = 400
"""About as long as the answer to a submit."""

FLOOR_S = 0.6
"""The floor answers a room in less time than a figure takes that can be trusted."""

FIRST, AGAIN, MANY = "submit, policy one", "submit, policy one, a second time", "submit, policy many"
KEYS = {FIRST: "submit-one", AGAIN: "submit-again", MANY: "submit-many"}


@dataclass(slots=True)
class Tally:
    """The runs of one measure, and what the server's processor did meanwhile."""

    runs: list[Run] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def rate(self) -> Series:
        """Return acknowledged requests per second, run by run."""
        return Series([run.rate for run in self.runs], "/s")

    def notes(self) -> dict[str, str]:
        """Sum up the rest; the percentiles are medians of the runs'."""
        notes = {f"p{percent}": f"{self.percentile(percent)} ms" for percent in (50, 99)}
        notes["server CPU"] = f"{Series(self.cpu_us).middle:.0f} µs each"
        notes["client busy"] = f"{Series([run.client_share for run in self.runs]).middle:.0%}"
        return notes

    def percentile(self, percent: int) -> Series:
        """Return a percentile of the latencies, run by run."""
        return Series([run.latency_ms(percent) for run in self.runs])


def measure_submits(scale: Scale) -> list[Section]:
    """Answer on both databases, and on the floor, in turns."""
    with both() as running:
        return _measured(running, scale)


def measure_sqlite(scale: Scale) -> list[Section]:
    """Answer on SQLite and on the floor."""
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        return _measured({"SQLite": server}, scale)


def _measured(running: dict[str, Server], scale: Scale) -> list[Section]:
    memory = {name: server.resident_mib() for name, server in running.items()}
    stages = {name: set_stage(server) for name, server in running.items()}
    for stage in stages.values():
        stage.join(scale.people)
        stage.meet()
    tallies = {name: {FIRST: Tally(), AGAIN: Tally(), MANY: Tally()} for name in stages}
    floors: list[float] = []
    with servers.scratch() as folder, servers.floor(status=201, size=FLOOR_BYTES, log_dir=folder) as floor:
        for _ in range(scale.rounds):
            for name, stage in stages.items():
                requests = _submit_round(stage, tallies[name])
            floors.append(in_turn(floor.port, requests, connections=CONNECTIONS, seconds=FLOOR_S).expect(201).rate)
    rows = [_row(measure, name, tally, floors) for name, each in tallies.items() for measure, tally in each.items()]
    about = (
        f"{scale.people:,} participants answer once each over {CONNECTIONS} connections; what is stored is checked after each run. "
        "Compared with the floor, which stores nothing: a plain ASGI app that answers the same requests 201 at once."
    )
    return [Section("Submits, durable", about, rows + _memory("submits", memory, running))]


def _row(measure: str, database: str, tally: Tally, floors: list[float]) -> Row:
    rate = tally.rate()
    met = rate.middle >= SUBMIT_GOAL and tally.percentile(99).middle <= P99_GOAL_MS
    return Row(
        f"{measure} ({database})", rate, Series(floors, "/s"), paired(rate.values, floors),
        f"≥ {SUBMIT_GOAL:,}/s, p99 ≤ {P99_GOAL_MS} ms", met, tally.notes(), key=f"{KEYS[measure]}-{database.lower()}",
    )  # fmt: skip


def measure_joins(scale: Scale) -> list[Section]:
    """Fill a new session in each run, the databases in turns."""
    with both() as running:
        memory = {name: server.resident_mib() for name, server in running.items()}
        tallies = {name: Tally() for name in running}
        for server in running.values():
            set_stage(server).join(200)
        for _ in range(scale.rounds):
            for name, server in running.items():
                stage = set_stage(server)
                cpu = server.cpu_s()
                _note(tallies[name], stage.join(scale.people), server, cpu)
        rows = [Row(f"join ({name})", tally.rate(), notes=tally.notes()) for name, tally in tallies.items()]
        rows += _memory("joins", memory, running)
    about = f"{scale.people:,} people join a new session over {CONNECTIONS} connections."
    return [Section("Joins, durable", about, rows)]


def _submit_round(stage: Stage, tallies: dict[str, Tally]) -> list[bytes]:
    """Answer under each policy; return the requests of the last."""
    tokens = [token for _, token in stage.seats]
    for measures, policy in (((FIRST, AGAIN), "one"), ((MANY,), "many")):
        activity = stage.open_activity(policy)
        requests = stage.answers(activity, tokens)
        for measure in measures:
            cpu = stage.server.cpu_s()
            run = each_once(stage.server.port, requests, connections=CONNECTIONS).expect(200 if measure == AGAIN else 201)
            _note(tallies[measure], run, stage.server, cpu)
            require_stored(stage, activity, run.count)
    return requests


def _note(tally: Tally, run: Run, server: Server, cpu_before_s: float) -> None:
    tally.runs.append(run)
    tally.cpu_us.append((server.cpu_s() - cpu_before_s) / run.count * 1e6)


def _memory(suite: str, before: dict[str, float], running: dict[str, Server]) -> list[Row]:
    """`suite` keeps the rows of two suites apart."""
    return [
        memory_row(f"resident memory after the {suite}, compared with the start ({name})", before[name], running[name])
        for name in running
    ]
