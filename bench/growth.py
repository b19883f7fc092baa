"""Suite of growth: the same requests to a small and a large database, alternating."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench import servers
from bench.blocking_connection import PREFIX
from bench.client import request_bytes, send_once
from bench.fill import ANSWERS_EACH, PEOPLE, embedded, fill
from bench.report import Plot, Row, Section, Series, memory_row, paired_ratios
from bench.scenario import CONNECTIONS, Scenario, create_scenario, require_stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.scale import Scale

SMALL = 100
GOAL = 1.1
WARM = 20
PAGE = 100
SUBMIT = "submit, one at a time"
PLOTTED = ("session status", "responses since, nothing new", "responses since, 1 new", f"responses since, page of {PAGE}", SUBMIT)


@dataclass(frozen=True, slots=True)
class SizedServer:
    """Server on one of the databases.

    `strangers` are the tokens of all but the first seat, in random order.
    """

    scenario: Scenario
    activity: str
    cursor: int
    strangers: list[str]
    filled_s: float

    @property
    def path(self) -> str:
        """The activity's address."""
        return f"{PREFIX}{self.scenario.path}/activities/{self.activity}"


def measure(scale: Scale) -> list[Section]:
    """Fill a database for each power of ten and time the endpoints.

    Some run on all of them, the others on the first and the last.
    """
    with ExitStack() as stack:
        sizes = powers_of_ten(scale.rows)
        sides = [_side(stack, rows) for rows in sizes]
        small, large = sides[0], sides[-1]
        stack.enter_context(servers.on_core(0))
        before = [side.scenario.server.resident_mib() for side in (small, large)]
        timed = {name: _timed(make, sides if name in PLOTTED else [small, large], scale) for name, make in _endpoints().items()}
        rows = [_row(name, took_us) for name, took_us in timed.items()]
        rows.append(_load_row(small, large, scale))
        rows += [
            memory_row(f"resident memory, {amount:,} stored", mib, side.scenario.server)
            for amount, mib, side in zip((SMALL, scale.rows), before, (small, large), strict=True)
        ]
    about = (
        f"One connection, blocking, {scale.samples} requests of each kind to each database, alternating; client and servers each keep to "
        "one core; SQLite; one activity with all "
        f"answers, {ANSWERS_EACH} from each author, {PEOPLE:,} seats. A lower ratio is better, but for the rate of many connections. "
        f"{scale.rows:,} rows were filled in within {large.filled_s:.0f} s."
    )
    return [Section(f"Growth: {scale.rows:,} stored answers against {SMALL}", about, rows, [_plot(sizes, timed)])]


def powers_of_ten(rows: int) -> list[int]:
    """Return the powers of ten from `SMALL` to `rows`, which may lie between two of them."""
    sizes = [SMALL]
    while sizes[-1] * 10 < rows:
        sizes.append(sizes[-1] * 10)
    return [*sizes, rows]


def _plot(sizes: list[int], timed: dict[str, list[list[float]]]) -> Plot:
    series = {name: [round(median(blocks)) for blocks in timed[name]] for name in timed if name in PLOTTED}
    labels = [f"{size:,}" for size in sizes]
    return Plot("growth", "Time of a request, by stored responses", labels, series, "stored responses", "µs", logarithmic=True)


def _side(stack: ExitStack, rows: int) -> SizedServer:
    folder: Path = stack.enter_context(servers.scratch())
    with servers.conflicto(folder) as server:
        scenario = create_scenario(server)
        activity = scenario.open_activity("many")
    began = time.perf_counter()
    fill(embedded(folder), folder, scenario, activity, rows)
    filled_s = time.perf_counter() - began
    with servers.on_core(-1):
        scenario.server = stack.enter_context(servers.conflicto(folder, name=f"rows-{rows}"))
    require_stored(scenario, activity, rows)
    with scenario.server.connect(scenario.host) as line:
        cursor = line.call("GET", f"{scenario.path}/activities/{activity}/responses/since/now")["cursor"]
    strangers = [token for _, token in scenario.seats[1:]]
    random.Random(rows).shuffle(strangers)
    return SizedServer(scenario, activity, int(cursor), strangers, filled_s)


