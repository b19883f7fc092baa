"""Reader of a session's answers in one snapshot, with a progress counter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.activities.queries import activities_in_order, count_responses, counts_by_round
from conflicto.responses.queries import responses_of_participants, scan_responses, texts_in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from uuid import UUID

    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse


@dataclass(slots=True)
class ResponseReader:
    """Reads a session's live answers in one transaction; `responses_read` counts them."""

    tx: ReadTx
    session_id: int
    responses_read: int = 0

    def total(self) -> int:
        """Return the number of answers."""
        activities = activities_in_order(self.tx, self.session_id)
        return sum(count_responses(counts_by_round(self.tx, each.id)) for each in activities)

    def responses_of_activity(self, activity_id: UUID) -> Iterator[ParticipantResponse]:
        """Yield the answers of all rounds of an activity, in feed order."""
        for response in scan_responses(self.tx, activity_id, round_number=None, participant_id=None):
            self.responses_read += 1
            yield response

    def responses_of_participants(self, participants: Sequence[int], activities: Collection[UUID]) -> list[ParticipantResponse]:
        """Return the answers of some participants to some activities, in feed order."""
        found = [each for each in responses_of_participants(self.tx, participants) if each.activity_id in activities]
        self.responses_read += len(found)
        return found

    def texts_of(self, activity_id: UUID) -> Iterator[tuple[int, str]]:
        """Yield round and JSON text of an activity's answers, ordered by text."""
        for round_number, text in texts_in_order(self.tx, activity_id):
            self.responses_read += 1
            yield round_number, text
