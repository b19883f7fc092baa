"""Speed of anonymous rounds beside named ones: `python -m bench.pools [PEOPLE] [ROUNDS]`.

Named and anonymous rounds take turns on the same server. An anonymous round holds all its answers until it ends, and its end is timed.
"""

from __future__ import annotations

import os
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from bench.client import each_once
from bench.databases import both
from bench.stage import CONNECTIONS, Stage, require_stored, set_stage

if TYPE_CHECKING:
    from bench.servers import Server

PEOPLE, ROUNDS = 5_000, 5


def main() -> None:
    """Print rates and the time that the end of a round takes, on each database."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    with both() as running:
        stages = {name: _staged(server, people) for name, server in running.items()}
        for name, stage in stages.items():
            _measure(name, stage, rounds)


def _staged(server: Server, people: int) -> Stage:
    stage = set_stage(server)
    stage.join(people)
    stage.meet()
    return stage


def _measure(name: str, stage: Stage, rounds: int) -> None:
    rates: dict[bool, list[float]] = {False: [], True: []}
    whole, ends = [], []
    for _ in range(rounds):
        for anonymous in (False, True):
            activity = stage.open_activity("one", anonymous=anonymous, min_group=3)
            requests = stage.answers(activity, [token for _, token in stage.seats])
            began = time.perf_counter()
            run = each_once(stage.server.port, requests, connections=CONNECTIONS).expect(201)
            took = time.perf_counter() - began
            rates[anonymous].append(run.rate)
            if anonymous:
                ends.append(_ended(stage, activity))
                whole.append(run.count / (took + ends[-1]))
            require_stored(stage, activity, run.count)
    named, pooled = median(rates[False]), median(rates[True])
    print(
        f"{name}: {rounds} rounds of {len(stage.seats):,}, load {os.getloadavg()[0]:.0f}: named {named:,.0f}/s, anonymous {pooled:,.0f}/s "
        f"({pooled / named:.2f}), with the release {median(whole) / named:.2f}; end {median(ends):.3f} s, at most {max(ends):.3f} s"
    )


def _ended(stage: Stage, activity: str) -> float:
    with stage.server.line(stage.host) as line:
        began = time.perf_counter()
        line.call("POST", f"{stage.path}/activities/{activity}/transition", {"target_status": "expired"})
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
