"""The control plane while a room is busy: a host makes, reads, edits and deletes activities, and everyone else polls and answers."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

import uvloop

from bench import servers
from bench.client import BenchFailed
from bench.crowd import PERIOD_S, Crowd
from bench.histogram import Histogram
from bench.report import Row, Section, Series
from bench.stage import set_stage

if TYPE_CHECKING:
    from bench.scale import Scale
    from bench.stage import Stage

PEOPLE = 50
ANSWER_EVERY_S = 1.0
GOAL_MS = 200
VERBS = ("create", "read", "edit", "delete")
FIELDS = {"type": "lunch", "title": "Dinner?", "config": {"choices": ["Soup", "Salad", "Bread"]}}


def measure(scale: Scale) -> list[Section]:
    """Time each verb in a room of 50."""
    with servers.scratch() as folder, servers.conflicto(folder) as server:
        stage = set_stage(server)
        stage.join(PEOPLE)
        took, crowd = uvloop.run(_under_a_room(stage, stage.open_activity("many"), scale.edits))
    if crowd.errors:
        message = f"the room had errors: {dict(crowd.errors)}"
        raise BenchFailed(message)
    about = (
        f"One host makes, reads, edits and deletes {scale.edits} activities, one request after the other, while {PEOPLE} participants poll "
        f"every {PERIOD_S:.0f} s and answer every {ANSWER_EVERY_S:.0f} s. Meanwhile: polls {crowd.quiet.summary()}; "
        f"answers {crowd.answers.summary()}."
    )
    return [Section("Control plane in a busy room", about, [_row(verb, took[verb]) for verb in VERBS])]


async def _under_a_room(stage: Stage, activity: str, edits: int) -> tuple[dict[str, Histogram], Crowd]:
    crowd = Crowd(stage)
    async with crowd.present():
        await crowd.prepare_answers()
        crowd.answer_again_and_again(stage.answers(activity, [token for _, token in stage.seats]), ANSWER_EVERY_S)
        await asyncio.sleep(PERIOD_S)
        crowd.begin_to_count()
        took = await asyncio.to_thread(_edit_all, stage, edits)
    return took, crowd


def _edit_all(stage: Stage, edits: int) -> dict[str, Histogram]:
    took = {verb: Histogram() for verb in VERBS}
    with stage.server.line(stage.host) as line:

        def timed(verb: str, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
            began_s = perf_counter()
            answer = line.call(method, f"{stage.path}/activities{path}", body)
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
