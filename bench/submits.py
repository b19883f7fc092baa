"""Suites of joining and answering on both databases.

Every answer is acknowledged after a durable commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import servers
from bench.client import repeat_for, send_once
from bench.databases import both
from bench.report import Row, Section, Series, memory_row, paired_ratios
from bench.scenario import CONNECTIONS, Scenario, create_scenario, require_stored

if TYPE_CHECKING:
    from bench.client import Run
    from bench.scale import Scale
    from bench.servers import Server

SUBMIT_GOAL = 5_000
P99_GOAL_MS = 150
FLOOR_BYTES = 400
"""Approximate bytes of the response to a submit."""

SEAT_BYTES = 1_100
"""Approximate bytes of the response to a join."""

FLOOR_S = 0.6
"""Least seconds of a floor run: shorter runs are unreliable."""

FIRST, AGAIN, MANY = "submit, policy one", "submit, policy one, a second time", "submit, policy many"
KEYS = {FIRST: "submit-one", AGAIN: "submit-again", MANY: "submit-many"}


@dataclass(slots=True)
class SubmitFigures:
    """Runs of one measure, with the server's processor time."""

    runs: list[Run] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def rate(self) -> Series:
        """Return acknowledged requests per second, run by run."""
        return Series([run.rate for run in self.runs], "/s")

    def notes(self) -> dict[str, str]:
        """Return further figures; percentiles are medians of the runs' percentiles."""
        notes = {f"p{percent}": f"{self.percentile(percent)} ms" for percent in (50, 99)}
        notes["server CPU"] = f"{Series(self.cpu_us).middle:.0f} µs each"
        notes["client busy"] = f"{Series([run.client_share for run in self.runs]).middle:.0%}"
        return notes

    def percentile(self, percent: int) -> Series:
        """Return a percentile of the latencies, run by run."""
        return Series([run.latency_ms(percent) for run in self.runs])


def measure_submits(scale: Scale) -> list[Section]:
    """Answer on both databases and on the floor, alternately."""
    with both() as running:
        return _measured(running, scale)


def measure_sqlite(scale: Scale) -> list[Section]:
    """Answer and join on SQLite and on the floor."""
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        running = {"SQLite": server}
        return [*_measured(running, scale), *_measured_joins(running, scale)]


def _measured(running: dict[str, Server], scale: Scale) -> list[Section]:
    memory = {name: server.resident_mib() for name, server in running.items()}
    stages = {name: create_scenario(server) for name, server in running.items()}
    for scenario in stages.values():
        scenario.join(scale.people)
        scenario.start()
    tallies = {name: {FIRST: SubmitFigures(), AGAIN: SubmitFigures(), MANY: SubmitFigures()} for name in stages}
    floors: list[float] = []
    with servers.scratch() as folder, servers.floor(status=201, size=FLOOR_BYTES, log_dir=folder) as floor:
        for _ in range(scale.rounds):
            for name, scenario in stages.items():
                requests = _submit_round(scenario, tallies[name])
            floors.append(repeat_for(floor.port, requests, connections=CONNECTIONS, seconds=FLOOR_S).expect(201).rate)
    rows = [_row(measure, name, tally, floors) for name, each in tallies.items() for measure, tally in each.items()]
    about = (
        f"{scale.people:,} participants answer once each over {CONNECTIONS} connections; what is stored is checked after each run. "
        "Compared with the floor, which stores nothing: a plain ASGI app that answers the same requests 201 at once."
    )
    return [Section("Submits, durable", about, rows + _memory("submits", memory, running))]


def _row(measure: str, database: str, tally: SubmitFigures, floors: list[float]) -> Row:
    rate = tally.rate()
    met = rate.middle >= SUBMIT_GOAL and tally.percentile(99).middle <= P99_GOAL_MS
    return Row(
        f"{measure} ({database})", rate, Series(floors, "/s"), paired_ratios(rate.values, floors),
        f"≥ {SUBMIT_GOAL:,}/s, p99 ≤ {P99_GOAL_MS} ms", met, tally.notes(), key=f"{KEYS[measure]}-{database.lower()}",
    )  # fmt: skip


def measure_joins(scale: Scale) -> list[Section]:
    """Join on both databases and the floor, alternately."""
    with both() as running:
        return _measured_joins(running, scale)


def _measured_joins(running: dict[str, Server], scale: Scale) -> list[Section]:
    """Fill a new session in each run, and send the same requests to the floor."""
    memory = {name: server.resident_mib() for name, server in running.items()}
    tallies = {name: SubmitFigures() for name in running}
    floors: list[float] = []
    for server in running.values():
        create_scenario(server).join(200)
    with servers.scratch() as folder, servers.floor(status=201, size=SEAT_BYTES, log_dir=folder) as floor:
        for _ in range(scale.rounds):
            for name, server in running.items():
                scenario = create_scenario(server)
                cpu = server.cpu_s()
                _note(tallies[name], scenario.join(scale.people), server, cpu)
            requests = scenario.join_requests(scale.people)
            floors.append(repeat_for(floor.port, requests, connections=CONNECTIONS, seconds=FLOOR_S).expect(201).rate)
    rows = [
        Row(
            f"join ({name})", tally.rate(), Series(floors, "/s"), paired_ratios(tally.rate().values, floors),
            notes=tally.notes(), key=f"join-{name.lower()}",
        )
        for name, tally in tallies.items()
    ]  # fmt: skip
    about = (
        f"{scale.people:,} people join a new session over {CONNECTIONS} connections. Compared with the floor, which stores nothing."
    )
    return [Section("Joins, durable", about, rows + _memory("joins", memory, running))]


def _submit_round(scenario: Scenario, tallies: dict[str, SubmitFigures]) -> list[bytes]:
    """Answer under each policy. Return the requests of the last one."""
    tokens = [token for _, token in scenario.seats]
    for measures, policy in (((FIRST, AGAIN), "one"), ((MANY,), "many")):
        activity = scenario.open_activity(policy)
        requests = scenario.answers(activity, tokens)
        for measure in measures:
            cpu = scenario.server.cpu_s()
            run = send_once(scenario.server.port, requests, connections=CONNECTIONS).expect(200 if measure == AGAIN else 201)
            _note(tallies[measure], run, scenario.server, cpu)
            require_stored(scenario, activity, run.count)
    return requests


def _note(tally: SubmitFigures, run: Run, server: Server, cpu_before_s: float) -> None:
    tally.runs.append(run)
    tally.cpu_us.append((server.cpu_s() - cpu_before_s) / run.count * 1e6)


def _memory(suite: str, before: dict[str, float], running: dict[str, Server]) -> list[Row]:
    """Return rows of memory; `suite` distinguishes the rows of two suites."""
    return [
        memory_row(f"resident memory after the {suite}, compared with the start ({name})", before[name], running[name])
        for name in running
    ]
