"""Suite of memory under steady load. Memory may rise at first, and must then stay."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

import uvloop

from bench import servers
from bench.client import send_once
from bench.load_generator import LoadGenerator
from bench.report import Plot, Row, Section, Series
from bench.scenario import CONNECTIONS, create_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scale import Scale
    from bench.scenario import Scenario

PEOPLE = 1_000
POLL_EVERY_S, ANSWER_EVERY_S = 0.5, 5.0
GOAL_MIB = 1.0
"""Largest growth per minute. Memory fluctuates; a run of an hour measures 60 times as finely."""

POINTS = 12
"""Points along the plot."""

Samples = list[tuple[float, float]]
"""Samples: seconds since the start, MiB."""


def measure(scale: Scale) -> list[Section]:
    """Load a server and sample its memory every second."""
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        scenario = create_scenario(server)
        scenario.join(PEOPLE)
        activity = scenario.open_activity("many")
        _fill(scenario, activity, scale)
        samples, generator = uvloop.run(_under_load(scenario, activity, scale.soak_s))
    slope = slope_per_minute(samples[len(samples) // 2 :])
    errors = ", ".join(f"{count:,} × {what}" for what, count in generator.errors.items()) or "none"
    notes = {
        "at the begin": f"{samples[0][1]:.1f} MiB",
        "half-way": f"{samples[len(samples) // 2][1]:.1f} MiB",
        "at the end": f"{samples[-1][1]:.1f} MiB",
        "polls": f"{generator.quiet.count:,} ({generator.quiet.summary()})",
        "answers": f"{generator.answers.count:,} ({generator.answers.summary()})",
        "errors": errors,
    }
    row = Row(
        "memory, second half", Series([slope], "MiB/min"), goal=f"≤ {GOAL_MIB} MiB/min, no errors",
        met=slope <= GOAL_MIB and not generator.errors, notes=notes, key="soak-slope",
    )  # fmt: skip
    about = (
        f"{scale.soak_s:,.0f} s of {PEOPLE:,} participants, each polling every {POLL_EVERY_S} s and answering every "
        f"{ANSWER_EVERY_S:.0f} s, after {scale.soak_fill * PEOPLE:,} answers filled what is kept and bounded; memory every second, "
        "and the slope of the line through the second half; `--soak 3600` makes it an hour."
    )
    return [Section("Memory at a steady load", about, [row], [_plot(samples)])]


def _fill(scenario: Scenario, activity: str, scale: Scale) -> None:
    """Fill all bounded memory of a process: database pages, recent rows, parsed requests."""
    tokens = [token for _, token in scenario.seats]
    answers = scenario.answers(activity, tokens)
    for number in range(scale.soak_fill):
        send_once(scenario.server.port, answers, connections=CONNECTIONS).expect(201)
        if number % 4 == 0:
            for _ in range(2):
                polls = [scenario.poll(token, {"if-none-match": f'"{number}"'}) for token in tokens]
                send_once(scenario.server.port, polls, connections=CONNECTIONS).expect(200)


async def _under_load(scenario: Scenario, activity: str, seconds: float) -> tuple[Samples, LoadGenerator]:
    generator = LoadGenerator(scenario, period_s=POLL_EVERY_S)
    samples: Samples = []
    async with generator.running():
        await generator.prepare_answers()
        generator.start_counting()
        generator.answer_every(scenario.answers(activity, [token for _, token in scenario.seats]), ANSWER_EVERY_S)
        began_s = perf_counter()
        while (now_s := perf_counter() - began_s) <= seconds:
            samples.append((now_s, scenario.server.resident_mib()))
            await asyncio.sleep(1)
    return samples, generator


def slope_per_minute(samples: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through (seconds, MiB), in MiB for each minute."""
    middle_s = sum(at for at, _ in samples) / len(samples)
    middle_mib = sum(mib for _, mib in samples) / len(samples)
    spread = sum((at - middle_s) ** 2 for at, _ in samples)
    return 60 * sum((at - middle_s) * (mib - middle_mib) for at, mib in samples) / spread


def _plot(samples: Samples) -> Plot:
    chosen = samples[:: max(1, len(samples) // POINTS)]
    series = {"resident memory": [round(mib, 1) for _, mib in chosen]}
    return Plot("soak", "Memory at a steady load", [f"{at:.0f}" for at, _ in chosen], series, "seconds", "MiB")
