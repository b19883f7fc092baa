"""When scripted participants act: pure functions of their chance, in seconds."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.rehearsal.traits import BotTraits

JOIN_SPREAD_S = 0.6
MAX_JOIN_S = 45.0
"""A hall of 200 comes in within a minute, a team of ten within seconds."""

READING_S = 2.0
THINKING_S = 6.0
THINKING_SIGMA = 0.6
"""After READING_S an answer takes THINKING_S in the middle, some three times as long: a log-normal, as people's reaction times are."""

TIMED_SHARE = 0.9
"""Share of an activity's own time within which nearly all have answered."""

SILENT_PROBABILITY = 0.07
CHANGE_PROBABILITY = 0.08
MEAN_REPEAT_S = 9.0
MAX_REPEATS = 4


def join_delay(bots: int, traits: BotTraits) -> float:
    """Return when one of so many people joins."""
    longest = min(MAX_JOIN_S, JOIN_SPREAD_S * bots)
    return longest * max(traits.rng.random(), traits.rng.random())


def response_delays(traits: BotTraits, *, many: bool, final: bool, duration_s: int | None) -> Iterator[float]:
    """Yield when someone answers an activity that opens now, in order: not at all, once, or anew.

    `many`: each answer stands for itself. `final`: the first one counts. `duration_s`: how long it is open, if that is known.
    """
    chance = traits.rng
    if chance.random() < SILENT_PROBABILITY:
        return
    middle = THINKING_S * (1.4 - 0.8 * traits.speed)
    at = READING_S + chance.lognormvariate(log(middle), THINKING_SIGMA)
    if duration_s is not None:
        longest = duration_s * TIMED_SHARE
        at = at if at < longest else longest * chance.uniform(0.5, 1.0)
    yield at
    again = chance.randint(0, MAX_REPEATS) if many else int(not final and chance.random() < CHANGE_PROBABILITY)
    for _ in range(round(again * (0.4 + traits.talkativeness)) if many else again):
        at += 1.0 + chance.expovariate(1 / MEAN_REPEAT_S)
        yield at
