"""The load of the polls: `wrk`, which is in C and so is not what is measured; the client in Python where it is missing."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import BenchFailed, in_turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROGRAM = shutil.which("wrk")
CONNECTIONS = 64
MARK = "@@ "
SIZE_TOLERANCE = 0.02
"""How far the mean size of the answers may lie from the expected one; parts of answers that the end cut off count as well."""

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
"""`response()` would see each status, but a call into Lua for each answer costs wrk half its speed; `done()` is called once."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What one run did; `client_share` is how busy the load generator was, of one core."""

    count: int
    rate: float
    p99_ms: float
    client_share: float


def script(requests: Sequence[bytes]) -> str:
    """Return a program for wrk that sends these requests in turn, whatever the connection."""
    return SCRIPT.format(requests=",\n".join(_quoted(request) for request in requests), mark=MARK)


def _quoted(request: bytes) -> str:
    text = request.decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\r", "\\r").replace("\n", "\\n") + '"'


def load(port: int, requests: Sequence[bytes], *, seconds: float, status: int, answer_bytes: int, folder: Path) -> Polled:
    """Poll for so long; refuse the run if any answer had another status or another size than the one that was looked at.

    wrk counts statuses from 400 on. One that is lower and yet wrong, such as 200 for 304, shows in the size.
    """
    if PROGRAM is None:
        run = in_turn(port, requests, connections=CONNECTIONS, seconds=seconds).expect(status)
        return Polled(run.count, run.rate, run.latency_ms(99), run.client_share)
    path = folder / "requests.lua"
    path.write_text(script(requests), encoding="ascii")
    cpu_s = _children_cpu_s()
    command = [PROGRAM, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-s", str(path), f"http://127.0.0.1:{port}/"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own arguments
    return read(output, answer_bytes=answer_bytes, cpu_s=_children_cpu_s() - cpu_s)


def read(output: str, *, answer_bytes: int, cpu_s: float) -> Polled:
    """Return what wrk's output tells, or refuse the run."""
    told = json.loads(output.rpartition(MARK)[2])
    mean = told["bytes"] / max(told["count"], 1)
    wrong_size = abs(mean - answer_bytes) > SIZE_TOLERANCE * answer_bytes
    if told["refused"] or told["lost"] or wrong_size:
        message = f"wrk: {told}; {mean:.1f} bytes for an answer, expected {answer_bytes}"
        raise BenchFailed(message)
    took_s = told["took_us"] / 1e6
    return Polled(told["count"], told["count"] / took_s, told["p99_us"] / 1000, cpu_s / took_s)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
