"""Suite of several workers on one PostgreSQL: answers in 1, 8 and 64 sessions at once.

Each worker count has its own server and database in one PostgreSQL cluster, and all share a Valkey.
The cells are interleaved, so that other work of the machine meets all of them alike.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bench import servers
from bench.client import repeat_each
from bench.databases import HAS_POSTGRES, postgres
from bench.report import Row, Section, Series, paired_ratios
from bench.scenario import create_scenario, require_stored
from bench.servers import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.client import Run
    from bench.scale import Scale
    from bench.servers import Server

WORKERS = (1, 2, 4)
SESSIONS = (1, 8, 64)
PHONES = 150
"""Connections that answer, each again as soon as its last answer is acknowledged."""

MAX_CONNECTIONS = "300"
"""Connections of PostgreSQL: enough for a server of each worker count."""

MIN_SHARE = 0.95
"""Least rate of several workers, as a share of one worker's."""

GOALS = {2: 1.2, 4: 1.0}
"""Goals of the ratio to one worker with 8 sessions, by workers."""


class Crowd:
    """Phones in `sessions` sessions of one server, each with an answer to send again and again."""

    def __init__(self, server: Server, sessions: int) -> None:
        self._scenarios = [create_scenario(server) for _ in range(sessions)]
        self._activities: list[str] = []
        self.server = server
        self.requests: list[bytes] = []
        for place, scenario in enumerate(self._scenarios):
            scenario.join(len(range(place, PHONES, sessions)))
            scenario.start()
            self._activities.append(scenario.open_activity("one"))
            self.requests += scenario.answers(self._activities[-1], [token for _, token in scenario.seats])

    def answer(self, seconds: float) -> Run:
        """Answer over and over, and check that each phone has one answer."""
        run = repeat_each(self.server.port, self.requests, seconds=seconds).expect(200, 201)
        for scenario, activity in zip(self._scenarios, self._activities, strict=True):
            require_stored(scenario, activity, len(scenario.seats))
        return run


def measure(scale: Scale) -> list[Section]:
    """Answer with every number of workers and sessions, alternately."""
    title = "Workers on PostgreSQL"
    if not HAS_POSTGRES:
        return [Section(title, "not measured: the wheel of PostgreSQL is not installed", [])]
    runs: dict[tuple[int, int], list[Run]] = {(workers, sessions): [] for sessions in SESSIONS for workers in WORKERS}
    with servers.scratch() as folder, cluster(folder) as (url, redis_url), ExitStack() as stack:
        running = {workers: stack.enter_context(serving(folder, url, redis_url, workers)) for workers in WORKERS}
        crowds = {cell: Crowd(running[cell[0]], cell[1]) for cell in runs}
        for _ in range(scale.rounds):
            for cell, crowd in crowds.items():
                runs[cell].append(crowd.answer(scale.workers_s))
    about = (
        f"{PHONES} phones answer as fast as they are acknowledged, durably, in 1, 8 and 64 sessions. Client, workers, "
        "PostgreSQL and Valkey share this machine. Compared with one worker and as many sessions."
    )
    return [Section(title, about, [_row(cell, runs) for cell in runs])]


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, str]]:
    """Start PostgreSQL and Valkey, and yield their URLs."""
    from tests.support.servers import valkey  # noqa: PLC0415 - it imports the wheels

    with postgres(folder, max_connections=MAX_CONNECTIONS) as url, valkey() as redis_url:
        yield url, redis_url


@contextmanager
def serving(
    folder: Path, admin_url: str, redis_url: str, workers: int, *, name: str = "", program: Path = PROGRAM
) -> Iterator[Server]:
    """Serve a new database of a cluster with a number of workers."""
    from tests.support.servers import create_database  # noqa: PLC0415 - it imports the wheels

    name = name or f"workers{workers}"
    data_dir = folder / name
    data_dir.mkdir()
    database_url, settings = create_database(admin_url, name), {"REDIS_URL": redis_url}
    with servers.conflicto(
        data_dir, database_url=database_url, name=name, settings=settings, workers=workers, program=program
    ) as server:
        yield server


def _row(cell: tuple[int, int], runs: dict[tuple[int, int], list[Run]]) -> Row:
    workers, sessions = cell
    rates, one = _rates(runs[cell]), _rates(runs[1, sessions])
    notes = {f"p{percent}": f"{Series([run.latency_ms(percent) for run in runs[cell]]).middle:.0f} ms" for percent in (50, 99)}
    measure, key = f"{workers} workers, {sessions} sessions", f"workers-{workers}-sessions-{sessions}"
    if workers == 1:
        return Row(measure, rates, notes=notes, key=key)
    ratio = paired_ratios(rates.values, one.values)
    goal = GOALS[workers] if sessions == 8 else MIN_SHARE
    return Row(measure, rates, one, ratio, f"≥ {goal} × one worker", ratio.middle >= goal, notes, key=key)


def _rates(runs: Sequence[Run]) -> Series:
    return Series([run.rate for run in runs], "/s")
