"""Suite of a host who edits under load.

A host creates, reads, edits and deletes activities while participants poll and answer.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

import uvloop

from bench import servers
from bench.client import BenchmarkError
from bench.histogram import Histogram
from bench.load_generator import PERIOD_S, LoadGenerator
from bench.report import Row, Section, Series
from bench.scenario import create_scenario

if TYPE_CHECKING:
    from bench.scale import Scale
    from bench.scenario import Scenario

PEOPLE = 50
ANSWER_EVERY_S = 1.0
GOAL_MS = 200
VERBS = ("create", "read", "edit", "delete")
FIELDS = {"type": "lunch", "title": "Dinner?", "config": {"choices": ["Soup", "Salad", "Bread"]}}


def measure(scale: Scale) -> list[Section]:
    """Measure each verb with 50 participants."""
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        scenario = create_scenario(server)
        scenario.join(PEOPLE)
        took, generator = uvloop.run(_under_load(scenario, scenario.open_activity("many"), scale.edits))
    if generator.errors:
        message = f"the room had errors: {dict(generator.errors)}"
        raise BenchmarkError(message)
    about = (
        f"One host makes, reads, edits and deletes {scale.edits} activities, one request after the other, while {PEOPLE} participants poll "
        f"every {PERIOD_S:.0f} s and answer every {ANSWER_EVERY_S:.0f} s. Meanwhile: polls {generator.quiet.summary()}; "
        f"answers {generator.answers.summary()}."
    )
    return [Section("Control plane in a busy room", about, [_row(verb, took[verb]) for verb in VERBS])]


async def _under_load(scenario: Scenario, activity: str, edits: int) -> tuple[dict[str, Histogram], LoadGenerator]:
    generator = LoadGenerator(scenario)
    async with generator.running():
        await generator.prepare_answers()
        generator.answer_every(scenario.answers(activity, [token for _, token in scenario.seats]), ANSWER_EVERY_S)
        await asyncio.sleep(PERIOD_S)
        generator.start_counting()
        took = await asyncio.to_thread(_edit_all, scenario, edits)
    return took, generator


def _edit_all(scenario: Scenario, edits: int) -> dict[str, Histogram]:
    took = {verb: Histogram() for verb in VERBS}
    with scenario.server.connect(scenario.host) as line:

        def timed(verb: str, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
            began_s = perf_counter()
            answer = line.call(method, f"{scenario.path}/activities{path}", body)
            took[verb].record(perf_counter() - began_s)
            return answer

        for number in range(edits):
            path = f"/{timed('create', 'POST', '', FIELDS)['id']}"
            timed("read", "GET", path)
            timed("edit", "PATCH", path, {"title": f"Supper {number}?"})
            timed("delete", "DELETE", path)
    return took


def _row(verb: str, took: Histogram) -> Row:
    figures = took.summary()
    notes = {"p50": f"{figures.p50:.1f} ms", "max": f"{figures.largest:.0f} ms", "count": f"{figures.count:,}"}
    return Row(f"{verb}, p99", Series([figures.p99], "ms"), goal=f"p99 ≤ {GOAL_MS} ms", met=figures.p99 <= GOAL_MS, notes=notes)
