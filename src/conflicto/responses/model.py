"""What a response is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from conflicto.activities.model import ModerationPolicy

if TYPE_CHECKING:
    from conflicto.activities.model import Activity

NO_SLOT = UUID(int=0)
"""The slot of policies `one` and `first`: the unique key then allows one row for each participant and round."""


class Moderation(StrEnum):
    """Whether others may see a response."""

    VISIBLE = "visible"
    PENDING = "pending"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantResponse:
    """One answer in its present revision. `ts` and `created_ts` are feed timestamps, `received_us` is wall time, all µs since 1970 UTC.

    `text` is the gated JSON, None for a tombstone; `masked` is what others are shown in its place, None if that is the text itself: the
    word filter found something (`filtering.py`). `was_visible`: someone other than host and author may have seen it, so that its
    going must be told. `participant_id` is None if its author left an anonymous activity.
    """

    id: UUID
    session_id: int
    activity_id: UUID
    participant_id: int | None
    round: int
    slot: UUID
    ts: int
    created_ts: int
    received_us: int
    revision: int
    deleted: bool
    moderation: Moderation
    was_visible: bool
    text: str | None
    masked: str | None = None

    @property
    def is_visible(self) -> bool:
        """Whether it counts for screen and participants."""
        return not self.deleted and self.moderation is Moderation.VISIBLE


class LiveResponse(NamedTuple):
    """As much of a live response as counting takes: what is read by the hundred thousand."""

    id: UUID
    ts: int
    created_ts: int
    received_us: int
    participant_id: int | None
    moderation: str
    text: str
    masked: str | None

    @property
    def deleted(self) -> bool:
        """Never."""
        return False

    @property
    def is_visible(self) -> bool:
        """Whether it counts for screen and participants."""
        return self.moderation == Moderation.VISIBLE


class ResponseContent(NamedTuple):
    """What a participant wrote: gated JSON text, and what the word filter says of it.

    `masked`: what others are shown in its place, if anything. `held`: it waits for the host.
    """

    text: str
    masked: str | None = None
    is_held: bool = False


def initial_moderation(activity: Activity, before: ParticipantResponse | None, *, is_held: bool = False) -> Moderation:
    """Return how a new revision starts: what the host hid or holds does not come back by being sent again."""
    if activity.moderation is ModerationPolicy.AFTER and before is not None and before.moderation is not Moderation.VISIBLE:
        return before.moderation
    if is_held or activity.moderation is ModerationPolicy.BEFORE:
        return Moderation.PENDING
    return Moderation.VISIBLE
