"""Stored responses of participants, their moderation states and their content."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from conflicto.activities.model import ModerationPolicy

if TYPE_CHECKING:
    from conflicto.activities.model import Activity

NO_SLOT = UUID(int=0)
"""Slot for the policies `one` and `first`.

The unique key allows one row with it for each participant and round.
"""


class Moderation(StrEnum):
    """Visibility of a response for others."""

    VISIBLE = "visible"
    PENDING = "pending"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantResponse:
    """A stored response in its current revision.

    `ts` and `created_ts` are feed timestamps, `received_us` is wall time, all in µs since 1970 UTC.
    `text` is compact JSON, None for a tombstone. `masked` is the text for others after the word
    filter, None if it equals `text`. `was_visible`: others than host and author may have read it,
    so its deletion appears in their feeds. `participant_id` is None once the author withdrew from
    an anonymous activity.
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
        """True if the screen and participants may read it."""
        return not self.deleted and self.moderation is Moderation.VISIBLE


class LiveResponse(NamedTuple):
    """Columns of a live response that counting reads, often for hundreds of thousands of rows."""

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
        """Always False, because the row is live."""
        return False

    @property
    def is_visible(self) -> bool:
        """True if the screen and participants may read it."""
        return self.moderation == Moderation.VISIBLE


class ResponseContent(NamedTuple):
    """Validated JSON text of a response, and the result of the word filter.

    `masked`: the text for others, None if it is `text`. `is_held`: the host has to approve it.
    `revision`: the revision of the activity that validated it. 0: no visible activity was known.
    None: the caller answers for the text, and no command compares.
    """

    text: str
    masked: str | None = None
    is_held: bool = False
    revision: int | None = None


def initial_moderation(activity: Activity, before: ParticipantResponse | None, *, is_held: bool = False) -> Moderation:
    """Return the moderation state of a new revision.

    Hidden and held responses keep their state when they are sent again.
    """
    if activity.moderation is ModerationPolicy.AFTER and before is not None and before.moderation is not Moderation.VISIBLE:
        return before.moderation
    if is_held or activity.moderation is ModerationPolicy.BEFORE:
        return Moderation.PENDING
    return Moderation.VISIBLE
