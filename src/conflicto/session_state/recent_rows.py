"""The newest rows of a session in use, so that clients close to the head need no database query.

Each row is stored once, in its newest revision, in timestamp order. After any position above the
floor, memory and database contain the same rows.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from conflicto.platform.cache_budget import text_bytes

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterable
    from uuid import UUID

    from conflicto.participants.model import Participant
    from conflicto.responses.model import ParticipantResponse
    from conflicto.responses.pool.model import PooledResponse

MAX_ROWS = 20_000
"""Limit of responses, and of seats, in one session: a large crowd's worth."""

MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Limit of the responses' texts together, in bytes; one response has up to 16 KiB."""


class Timestamped(Protocol):
    """A row that stands somewhere in the feed."""

    @property
    def ts(self) -> int:
        """Its timestamp."""


Row = TypeVar("Row")


class _OrderedRows(Generic[Row]):
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


class RecentRows:
    """The newest responses and seats of one session, complete after `floor`.

    `text_bytes` is the size of the texts.
    """

    def __init__(self, loaded_ts: int, *, own_ts: int = 0) -> None:
        self._responses: _OrderedRows[ParticipantResponse] = _OrderedRows(loaded_ts)
        self._participants: _OrderedRows[Participant] = _OrderedRows(loaded_ts)
        self._pooled: _OrderedRows[ParticipantResponse] = _OrderedRows(max(loaded_ts, own_ts))
        self._own_responses: dict[int, dict[UUID, ParticipantResponse]] = {}
        self._incomplete: set[int] = set()
        self.text_bytes = 0

    @property
    def floor(self) -> int:
        """Positions at or above it can be answered from here."""
        return max(self._responses.floor, self._participants.floor)

    def own_floor(self, participant_id: int) -> int | None:
        """Return the position after which all of a participant's own rows are here, or None."""
        return None if participant_id in self._incomplete else max(self.floor, self._pooled.floor)

    def __len__(self) -> int:
        return len(self._responses.rows) + len(self._pooled.rows) + len(self._participants.rows)

    def responses_after(self, ts: int) -> list[ParticipantResponse]:
        """Return everyone's answers after a position, tombstones included."""
        return self._responses.after(ts)

    def participants_after(self, ts: int) -> list[Participant]:
        """Return the seats that changed after a position, including removed ones."""
        return self._participants.after(ts)

    def own_responses(self, participant_id: int) -> list[ParticipantResponse]:
        """Return one participant's responses in memory, in order."""
        return sorted(self._own_responses.get(participant_id, {}).values(), key=lambda response: response.ts)

    def response(self, response_id: UUID) -> ParticipantResponse | None:
        """Return an answer, if it is here."""
        found = self._responses.rows.get(response_id)
        return found[1] if found else None

    def participant(self, participant_id: int) -> Participant | None:
        """Return a seat, if it is here."""
        found = self._participants.rows.get(participant_id)
        return found[1] if found else None

    def has_all_rows_of(self, participant_id: int) -> bool:
        """Return whether all rows of a seat are here, because the seat is newer than the floor."""
        seat, floor = self.participant(participant_id), self.own_floor(participant_id)
        return seat is not None and floor is not None and seat.created_ts > floor

    def put_response(self, response: ParticipantResponse) -> None:
        """Store a response in its present state and remove its pooled row."""
        self._remove_pooled(response.id)
        before = self.response(response.id)
        self.text_bytes += _size(response) - (_size(before) if before else 0)
        self._responses.put(response.id, response.ts, response)
        self._put_own(response)
        self._evict()

    def put_pooled(self, row: PooledResponse) -> None:
        """Store a pooled response, which only its author reads."""
        if row.is_spent:
            self._remove_own(row.participant_id)
            self._incomplete.add(row.participant_id)
            return
        self._remove_pooled(row.id)
        response = row.as_author_reads()
        self.text_bytes += _size(response)
        self._pooled.put(response.id, response.ts, response)
        self._put_own(response)
        self._evict()

    def remove_author(self, participant_id: int, anonymous: Container[UUID]) -> None:
        """Remove a departed author from responses to anonymous activities."""
        for response in self._remove_own(participant_id):
            if response.id in self._pooled.rows:
                self._remove_pooled(response.id)
            known = self._responses.rows.get(response.id)
            if known is not None and response.activity_id in anonymous:
                self._responses.rows[response.id] = known[0], replace(known[1], participant_id=None)

    def _remove_own(self, participant_id: int) -> Iterable[ParticipantResponse]:
        return self._own_responses.pop(participant_id, {}).values()

    def _put_own(self, response: ParticipantResponse) -> None:
        if response.participant_id is not None and response.participant_id not in self._incomplete:
            self._own_responses.setdefault(response.participant_id, {})[response.id] = response

    def _remove_pooled(self, response_id: UUID) -> None:
        known = self._pooled.rows.pop(response_id, None)
        if known is not None:
            self._release(known[1])

    def _evict(self) -> None:
        while max(len(self._responses.rows), len(self._pooled.rows)) > MAX_ROWS or self.text_bytes > MAX_TEXT_BYTES:
            rows = self._responses if len(self._responses.rows) >= len(self._pooled.rows) else self._pooled
            self._release(rows.drop_oldest())

    def put_participant(self, participant: Participant) -> None:
        """Store a seat in its present state."""
        self._participants.put(participant.id, participant.updated_ts, participant)
        while len(self._participants.rows) > MAX_ROWS:
            self._participants.drop_oldest()

    def _release(self, response: ParticipantResponse) -> None:
        self.text_bytes -= _size(response)
        own = {} if response.participant_id is None else self._own_responses.get(response.participant_id, {})
        if own.get(response.id) is response:
            del own[response.id]
            if not own and response.participant_id is not None:
                del self._own_responses[response.participant_id]


def _size(response: ParticipantResponse) -> int:
    return text_bytes(response.text) + text_bytes(response.masked)
