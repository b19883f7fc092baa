"""What happened to seats, for rooms above and for the memory of the feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.participants.model import Participant


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """The participant as they are now: joined, renamed, moved to another phone, or gone."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantRemoved:
    """Someone left or was removed; with `erase_answers` their answers must go in the same transaction.

    `is_scripted`: a rehearsal's participant, whose answers must be found again when it ends.
    """

    session_id: int
    participant_id: int
    erase_answers: bool
    is_scripted: bool = False

    def deletes(self) -> tuple[str, list[int]]:
        """Return the seat as what went."""
        return "participants", [self.participant_id]
