"""Events of activities, for packages above and for the feed's memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.activities.model import Activity, Counts


@dataclass(frozen=True, slots=True)
class ActivityChanged:
    """A change of an activity, new and deleted ones included."""

    activity: Activity

    @property
    def session_id(self) -> int:
        """The id of the activity's session."""
        return self.activity.session_id

    def deletes(self) -> tuple[str, list[UUID]]:
        """Return the activity's id if it was deleted."""
        return "activities", [self.activity.id] if self.activity.deleted else []


@dataclass(frozen=True, slots=True)
class RoundClosed:
    """The end of a round's answering, emitted before anything is stored.

    `activity` is the activity before the end.
    """

    activity: Activity


@dataclass(frozen=True, slots=True)
class CountsChanged:
    """The current counts of a round."""

    session_id: int
    activity_id: UUID
    round: int
    counts: Counts
