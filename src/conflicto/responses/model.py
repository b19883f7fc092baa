"""The stored response and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from conflicto.activities.model import ModerationPolicy

if TYPE_CHECKING:
    from conflicto.activities.model import Activity

NO_SLOT = UUID(int=0)
"""Slot for the policies `one` and `first`: the unique key allows one row for each participant and round."""


class Moderation(StrEnum):
    """Visibility of a response for others."""

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
        """Whether screen and participants may see it."""
        return not self.deleted and self.moderation is Moderation.VISIBLE


class LiveResponse(NamedTuple):
    """The columns of a live response that counting reads, for loads of hundreds of thousands of rows."""

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
        """False: the row is live."""
        return False

    @property
    def is_visible(self) -> bool:
        """Whether screen and participants may see it."""
        return self.moderation == Moderation.VISIBLE


class ResponseContent(NamedTuple):
    """Checked JSON text of a response, and the result of the word filter.

    `masked`: the text for others, None if it is `text`. `is_held`: the response waits for the host.
    """

    text: str
    masked: str | None = None
    is_held: bool = False


def initial_moderation(activity: Activity, before: ParticipantResponse | None, *, is_held: bool = False) -> Moderation:
    """Return the moderation state of a new revision. Hidden or held responses stay so when they are sent again."""
    if activity.moderation is ModerationPolicy.AFTER and before is not None and before.moderation is not Moderation.VISIBLE:
        return before.moderation
    if is_held or activity.moderation is ModerationPolicy.BEFORE:
        return Moderation.PENDING
    return Moderation.VISIBLE
