"""When scripted participants act: pure functions of their chance, in seconds."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.rehearsal.people import Person

JOIN_EACH_S = 0.6
LONGEST_JOIN_S = 45.0
"""A hall of 200 comes in within a minute, a team of ten within seconds."""

READING_S = 2.0
THINKING_S = 6.0
SPREAD = 0.6
"""After READING_S an answer takes THINKING_S in the middle, some three times as long: a log-normal, as people's reaction times are."""

OF_A_TIMED_ONE = 0.9
"""Share of an activity's own time within which nearly all have answered."""

SILENT = 0.07
CHANGES_MIND = 0.08
AGAIN_S = 9.0
MOST_AGAIN = 4


def join_times(people: int, person: Person) -> float:
    """Return when one of so many people joins."""
    longest = min(LONGEST_JOIN_S, JOIN_EACH_S * people)
    return longest * max(person.chance.random(), person.chance.random())


def answer_times(person: Person, *, many: bool, final: bool, duration_s: int | None) -> Iterator[float]:
    """Yield when someone answers an activity that opens now, in order: not at all, once, or anew.

    `many`: each answer stands for itself. `final`: the first one counts. `duration_s`: how long it is open, if that is known.
    """
    chance = person.chance
    if chance.random() < SILENT:
        return
    middle = THINKING_S * (1.4 - 0.8 * person.quickness)
    at = READING_S + chance.lognormvariate(log(middle), SPREAD)
    if duration_s is not None:
        longest = duration_s * OF_A_TIMED_ONE
        at = at if at < longest else longest * chance.uniform(0.5, 1.0)
    yield at
    again = chance.randint(0, MOST_AGAIN) if many else int(not final and chance.random() < CHANGES_MIND)
    for _ in range(round(again * (0.4 + person.talk)) if many else again):
        at += 1.0 + chance.expovariate(1 / AGAIN_S)
        yield at
