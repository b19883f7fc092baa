"""Command `make bench-check`: measure the key ratios briefly.

It fails if two runs both lost too much.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

from bench import records, wrk
from bench.compare import MAX_LOSS, compare
from bench.fanout import measure as fanout
from bench.machine import LoadWatch
from bench.polls import measure as polls
from bench.records import ratios
from bench.scale import CHECK
from bench.submits import measure_sqlite

SUBMIT = "submit-one-sqlite"
"""The submit suite that is compared."""

NOT_COMPARED = "-lane-off"
"""End of the names of polls with the fast path off.

That setting also turns off the direct path (decision 0062), which requests that miss the fast path
take. Their committed figures are of an earlier path.
"""


def main() -> int:
    """Compare with bench/results.json; return the exit code."""
    began_s, watch = perf_counter(), LoadWatch()
    if not records.FIGURES.exists():
        print("Nothing to compare with: bench/results.json is not there. `make bench` writes it.")
        return 0
    if wrk.PROGRAM is None:
        print(
            "Not compared: wrk is not installed, and what the client in Python measures is itself. On Debian: apt-get install wrk."
        )
        return 0
    committed = json.loads(records.FIGURES.read_text(encoding="utf-8"))
    runs = [_ratios()]
    compared, unknown = compare(committed, runs)
    if any(each.lost for each in compared):
        print("Something was lost; measuring again, since one run may have met a busy machine.", flush=True)
        runs.append(_ratios())
        compared, unknown = compare(committed, runs)
    for each in compared:
        print(each)
    for name in unknown:
        print(f"new   {name}: not in the committed figures, so not compared")
    for name, value in watch.facts().items():
        print(f"{name}: {value}")
    lost = [each.name for each in compared if each.lost]
    verdict = f"more than {MAX_LOSS:.0%} lost in both runs: {', '.join(lost)}" if lost else "the key ratios hold"
    print(f"bench-check: {verdict} ({perf_counter() - began_s:.0f} s)")
    return 1 if lost else 0


def _ratios() -> dict[str, dict[str, float]]:
    """Measure once. Return the ratios by row name and mark."""
    sections = [*polls(CHECK), *measure_sqlite(CHECK), *fanout(CHECK)]
    rows = [row for section in sections for row in section.rows if not row.name.startswith("submit-") or row.name == SUBMIT]
    return {row.name: ratios(row) for row in rows if (row.ratio or row.ceiling) and not row.name.endswith(NOT_COMPARED)}


if __name__ == "__main__":
    sys.exit(main())
