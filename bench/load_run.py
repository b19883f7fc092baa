"""One run: participants join and poll.

Half-way an activity opens, and everyone answers while polling.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvloop

from bench.blocking_connection import PREFIX
from bench.client import BenchmarkError, request_bytes
from bench.histogram import Percentiles
from bench.load_generator import PERIOD_S, LoadGenerator
from bench.scenario import require_stored

if TYPE_CHECKING:
    from bench.scenario import Scenario

ANSWER_S = 3.0
POLL_AFTER_ANSWERS_S = 1.5
"""Seconds of polling after the last answer is due."""

OPEN_S = 20
MIN_HELD_S = 0.5
"""Least duration of a long-poll of one second that the server held."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """Figures of one run.

    `server` and `client` are shares of one core while participants only polled.
    """

    transport: str
    people: int
    polls: Percentiles
    polls_meanwhile: Percentiles
    answers: Percentiles
    news: Percentiles
    late: Percentiles
    errors: dict[str, int]
    server: float
    client: float
    before_mib: float
    resident_mib: float

    @property
    def kib_each(self) -> float:
        """Memory of one participant in the server, KiB, connection included."""
        return (self.resident_mib - self.before_mib) * 1024 / self.people


def is_offered(scenario: Scenario, transport: str) -> bool:
    """Return whether the server supports a transport: status 200, and a held long-poll."""
    token = scenario.seats[0][1]
    if transport == "stream":
        return _status(scenario, request_bytes("GET", f"{PREFIX}{scenario.path}/events", token=token, headers=_EVENTS)) == 200
    if transport == "long-poll":
        return _is_held(scenario, token)
    return True


def run_load(scenario: Scenario, transport: str, *, quiet_s: float) -> RunResult:
    """Connect the scenario's seats, measure, open an activity, and measure again."""
    with scenario.server.connect(scenario.host) as line:
        activity = line.call("POST", f"{scenario.path}/activities", {"type": "lunch", "title": "Lunch?", "config": {}})["id"]
    before_mib = scenario.server.resident_mib()
    seen = uvloop.run(_run_load(scenario, transport, activity, quiet_s, before_mib))
    if not seen.errors:
        require_stored(scenario, activity, seen.answers.count)
    return seen


async def _run_load(scenario: Scenario, transport: str, activity: str, quiet_s: float, before_mib: float) -> RunResult:
    generator = LoadGenerator(scenario, transport)
    answers = scenario.answers(activity, [token for _, token in scenario.seats])
    async with generator.running():
        await asyncio.sleep(PERIOD_S + 0.5)
        generator.start_counting()
        busy = await generator.watch(quiet_s)
        await generator.prepare_answers()
        generator.expect_news(activity.encode())
        if await asyncio.to_thread(_open, scenario, activity):
            generator.answer_within(answers, ANSWER_S)
        else:
            generator.errors[f"activity not opened within {OPEN_S} s"] += 1
        await asyncio.sleep(ANSWER_S + POLL_AFTER_ANSWERS_S)
        await generator.wait_for_answers()
        await generator.wait_for_news(PERIOD_S)
        resident_mib = scenario.server.resident_mib()
    return RunResult(
        transport, len(scenario.seats), generator.quiet.summary(), generator.busy.summary(), generator.answers.summary(),
        generator.news.summary(), generator.late.summary(), dict(generator.errors), busy.server, busy.client, before_mib, resident_mib,
    )  # fmt: skip


def _open(scenario: Scenario, activity: str) -> bool:
    """Open the activity. A failure under load is a result, not an error."""
    try:
        with scenario.server.connect(scenario.host, timeout_s=OPEN_S) as line:
            line.call("POST", f"{scenario.path}/activities/{activity}/transition", {"target_status": "active"})
    except TimeoutError:
        return False
    return True


_EVENTS = {"accept": "text/event-stream"}


def _status(scenario: Scenario, request: bytes) -> int:
    """Return only the status, because a stream has no end."""
    with scenario.server.connect() as line:
        return line.status(request)


def _is_held(scenario: Scenario, token: str) -> bool:
    path = f"{PREFIX}{scenario.path}/status?wait=1"
    with scenario.server.connect() as line:
        status, _ = line.send(request_bytes("GET", path, token=token))
        tag = line.header("etag")
        if status != 200 or tag is None:
            return False
        began = time.perf_counter()
        status, _ = line.send(request_bytes("GET", path, token=token, headers={"if-none-match": tag}))
        if status not in {200, 304}:
            message = f"a long-poll was answered with {status}"
            raise BenchmarkError(message)
        return status == 200 or time.perf_counter() - began >= MIN_HELD_S
