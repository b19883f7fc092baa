"""Suite of polls between the floor and the ceiling, with and without the fast path."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from bench import ceiling, servers, wrk
from bench.client import repeat_for
from bench.poll_requests import PollRequest, Prepared, known_status, poll_requests, prepare, response_bytes, wait_for_snapshot
from bench.report import Plot, Row, Section, Series, memory_row, paired_ratios
from bench.scenario import create_scenario
from bench.wrk import CONNECTIONS, Polled

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scale import Scale
    from bench.servers import Server

WARM_S = 0.3
FAST_PATH, NO_FAST_PATH, FLOOR, CEILING = "fast path", "slow path", "floor", "nginx"
READY = {"fast path": 2.0, "slow path": 0.8}
"""Goals for cached polls, as multiples of the floor."""

GOALS = {"since-one": {FAST_PATH: 0.6}, "results": {FAST_PATH: 0.6}, "since-page": {FAST_PATH: 0.25}}
"""Goals for the other polls, on a server with default settings."""

LIMITED = "session-status-304-limited"


@dataclass(frozen=True, slots=True)
class Target:
    """One server of the comparison, its requests, and the bytes of one response."""

    server: Server
    request: PollRequest
    bytes_each: int


@dataclass(slots=True)
class PollRuns:
    """Runs of one target."""

    polled: list[Polled]
    cpu_us: list[float]

    @property
    def rates(self) -> list[float]:
        """Responses per second, run by run."""
        return [each.rate for each in self.polled]


def measure(scale: Scale) -> list[Section]:
    """Poll the targets alternately. Rate limits are off, except in one row."""
    with servers.scratch() as folder, ExitStack() as stack:
        ours = _ours(stack, folder)
        before = ours[FAST_PATH].resident_mib()
        prepared = {name: _prepared(server) for name, server in ours.items()}
        wait_for_snapshot()
        requests = {
            name: [request for request in poll_requests(each) if not scale.polls or request.key in scale.polls]
            for name, each in prepared.items()
        }
        pictured: dict[str, dict[str, PollRuns]] = {}
        rows: list[Row] = []
        for place, request in enumerate(requests[FAST_PATH]):
            goals = GOALS.get(request.key, READY)
            sides = {name: (ours[name], requests[name][place]) for name in goals}
            pictured[request.name] = runs = _interleaved(sides, scale, folder)
            rows += [_row(request, name, goals[name], runs) for name in goals]
        rows.append(memory_row("resident memory after the polls, compared with the start", before, ours[FAST_PATH]))
    if scale.seats:
        rows.insert(-1, _limited(scale))
    return [Section("Polls", _about(scale), rows, [_plot(pictured)])]


def _ours(stack: ExitStack, folder: Path) -> dict[str, Server]:
    """Start a server with the fast path and one without, each on its own database."""
    running = {}
    for name, settings in ((FAST_PATH, {}), (NO_FAST_PATH, {"CONFLICTO_FAST_PATH": "off"})):
        place = folder / name.replace(" ", "-")
        place.mkdir()
        with servers.on_core(-1):
            running[name] = stack.enter_context(servers.conflicto(place, name=name, settings=settings))
    return running


def _prepared(server: Server) -> Prepared:
    scenario = create_scenario(server)
    scenario.join(CONNECTIONS)
    scenario.start()
    return prepare(scenario)


def _limited(scale: Scale) -> Row:
    """Poll with rate limits on, from enough seats to stay below them."""
    settings = {"CONFLICTO_RATE_LIMITS": "on"}
    with servers.scratch() as folder, ExitStack() as stack:
        with servers.on_core(-1):
            server = stack.enter_context(servers.conflicto(folder, settings=settings))
        scenario = create_scenario(server)
        scenario.join(scale.seats)
        scenario.start()
        wait_for_snapshot()
        request = known_status(scenario)
        runs = _interleaved({FAST_PATH: (server, request)}, replace(scale, ceiling=False), folder)
    return _row(request, FAST_PATH, READY[FAST_PATH], runs, key=LIMITED, suffix=f", rate limits on, {scale.seats:,} seats")


def _interleaved(ours: dict[str, tuple[Server, PollRequest]], scale: Scale, folder: Path) -> dict[str, PollRuns]:
    """Poll the floor, the ceiling if available, and ours, round by round.

    Check responses before and after.
    """
    with ExitStack() as stack:
        request = ours[FAST_PATH][1]
        sides = dict(ours)
        for name, start in _marks(request, scale, folder).items():
            with servers.on_core(-1):
                sides[name] = (stack.enter_context(start()), request)
        measured = {name: Target(server, request, response_bytes(server, request)) for name, (server, request) in sides.items()}
        runs = {name: PollRuns([], []) for name in measured}
        for side in measured.values():
            repeat_for(side.server.port, side.request.requests, connections=CONNECTIONS, seconds=WARM_S).expect(side.request.status)
        for _ in range(scale.poll_rounds):
            for name, side in measured.items():
                cpu_s = side.server.cpu_s()
                polled = _poll(side, scale.poll_s, folder)
                runs[name].polled.append(polled)
                runs[name].cpu_us.append((side.server.cpu_s() - cpu_s) / polled.count * 1e6)
        for side in measured.values():
            response_bytes(side.server, side.request)
    return runs


def _marks(request: PollRequest, scale: Scale, folder: Path) -> dict[str, partial[object]]:
    """Return the commands of the servers for comparison."""
    marks = {FLOOR: partial(servers.floor, status=request.status, size=request.size, log_dir=folder)}
    if scale.ceiling and ceiling.PROGRAM and wrk.PROGRAM:
        marks[CEILING] = partial(ceiling.nginx, status=request.status, size=request.size, folder=folder)
    return marks


def _poll(side: Target, seconds: float, folder: Path) -> Polled:
    with servers.on_core(0):
        return wrk.load(
            side.server.port,
            side.request.requests,
            seconds=seconds,
            status=side.request.status,
            answer_bytes=side.bytes_each,
            folder=folder,
        )


def _row(request: PollRequest, name: str, goal: float, runs: dict[str, PollRuns], *, key: str = "", suffix: str = "") -> Row:
    mine, floor = runs[name], runs[FLOOR]
    ratio = paired_ratios(mine.rates, floor.rates)
    notes = {
        "server CPU": f"{Series(mine.cpu_us).middle:.0f} µs each (floor {Series(floor.cpu_us).middle:.0f})",
        "client busy": f"{Series([each.client_share for each in mine.polled]).middle:.0%}",
        "p99": f"{Series([each.p99_ms for each in mine.polled]).middle:.1f} ms",
    }
    ceiling_ratio = None
    if nginx := runs.get(CEILING):
        ceiling_ratio = paired_ratios(mine.rates, nginx.rates)
        wrk_share = Series([each.client_share for each in nginx.polled]).middle
        notes["nginx"] = f"{Series(nginx.rates).middle:,.0f}/s with the client {wrk_share:.0%} busy"
    suffix += ", fast path off" if name == NO_FAST_PATH else ""
    key = key or (f"{request.key}-lane-off" if name == NO_FAST_PATH else request.key)
    return Row(
        f"{request.name} ({request.size:,} B){suffix}", Series(mine.rates, "/s"), Series(floor.rates, "/s"), ratio,
        f"≥ {goal} × the floor", ratio.middle >= goal, notes, ceiling_ratio, key,
    )  # fmt: skip


def _plot(pictured: dict[str, dict[str, PollRuns]]) -> Plot:
    names = {
        FLOOR: "floor: plain ASGI",
        NO_FAST_PATH: "Conflicto, fast path off",
        FAST_PATH: "Conflicto",
        CEILING: "ceiling: nginx",
    }
    series = {
        title: [Series(runs[name].rates).middle if name in runs else None for runs in pictured.values()]
        for name, title in names.items()
        if any(name in runs for runs in pictured.values())
    }
    return Plot("throughput", "Answers per second on one core", list(pictured), series, "", "answers per second", bars=True)


def _about(scale: Scale) -> str:
    if wrk.PROGRAM:
        how = f"wrk, one thread, {CONNECTIONS} keep-alive connections"
    else:
        how = (
            f"wrk is not installed, so the client in Python sends and may be what is measured; {CONNECTIONS} keep-alive connections"
        )
    against = "a plain ASGI app under the same uvicorn, one constant body of the same size"
    if ceiling.PROGRAM and wrk.PROGRAM:
        against += "; the ceiling is nginx, one worker, with the same constant body"
    else:
        against += "; nginx is not measured, since nginx or wrk is not installed, so there is no ceiling"
    return (
        f"{how}; {CONNECTIONS} participants' tokens in turn (responses since: the host's); {scale.poll_s:.0f} s each, servers on one core, "
        f"the client on another. The floor is {against}. Status and size of the answers are checked. Where the client is "
        "busy throughout, it is the limit, and the server's CPU for each answer tells more."
    )
