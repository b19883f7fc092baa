"""Amount of work of a benchmark run."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Amounts of one run: `rounds` of every measure, with `people` who join and answer.

    Polls run for `poll_s` (whole seconds, as wrk takes them) in `poll_rounds`. Those with rate
    limits use `seats`. `polls` names the polls, and none means all. `ceiling` adds nginx.

    `rooms` are numbers of participants, measured for `room_s` before they answer. `streams` are
    held open. A host makes `edits` of each kind. `starts` counts starts of the server. A load runs
    for `soak_s` after everyone has answered `soak_fill` times. Sessions come and go for
    `turnover_s`, and each lasts `turnover_session_s`.

    With several workers, each run answers for `workers_s`.

    For growth, `rows` are stored, `samples` of each request are timed, and `crowd` answer at once
    in each round. The filter suite searches `contained` rows.
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
    submitters: int
    contained: int
    rooms: tuple[int, ...]
    transports: tuple[str, ...] = ("poll", "long-poll", "stream")
    room_s: float
    streams: int
    edits: int
    starts: int
    soak_s: float
    soak_fill: int
    workers_s: float
    turnover_s: float = 3_600
    turnover_session_s: float = 60


KEY_POLLS = ("session-status-200", "session-status-304", "since-nothing", "since-page")

FULL = Scale(
    name="full", rounds=5, poll_rounds=3, poll_s=2, seats=3_000, people=5_000, rows=1_000_000, samples=400, submitters=2_000,
    contained=100_000, rooms=(50, 500, 5_000, 20_000), room_s=4, streams=10_000, edits=150, starts=7, soak_s=60, soak_fill=220, workers_s=4,
)  # fmt: skip
QUICK = Scale(
    name="quick", rounds=3, poll_rounds=3, poll_s=1, polls=KEY_POLLS, seats=1_000, people=800, rows=30_000, samples=60, submitters=700,
    contained=10_000, rooms=(50, 500, 2_000), room_s=3, streams=1_000, edits=30, starts=3, soak_s=10, soak_fill=5, workers_s=1.5,
)  # fmt: skip
CHECK = replace(QUICK, name="check", poll_rounds=2, polls=KEY_POLLS[:3], seats=0, people=2_000)
"""Scale of `make bench-check`, which runs only polls and submits."""