def _endpoints() -> dict[str, Callable[[SizedServer], bytes]]:
    """Return the requests. The first seat has as many answers on either side."""

    def phone(side: SizedServer, path: str) -> bytes:
        return request_bytes("GET", path, token=side.scenario.seats[0][1])

    def host(side: SizedServer, path: str) -> bytes:
        return request_bytes("GET", path, token=side.scenario.host)

    return {
        "session status": lambda side: side.scenario.poll(side.scenario.seats[0][1]),
        "activity status": lambda side: phone(side, f"{side.path}/status"),
        "responses since, nothing new": lambda side: host(side, f"{side.path}/responses/since/{side.cursor}"),
        "responses since, 1 new": lambda side: host(side, f"{side.path}/responses/since/{side.cursor - 1}"),
        f"responses since, page of {PAGE}": lambda side: host(side, f"{side.path}/responses/since/0?limit={PAGE}"),
        f"list of responses, page of {PAGE}": lambda side: host(side, f"{side.path}/responses?limit={PAGE}"),
        f"list of one participant's ({ANSWERS_EACH})": lambda side: host(
            side, f"{side.path}/responses?participant_id={side.scenario.seats[0][0]}"
        ),
        f"one's own responses ({ANSWERS_EACH})": lambda side: phone(side, f"{side.path}/responses/mine"),
        SUBMIT: lambda side: side.scenario.answers(side.activity, [side.strangers.pop()])[0],
    }


def _timed(make: Callable[[SizedServer], bytes], sides: list[SizedServer], scale: Scale) -> list[list[float]]:
    """Return for each side the medians of blocks of requests, in µs.

    The sides alternate request by request, so that other load affects both.
    """
    took_us: list[list[float]] = [[] for _ in sides]
    with ExitStack() as stack:
        lines = [stack.enter_context(side.scenario.server.connect()) for side in sides]
        turns = list(zip(sides, lines, took_us, strict=True))
        for number in range(WARM + scale.samples):
            for side, line, took in turns if number % 2 else reversed(turns):
                one = line.timed(make(side), 200, 201)
                if number >= WARM:
                    took.append(one * 1e6)
    return [_blocks(took, scale.rounds) for took in took_us]


def _row(name: str, took_us: list[list[float]]) -> Row:
    small, large = took_us[0], took_us[-1]
    ratio = paired_ratios(large, small)
    return Row(name, Series(large, "µs"), Series(small, "µs"), ratio, f"≤ {GOAL} × the time", ratio.middle <= GOAL)


def _blocks(values: list[float], amount: int) -> list[float]:
    size = len(values) // amount
    return [median(values[size * block : size * (block + 1)]) for block in range(amount)]


def _load_row(small: SizedServer, large: SizedServer, scale: Scale) -> Row:
    """Submit from many connections. More is better here, so the goal is a minimum."""
    rates: dict[str, list[float]] = {small.activity: [], large.activity: []}
    for _ in range(scale.rounds):
        for side in (small, large):
            before = side.scenario.stored(side.activity)
            tokens = [side.strangers.pop() for _ in range(scale.submitters)]
            requests = side.scenario.answers(side.activity, tokens)
            run = send_once(side.scenario.server.port, requests, connections=CONNECTIONS).expect(201)
            require_stored(side.scenario, side.activity, before + run.count)
            rates[side.activity].append(run.rate)
    theirs, ours = rates[small.activity], rates[large.activity]
    ratio = paired_ratios(ours, theirs)
    name = f"submit, {CONNECTIONS} connections"
    return Row(name, Series(ours, "/s"), Series(theirs, "/s"), ratio, f"≥ 1/{GOAL} of the rate", ratio.middle >= 1 / GOAL)
