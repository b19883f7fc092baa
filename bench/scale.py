"""How much a run of the bench does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`rounds` of every measure; `people` join and answer.

    Polls are sent for `poll_s` (whole seconds, as wrk takes them) in `poll_rounds`, those with rate limits by so many `seats`; `polls`
    names the ones that are asked, none meaning all.
    `rooms` are numbers of participants, who are watched for `room_s` before they answer.
    Where growth is measured, `rows` are stored, `samples` of each request are timed, and `crowd` answer at once in each round.
    """

    name: str
    rounds: int
    poll_rounds: int
    poll_s: int
    polls: tuple[str, ...] = ()
    seats: int
    people: int
    rows: int
    samples: int
    crowd: int
    rooms: tuple[int, ...]
    transports: tuple[str, ...] = ("poll", "long-poll", "stream")
    room_s: float


QUICK_POLLS = ("session-status-200", "session-status-304", "since-nothing", "since-page")

FULL = Scale(
    name="full", rounds=5, poll_rounds=3, poll_s=2, seats=3_000, people=5_000, rows=1_000_000, samples=400, crowd=2_000,
    rooms=(50, 500, 5_000, 20_000), room_s=8,
)  # fmt: skip
QUICK = Scale(
    name="quick", rounds=3, poll_rounds=3, poll_s=1, polls=QUICK_POLLS, seats=1_000, people=800, rows=30_000, samples=60, crowd=700,
    rooms=(50, 500, 2_000), room_s=3,
)  # fmt: skip
