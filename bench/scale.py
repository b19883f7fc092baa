"""How much a run of the bench does."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`rounds` of every measure; `people` join and answer.

    Polls are sent for `poll_s` (whole seconds, as wrk takes them) in `poll_rounds`, those with rate limits by so many `seats`; `polls`
    names the ones that are asked, none meaning all, and `ceiling` says whether nginx is asked too.
    `rooms` are numbers of participants, who are watched for `room_s` before they answer; `streams` are held
    open; a host makes `edits` of each kind; the server is started so many times (`starts`), and loaded for `soak_s`
    once everyone has answered `soak_fill` times.
    Where growth is measured, `rows` are stored, `samples` of each request are timed, and `crowd` answer at once in each round;
    among `contained` rows, those that contain something are looked for.
    """

    name: str
    rounds: int
    poll_rounds: int
    poll_s: int
    polls: tuple[str, ...] = ()
    ceiling: bool = True
    seats: int
    people: int
    rows: int
    samples: int
    crowd: int
    contained: int
    rooms: tuple[int, ...]
    transports: tuple[str, ...] = ("poll", "long-poll", "stream")
    room_s: float
    streams: int
    edits: int
    starts: int
    soak_s: float
    soak_fill: int


KEY_POLLS = ("session-status-200", "session-status-304", "since-nothing", "since-page")

FULL = Scale(
    name="full", rounds=5, poll_rounds=3, poll_s=2, seats=3_000, people=5_000, rows=1_000_000, samples=400, crowd=2_000,
    contained=100_000, rooms=(50, 500, 5_000, 20_000), room_s=4, streams=10_000, edits=150, starts=7, soak_s=60, soak_fill=220,
)  # fmt: skip
QUICK = Scale(
    name="quick", rounds=3, poll_rounds=3, poll_s=1, polls=KEY_POLLS, seats=1_000, people=800, rows=30_000, samples=60, crowd=700,
    contained=10_000, rooms=(50, 500, 2_000), room_s=3, streams=1_000, edits=30, starts=3, soak_s=10, soak_fill=5,
)  # fmt: skip
CHECK = replace(QUICK, name="check", poll_rounds=2, polls=KEY_POLLS[:3], seats=0, people=2_000)
"""Of `make bench-check`, which uses the polls and the submits alone."""
