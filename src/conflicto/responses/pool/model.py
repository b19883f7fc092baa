"""Pooled responses, and the choice of those that a tick releases: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from conflicto.platform.ids import random_sample, secret_number
from conflicto.platform.instants import US_PER_S
from conflicto.responses.model import Moderation, ParticipantResponse

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conflicto.activities.model import Activity

TICK_PERIOD_US = 5 * US_PER_S
"""Time between two ticks of a round."""

MIN_DELAY_US, MAX_DELAY_US = 5 * US_PER_S, 30 * US_PER_S
"""Bounds of the random release delay of a response without a minimum group."""

MIN_MIXED_ROWS = 100
"""Minimum other rows of a round that get new timestamps together with edits of too few people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledResponse:
    """A response that waits for its release, readable by its author only.

    `ts` and `created_ts` are timestamps of the author's own feed, µs. `revision` is that of its
    release: above 1 it edits a released row of the same id. `is_spent`: a marker for a released
    response that its author withdrew; it has no text and an id of its own. `due_us`: release time
    in rounds without a minimum group, µs since 1970 UTC.
    """

    id: UUID
    session_id: int
    activity_id: UUID
    participant_id: int
    round: int
    slot: UUID
    ts: int
    created_ts: int
    received_us: int
    revision: int
    deleted: bool
    is_spent: bool
    moderation: Moderation
    due_us: int | None
    text: str | None
    masked: str | None = None

    @property
    def is_edit(self) -> bool:
        """True if a released row of the same id exists."""
        return self.revision > 1

    def as_author_reads(self) -> ParticipantResponse:
        """Return the row as its author reads it."""
        return ParticipantResponse(
            id=self.id, session_id=self.session_id, activity_id=self.activity_id, participant_id=self.participant_id,
            round=self.round, slot=self.slot, ts=self.ts, created_ts=self.created_ts, received_us=self.received_us,
            revision=self.revision, deleted=self.deleted, moderation=self.moderation, was_visible=False, text=self.text,
            masked=self.masked,
        )  # fmt: skip


def draw_release_time(now_us: int) -> int:
    """Return a random release time for a response without a minimum group, µs since 1970 UTC."""
    return now_us + MIN_DELAY_US + secret_number(MAX_DELAY_US - MIN_DELAY_US)


def latest_tick(activity: Activity, at_us: int) -> int:
    """Return the time of a round's newest tick at `at_us`, µs since 1970 UTC.

    Ticks follow the start of the round at multiples of `TICK_PERIOD_US`.
    """
    started = activity.started_ts or 0
    return started + (at_us - started) // TICK_PERIOD_US * TICK_PERIOD_US


def next_release_time(activity: Activity, rows: Collection[PooledResponse], at_us: int) -> int | None:
    """Return the time of a pool's next check, µs since 1970 UTC, or None if `rows` is empty."""
    if not rows:
        return None
    if activity.min_group:
        return latest_tick(activity, at_us) + TICK_PERIOD_US
    return min(row.due_us or at_us for row in rows)


def rows_due_at_tick(rows: Sequence[PooledResponse], people: Collection[int], min_group: int) -> Sequence[PooledResponse]:
    """Return the rows that a tick releases: all except those of `min_group` random people.

    Nothing is released with fewer than twice `min_group` people.
    """
    if len(people) < 2 * min_group:
        return ()
    staying = set(random_sample(sorted(people), min_group))
    return [row for row in rows if row.participant_id not in staying]
