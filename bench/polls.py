"""Polls: what every phone asks every two seconds, against the floor."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import servers
from bench.client import Run, repeated, request_bytes
from bench.line import PREFIX
from bench.report import Row, Section, Series, memory_row, paired
from bench.stage import Stage, set_stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.scale import Scale
    from bench.servers import Server

CONNECTIONS = 64
GOAL = 0.5
WARM_S = 0.3


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of poll: a request for each connection, and what answers it."""

    name: str
    requests: Sequence[bytes]
    status: int
    size: int


def measure(scale: Scale) -> list[Section]:
    """Poll in turns with the floor."""
    with servers.scratch() as folder, servers.conflicto(folder) as ours:
        before = ours.resident_mib()
        stage = set_stage(ours)
        stage.join(CONNECTIONS)
        rows = [_row(case, ours, scale, folder) for case in _cases(stage)]
        rows.append(memory_row("resident memory, compared with the start", before, ours))
        about = (
            f"{CONNECTIONS} keep-alive connections, each with a participant's token of its own (responses since: the host's). "
            "Compared with the floor: a plain ASGI app under the same uvicorn, one constant body of the same size."
        )
    return [Section("Polls", about, rows)]


def _cases(stage: Stage) -> list[Case]:
    activity = stage.open_activity("many")
    tokens = [token for _, token in stage.seats]
    with stage.server.line() as line:
        for request in stage.answers(activity, tokens):
            line.timed(request, 201)
        about = f"{PREFIX}{stage.path}/activities/{activity}"
        return [
            _case(line, "session status, 200", f"{PREFIX}{stage.path}/status", tokens),
            _case(line, "session status, 304", f"{PREFIX}{stage.path}/status", tokens, known=True),
            _case(line, "activity status, 304", f"{about}/status", tokens, known=True),
            _case(line, "responses since, nothing new", _caught_up(stage, about), [stage.host] * len(tokens)),
        ]


def _caught_up(stage: Stage, about: str) -> str:
    with stage.server.line(stage.host) as line:
        cursor = line.call("GET", f"{about.removeprefix(PREFIX)}/responses/since/now")["cursor"]
    return f"{about}/responses/since/{cursor}"


def _case(line: servers.Line, name: str, path: str, tokens: list[str], *, known: bool = False) -> Case:
    """Ask once to learn the size of the answer, and its tag for those who know it."""
    line.timed(request_bytes("GET", path, token=tokens[0]), 200)
    headers = {"if-none-match": line.header("etag") or ""} if known else {}
    status, body = line.send(request_bytes("GET", path, token=tokens[0], headers=headers))
    return Case(name, [request_bytes("GET", path, token=token, headers=headers) for token in tokens], status, len(body))


def _row(case: Case, ours: Server, scale: Scale, folder: Path) -> Row:
    with ExitStack() as stack:
        floor = stack.enter_context(servers.floor(status=case.status, size=case.size, log_dir=folder))
        both = (floor, ours)
        for server in both:
            repeated(server.port, case.requests, seconds=WARM_S).expect(case.status)
        runs: dict[Server, list[Run]] = {server: [] for server in both}
        cpu_us: dict[Server, list[float]] = {server: [] for server in both}
        for _ in range(scale.rounds):
            for server in both:
                cpu = server.cpu_s()
                run = repeated(server.port, case.requests, seconds=scale.poll_s).expect(case.status)
                runs[server].append(run)
                cpu_us[server].append((server.cpu_s() - cpu) / run.count * 1e6)
    rates = {server: [run.rate for run in runs[server]] for server in both}
    ratio = paired(rates[ours], rates[floor])
    return Row(
        f"{case.name} ({case.size} B)",
        Series(rates[ours], "/s"),
        Series(rates[floor], "/s"),
        ratio,
        f"≥ {GOAL} × the floor",
        ratio.middle >= GOAL,
        {
            "server CPU": f"{Series(cpu_us[ours]).middle:.0f} µs each (floor {Series(cpu_us[floor]).middle:.0f})",
            "client busy": f"{Series([run.client_share for run in runs[ours]]).middle:.0%}",
            "p99": f"{Series([run.latency_ms(99) for run in runs[ours]]).middle:.1f} ms",
        },
    )
