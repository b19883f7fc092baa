"""The newest rows of a session that is in use, so that whoever is nearly up to date is answered without the database.

Each row stands here once, in its newest revision, in the order of its timestamp: what the database would give after a position, as long
as that position is not below the floor.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable
    from uuid import UUID

    from conflicto.participants.model import Participant
    from conflicto.responses.model import Response

MOST_ROWS = 20_000
"""Answers, and as many seats, of one session: a large hall's worth, about 1 KB each."""

MOST_CHARACTERS = 8 * 1024 * 1024
"""Of the answers' texts together; an answer has up to 16 KiB."""


class Stamped(Protocol):
    """A row that stands somewhere in the feed."""

    @property
    def ts(self) -> int:
        """Its timestamp."""


Row = TypeVar("Row")


class _Line(Generic[Row]):
    """Rows by id, oldest first. `floor`: rows up to this timestamp may be missing."""

    def __init__(self, floor: int) -> None:
        self.rows: OrderedDict[Hashable, tuple[int, Row]] = OrderedDict()
        self.floor = floor

    def put(self, row_id: Hashable, ts: int, row: Row) -> None:
        self.rows[row_id] = ts, row
        self.rows.move_to_end(row_id)

    def drop_oldest(self) -> Row:
        _, (self.floor, row) = self.rows.popitem(last=False)
        return row

    def after(self, ts: int) -> list[Row]:
        """Return the rows after a position, in order."""
        found: list[Row] = []
        for stamp, row in reversed(self.rows.values()):
            if stamp <= ts:
                break
            found.append(row)
        found.reverse()
        return found


class Recent:
    """The newest answers and seats of one session, complete after `floor`."""

    def __init__(self, loaded_ts: int) -> None:
        self._answers: _Line[Response] = _Line(loaded_ts)
        self._people: _Line[Participant] = _Line(loaded_ts)
        self._own: dict[int, dict[UUID, Response]] = {}
        self._characters = 0

    @property
    def floor(self) -> int:
        """Positions at or above it can be answered from here."""
        return max(self._answers.floor, self._people.floor)

    def answers_after(self, ts: int) -> list[Response]:
        """Return everyone's answers after a position, tombstones included."""
        return self._answers.after(ts)

    def people_after(self, ts: int) -> list[Participant]:
        """Return the seats that changed after a position, those that are gone included."""
        return self._people.after(ts)

    def own_answers(self, participant_id: int) -> list[Response]:
        """Return one participant's answers, as far as they are here, in order."""
        return sorted(self._own.get(participant_id, {}).values(), key=lambda response: response.ts)

    def answer(self, response_id: UUID) -> Response | None:
        """Return an answer, if it is here."""
        found = self._answers.rows.get(response_id)
        return found[1] if found else None

    def seat(self, participant_id: int) -> Participant | None:
        """Return a seat, if it is here."""
        found = self._people.rows.get(participant_id)
        return found[1] if found else None

    def knows_all_of(self, participant_id: int) -> bool:
        """Whether everything about a seat is here, because the seat itself is younger than the floor."""
        seat = self.seat(participant_id)
        return seat is not None and seat.created_ts > self.floor

    def take_answer(self, response: Response) -> None:
        """Take in an answer as it is now."""
        own = self._own.setdefault(response.participant_id, {})
        before = own.get(response.id)
        self._characters += _size(response) - (_size(before) if before else 0)
        own[response.id] = response
        self._answers.put(response.id, response.ts, response)
        while len(self._answers.rows) > MOST_ROWS or self._characters > MOST_CHARACTERS:
            self._drop(self._answers.drop_oldest())

    def take_seat(self, participant: Participant) -> None:
        """Take in a seat as it is now."""
        self._people.put(participant.id, participant.updated_ts, participant)
        while len(self._people.rows) > MOST_ROWS:
            self._people.drop_oldest()

    def _drop(self, response: Response) -> None:
        self._characters -= _size(response)
        own = self._own[response.participant_id]
        del own[response.id]
        if not own:
            del self._own[response.participant_id]


def _size(response: Response) -> int:
    return len(response.text or "") + len(response.masked or "")
