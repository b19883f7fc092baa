"""Events of seats, for packages above and for the feed's memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.participants.model import Participant


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """A change of a participant: joined, renamed, moved to another phone, or gone."""

    participant: Participant

    @property
    def session_id(self) -> int:
        """The id of the participant's session."""
        return self.participant.session_id


@dataclass(frozen=True, slots=True)
class ParticipantRemoved:
    """A removal; with `erase_responses` the answers must be deleted in the same transaction.

    `is_scripted`: a bot, whose answers the end of its rehearsal must still find.
    """

    session_id: int
    participant_id: int
    erase_responses: bool
    is_scripted: bool = False

    def deletes(self) -> tuple[str, list[int]]:
        """Return the deleted seat."""
        return "participants", [self.participant_id]
