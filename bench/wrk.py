"""Load of the polls with `wrk`, which is written in C and is not the limit.

Without it, the client in Python.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import BenchmarkError, repeat_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROGRAM = shutil.which("wrk")
CONNECTIONS = 64
MARK = "@@ "
SIZE_TOLERANCE = 0.02
"""Largest deviation of the mean response size. Responses cut at the end of a run count as well."""

SCRIPT = """local requests = {{
{requests}
}}
local at = 0
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency, _)
  local wrong = summary.errors
  local lost = wrong.connect + wrong.read + wrong.write + wrong.timeout
  io.write(string.format('\\n{mark}{{"count": %d, "took_us": %d, "bytes": %d, "refused": %d, "lost": %d, "p99_us": %d}}\\n',
    summary.requests, summary.duration, summary.bytes, wrong.status, lost, latency:percentile(99)))
end
"""
"""Lua program of wrk. `response()` would halve the speed, and `done()` is called once."""


@dataclass(frozen=True, slots=True)
class Polled:
    """Figures of one run. `client_share` is the load of the generator on one core."""

    count: int
    rate: float
    p99_ms: float
    client_share: float


def script(requests: Sequence[bytes]) -> str:
    """Return a Lua program for wrk that sends these requests in turn, over any connection."""
    return SCRIPT.format(requests=",\n".join(_quoted(request) for request in requests), mark=MARK)


def _quoted(request: bytes) -> str:
    text = request.decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\r", "\\r").replace("\n", "\\n") + '"'


def load(port: int, requests: Sequence[bytes], *, seconds: float, status: int, answer_bytes: int, folder: Path) -> Polled:
    """Poll for `seconds`.

    Raise an error if a response had another status or size.

    wrk counts statuses from 400 on. Another wrong status, such as 200 for 304, changes the size.
    """
    if PROGRAM is None:
        run = repeat_for(port, requests, connections=CONNECTIONS, seconds=seconds).expect(status)
        return Polled(run.count, run.rate, run.latency_ms(99), run.client_share)
    path = folder / "requests.lua"
    path.write_text(script(requests), encoding="ascii")
    cpu_s = _children_cpu_s()
    command = [PROGRAM, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-s", str(path), f"http://127.0.0.1:{port}/"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own arguments
    return read(output, answer_bytes=answer_bytes, cpu_s=_children_cpu_s() - cpu_s)


def read(output: str, *, answer_bytes: int, cpu_s: float) -> Polled:
    """Return the figures of wrk's output, or raise an error."""
    summary = json.loads(output.rpartition(MARK)[2])
    mean = summary["bytes"] / max(summary["count"], 1)
    wrong_size = abs(mean - answer_bytes) > SIZE_TOLERANCE * answer_bytes
    if summary["refused"] or summary["lost"] or wrong_size:
        message = f"wrk: {summary}; {mean:.1f} bytes for an answer, expected {answer_bytes}"
        raise BenchmarkError(message)
    took_s = summary["took_us"] / 1e6
    return Polled(summary["count"], summary["count"] / took_s, summary["p99_us"] / 1000, cpu_s / took_s)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
