"""Delays of bots in seconds: pure functions of their traits and random generators."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.rehearsal.traits import BotTraits

JOIN_SPREAD_S = 0.6
"""Seconds by which one bot widens the period of joining."""

MAX_JOIN_S = 45.0
"""Longest period of joining: 200 bots join within a minute, ten within seconds."""

READING_S = 2.0
THINKING_S = 6.0
THINKING_SIGMA = 0.6
"""Parameters of the log-normal delay after `READING_S`, like human reaction times."""

TIMED_SHARE = 0.9
"""Share of an activity's duration within which nearly all bots have answered."""

SILENT_PROBABILITY = 0.07
CHANGE_PROBABILITY = 0.08
MEAN_REPEAT_S = 9.0
MAX_REPEATS = 4


def join_delay(bots: int, traits: BotTraits) -> float:
    """Return the delay before one of `bots` bots joins."""
    longest = min(MAX_JOIN_S, JOIN_SPREAD_S * bots)
    return longest * max(traits.rng.random(), traits.rng.random())


def response_delays(traits: BotTraits, *, many: bool, final: bool, duration_s: int | None) -> Iterator[float]:
    """Yield the delays of a bot's answers to an activity that opens now, in ascending order.

    `many`: the policy allows many answers. `final`: the first answer counts, so it is not changed.
    `duration_s`: duration of the activity (None: open-ended). A silent bot yields nothing.
    """
    rng = traits.rng
    if rng.random() < SILENT_PROBABILITY:
        return
    median = THINKING_S * (1.4 - 0.8 * traits.speed)
    delay = READING_S + rng.lognormvariate(log(median), THINKING_SIGMA)
    if duration_s is not None:
        longest = duration_s * TIMED_SHARE
        delay = delay if delay < longest else longest * rng.uniform(0.5, 1.0)
    yield delay
    repeats = rng.randint(0, MAX_REPEATS) if many else int(not final and rng.random() < CHANGE_PROBABILITY)
    for _ in range(round(repeats * (0.4 + traits.talkativeness)) if many else repeats):
        delay += 1.0 + rng.expovariate(1 / MEAN_REPEAT_S)
        yield delay
