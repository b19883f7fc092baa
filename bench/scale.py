"""How much a run of the bench does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`rounds` of every measure; `people` join and answer.

    Where growth is measured, `rows` are stored, `samples` of each request are timed, and `crowd` answer at once in each round.
    """

    name: str
    rounds: int
    poll_s: float
    people: int
    rows: int
    samples: int
    crowd: int


FULL = Scale("full", rounds=5, poll_s=2.0, people=5_000, rows=1_000_000, samples=400, crowd=2_000)
QUICK = Scale("quick", rounds=3, poll_s=0.4, people=800, rows=30_000, samples=60, crowd=700)
