"""How much a run of the bench does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`rounds` of every measure; `people` join and answer; `rows` are stored where growth is measured, `samples` timed there."""

    name: str
    rounds: int
    poll_s: float
    people: int
    rows: int
    samples: int


FULL = Scale("full", rounds=5, poll_s=2.0, people=5_000, rows=1_000_000, samples=400)
QUICK = Scale("quick", rounds=3, poll_s=0.6, people=1_500, rows=100_000, samples=100)
