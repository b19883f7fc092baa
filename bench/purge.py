"""Effect of a purge: `python -m bench.purge [ROWS]` deletes a session with `ROWS` answers.

Another session has as many earlier answers, and four phones answer in a third.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from bench import databases, servers
from bench.fill import embedded, fill
from bench.scenario import ANSWER, create_scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.scenario import Scenario

ROWS = 200_000
PHONES = 4
PAUSE_S = 0.1
QUIET_S = 20.0
MAX_PURGE_S = 600.0


def main() -> None:
    """Print the latencies of answers before, during and after a purge, on each database."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with servers.scratch() as folder:
        _measure("SQLite", folder, embedded(folder), "", rows)
    with servers.scratch() as folder, databases.postgres(folder) as url:
        _measure("PostgreSQL", folder, url, url, rows)


def _measure(name: str, folder: Path, url: str, database_url: str, rows: int) -> None:
    with servers.conflicto(folder, database_url=database_url) as server:
        others, old = create_scenario(server), create_scenario(server)
        kept, activity = others.open_activity("many"), old.open_activity("many")
    fill(url, folder, others, kept, rows)
    fill(url, folder, old, activity, rows)
    with servers.conflicto(folder, database_url=database_url) as server:
        old.server, live = server, create_scenario(server)
        live.join(PHONES)
        question = live.open_activity("many")
        _print_quantiles(name, "before", _answered(live, question, _after(QUIET_S)))
        with server.connect(old.host) as line:
            line.call("DELETE", old.path)
        began = time.monotonic()
        log = folder / "conflicto.log"
        is_over = _after(MAX_PURGE_S)
        took = _answered(live, question, lambda: is_over() or "session-purged" in log.read_text())
        _print_quantiles(name, f"beside a purge of {rows:,} answers, {time.monotonic() - began:.0f} s", took)
        _print_quantiles(name, "after", _answered(live, question, _after(QUIET_S)))


def _after(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


def _answered(live: Scenario, activity: str, is_over: Callable[[], bool]) -> list[float]:
    """Send answers from every phone, with pauses, until `is_over`. Return each latency, s."""
    took: list[float] = []
    over = threading.Event()

    def phone(token: str) -> None:
        with live.server.connect(token) as line:
            while not over.wait(PAUSE_S):
                began = time.perf_counter()
                line.call("POST", f"{live.path}/activities/{activity}/responses", {"response_data": ANSWER})
                took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=phone, args=(token,)) for _, token in live.seats]
    for thread in threads:
        thread.start()
    while not is_over():
        time.sleep(0.2)
    over.set()
    for thread in threads:
        thread.join()
    return sorted(took)


def _print_quantiles(name: str, when: str, took: list[float]) -> None:
    at = {f"p{share}": took[min(len(took) - 1, len(took) * share // 100)] * 1e3 for share in (50, 99)}
    quantiles = ", ".join(f"{share} {value:.0f} ms" for share, value in at.items())
    print(f"{name}, {when}: n = {len(took):,}, {quantiles}, longest {took[-1] * 1e3:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
