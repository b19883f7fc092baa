"""Speed of anonymous and named rounds: `python -m bench.pools [PEOPLE] [ROUNDS]`.

Named and anonymous rounds alternate on the same server. An anonymous round releases its answers at
its end, which is timed.
"""

from __future__ import annotations

import os
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from bench.client import send_once
from bench.databases import both
from bench.scenario import CONNECTIONS, Scenario, create_scenario, require_stored

if TYPE_CHECKING:
    from bench.servers import Server

PEOPLE, ROUNDS = 5_000, 5


def main() -> None:
    """Print rates and the duration of a round's end, on each database."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    with both() as running:
        stages = {name: _scenario(server, people) for name, server in running.items()}
        for name, scenario in stages.items():
            _measure(name, scenario, rounds)


def _scenario(server: Server, people: int) -> Scenario:
    scenario = create_scenario(server)
    scenario.join(people)
    scenario.start()
    return scenario


def _measure(name: str, scenario: Scenario, rounds: int) -> None:
    rates: dict[bool, list[float]] = {False: [], True: []}
    whole, ends = [], []
    for _ in range(rounds):
        for anonymous in (False, True):
            activity = scenario.open_activity("one", anonymous=anonymous, min_group=3)
            requests = scenario.answers(activity, [token for _, token in scenario.seats])
            began = time.perf_counter()
            run = send_once(scenario.server.port, requests, connections=CONNECTIONS).expect(201)
            took = time.perf_counter() - began
            rates[anonymous].append(run.rate)
            if anonymous:
                ends.append(_ended(scenario, activity))
                whole.append(run.count / (took + ends[-1]))
            require_stored(scenario, activity, run.count)
    named, pooled = median(rates[False]), median(rates[True])
    print(
        f"{name}: {rounds} rounds of {len(scenario.seats):,}, load {os.getloadavg()[0]:.0f}: named {named:,.0f}/s, "
        f"anonymous {pooled:,.0f}/s ({pooled / named:.2f}), with the release {median(whole) / named:.2f}; "
        f"end {median(ends):.3f} s, at most {max(ends):.3f} s"
    )


def _ended(scenario: Scenario, activity: str) -> float:
    with scenario.server.connect(scenario.host) as line:
        began = time.perf_counter()
        line.call("POST", f"{scenario.path}/activities/{activity}/transition", {"target_status": "expired"})
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
