"""Model of reserved places."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReservedPlaces:
    """Places reserved for people who left, which count towards the session's limit.

    `counted` have an answer in an open round; hosts see their number. `uncounted` left while an
    anonymous round was open, with or without an answer. So neither the number nor a rejection
    reveals who answered. `is_full`: more people left than are checked.
    """

    counted: frozenset[int] = frozenset()
    uncounted: frozenset[int] = frozenset()
    is_full: bool = False

    @property
    def count(self) -> int:
        """Number of reserved places."""
        return len(self.counted | self.uncounted)


NO_RESERVED_PLACES = ReservedPlaces()
