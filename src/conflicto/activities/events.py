"""What happened to an activity, for rooms above and for the memory of the feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.activities.model import Activity, Counts


@dataclass(frozen=True, slots=True)
class ActivityChanged:
    """The activity as it is now, new ones and deleted ones included."""

    activity: Activity

    def deletes(self) -> tuple[str, list[UUID]]:
        """Return the activity if it was deleted."""
        return "activities", [self.activity.id] if self.activity.deleted else []


@dataclass(frozen=True, slots=True)
class RoundClosed:
    """The end of a round's answering, told before anything of it is stored: the activity as it was until now."""

    activity: Activity


@dataclass(frozen=True, slots=True)
class CountsChanged:
    """The counts of a round as they are now."""

    session_id: int
    activity_id: UUID
    round: int
    counts: Counts
