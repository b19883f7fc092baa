"""The newest responses of a session in use, so that clients close to the head need no query.

Each row is stored once, in its newest revision, in timestamp order. After any position above the
floors, memory and database contain the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from conflicto.participants.events import ParticipantChanged
from conflicto.platform.cache_budget import text_bytes
from conflicto.platform.sizes import MIB
from conflicto.responses.events import RemoteResponsesChanged, ResponsesChanged, ResponsesPooled
from conflicto.responses.model import Moderation, ParticipantResponse
from conflicto.responses.pool.model import PooledResponse
from conflicto.responses.queries import pooled_changes, session_feed
from conflicto.session_state.ordered_rows import OrderedRows
from conflicto.session_state.parts import MAX_LOADED_ROWS, MAX_REMOTE_ROWS, StatePart
from conflicto.session_state.views import View

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from typing import Self

    from conflicto.platform.db.sequence import FeedHead
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.session_state.parts import EventHandler, StateLoad
    from conflicto.session_state.state import SessionState

    Change = tuple[ParticipantResponse | None, ParticipantResponse]

MAX_ROWS = 20_000
"""Limit of responses in one session: a large crowd's worth."""

MAX_TEXT_BYTES = 8 * MIB
"""Limit of the responses' texts together, in bytes; one response has up to 16 KiB."""

ROW_BYTES = 1_400
"""Size of a response without its text, in bytes, with its entries here."""


def _apply_changes(state: SessionState, event: ResponsesChanged | RemoteResponsesChanged) -> None:
    recent, own_timestamps = state.parts[RecentResponses], state.own_timestamps
    for _, after in event.changes:
        if (author := after.participant_id) is not None:
            own_timestamps[author] = max(after.ts, own_timestamps.get(author, 0))
            if recent.pooled_authors:
                recent.pooled_authors.get((after.activity_id, after.round), _NO_AUTHORS).discard(author)
        recent.put(after)
    _notify_authors(state, event.changes)


def _apply_pooled(state: SessionState, event: ResponsesPooled) -> None:
    recent = state.parts[RecentResponses]
    for row in event.rows:
        state.own_timestamps.add(row.participant_id, row.ts)
        recent.put_pooled(row)
        authors = recent.pooled_authors.get((row.activity_id, row.round))
        if authors is not None:
            (authors.discard if row.deleted and not row.is_spent else authors.add)(row.participant_id)


def _apply_participant(state: SessionState, event: ParticipantChanged) -> None:
    if event.participant.deleted:
        anonymous = {each.id for each in state.activities.values() if each.anonymous}
        state.parts[RecentResponses].remove_author(event.participant.id, anonymous)


def _notify_authors(state: SessionState, changes: Iterable[Change]) -> None:
    """Wake authors whose responses a host hid, approved or deleted.

    Senders read their own change in the reply.
    """
    authors = {after.participant_id for before, after in changes if _is_moderated(before, after)} - {None}
    if authors:
        state.notifiers[View.PARTICIPANT].notify_participants(authors)


def _is_moderated(before: ParticipantResponse | None, after: ParticipantResponse) -> bool:
    """Return whether a change may come from someone else than the author.

    Earlier states of remote changes are not always known.
    """
    if before is None:
        return after.deleted or after.moderation is Moderation.HIDDEN or after.revision > 1
    return after.deleted or after.moderation is not before.moderation


class RecentResponses(StatePart):
    """The newest responses of one session: those in the feed, and those only their author reads.

    `rows` are complete after `rows.floor`, and `pooled` after `pooled.floor`. `text_bytes` is the
    size of the texts. `pooled_authors` are the authors with a response in a round's pool, once
    requested.
    """

    handlers: ClassVar[Mapping[type, EventHandler]] = {
        ResponsesChanged: _apply_changes,
        RemoteResponsesChanged: _apply_changes,
        ResponsesPooled: _apply_pooled,
        ParticipantChanged: _apply_participant,
    }

    event_fields: ClassVar[Mapping[type, Mapping[str, Any]]] = {
        ResponsesChanged: {"session_id": int, "changes": list[tuple[ParticipantResponse | None, ParticipantResponse]]},
        ResponsesPooled: {
            "session_id": int,
            "rows": list[PooledResponse],
            "next_us": dict[UUID, int],
            "dropped": list[UUID],
            "released": tuple[int, int],
        },
    }

    def __init__(self, floor: int = 0, own_floor: int = 0) -> None:
        self.rows: OrderedRows[ParticipantResponse] = OrderedRows(floor)
        self.pooled: OrderedRows[ParticipantResponse] = OrderedRows(max(floor, own_floor))
        self._own_responses: dict[int, dict[UUID, ParticipantResponse]] = {}
        self._incomplete: set[int] = set()
        self.text_bytes = 0
        self.pooled_authors: dict[tuple[UUID, int], set[int]] = {}

    @classmethod
    def load(cls, load: StateLoad) -> Self:
        """Read the rows since the newest control change, the position of most phones, if few."""
        tx, head, limit = load.tx, load.head, MAX_LOADED_ROWS + 1
        responses = session_feed(
            tx, head.topic, after=head.control_ts, through=head.ts, limit=limit, excluded_activities=(), visible_only=False
        )
        pooled = pooled_changes(tx, head.topic, after=head.control_ts, limit=limit)
        if max(len(responses), len(pooled)) > MAX_LOADED_ROWS:
            load.is_truncated = True
            return cls(head.ts, head.position)
        recent = cls(head.control_ts)
        for response in responses:
            recent.put(response)
            if response.participant_id is not None:
                load.own_timestamps.add(response.participant_id, response.ts)
        for row in pooled:
            recent.put_pooled(row)
            load.own_timestamps.add(row.participant_id, row.ts)
        return recent

    @classmethod
    def read_remote(cls, tx: ReadTx, head: FeedHead, after: int) -> RemoteResponses:
        """Read the responses that other processes changed after a position."""
        limit = MAX_REMOTE_ROWS + 1
        responses = session_feed(
            tx, head.topic, after=after, through=head.ts, limit=limit, excluded_activities=(), visible_only=False
        )
        return RemoteResponses(head.topic, responses, pooled_changes(tx, head.topic, after=after, limit=limit))

    @property
    def bytes(self) -> int:
        """The approximate memory in bytes."""
        return self.text_bytes + (len(self.rows) + len(self.pooled)) * ROW_BYTES

    def has_all_of(self, participant_id: int) -> bool:
        """Return whether all of a participant's responses after the floors are here."""
        return participant_id not in self._incomplete

    def own_responses(self, participant_id: int) -> list[ParticipantResponse]:
        """Return one participant's responses in memory, in order."""
        return sorted(self._own_responses.get(participant_id, {}).values(), key=lambda response: response.ts)

    def put(self, response: ParticipantResponse) -> None:
        """Store a response in its present state and remove its pooled row."""
        if self.pooled.rows and response.id in self.pooled.rows:
            self._remove_pooled(response.id)
        before = self.rows.put(response.id, response.ts, response)
        self.text_bytes += _size(response) - (_size(before) if before else 0)
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
        self.pooled.put(response.id, response.ts, response)
        self._put_own(response)
        self._evict()

    def remove_author(self, participant_id: int, anonymous: Container[UUID]) -> None:
        """Remove a departed author from responses to anonymous activities."""
        for response in self._remove_own(participant_id):
            if response.id in self.pooled.rows:
                self._remove_pooled(response.id)
            known = self.rows.rows.get(response.id)
            if known is not None and response.activity_id in anonymous:
                self.rows.rows[response.id] = known[0], replace(known[1], participant_id=None)

    def _remove_own(self, participant_id: int) -> Iterable[ParticipantResponse]:
        return self._own_responses.pop(participant_id, {}).values()

    def _put_own(self, response: ParticipantResponse) -> None:
        if response.participant_id is not None and response.participant_id not in self._incomplete:
            self._own_responses.setdefault(response.participant_id, {})[response.id] = response

    def _remove_pooled(self, response_id: UUID) -> None:
        known = self.pooled.rows.pop(response_id, None)
        if known is not None:
            self._release(known[1])

    def _evict(self) -> None:
        rows, pooled = self.rows.rows, self.pooled.rows
        while max(len(rows), len(pooled)) > MAX_ROWS or self.text_bytes > MAX_TEXT_BYTES:
            larger = self.rows if len(rows) >= len(pooled) else self.pooled
            self._release(larger.drop_oldest())

    def _release(self, response: ParticipantResponse) -> None:
        self.text_bytes -= _size(response)
        own = {} if response.participant_id is None else self._own_responses.get(response.participant_id, {})
        if own.get(response.id) is response:
            del own[response.id]
            if not own and response.participant_id is not None:
                del self._own_responses[response.participant_id]


@dataclass(frozen=True, slots=True)
class RemoteResponses:
    """Responses of one session that other processes changed, released and pooled ones."""

    session_id: int
    responses: Sequence[ParticipantResponse]
    pooled: Sequence[PooledResponse]

    @property
    def is_truncated(self) -> bool:
        """True if some rows were left out."""
        return max(len(self.responses), len(self.pooled)) > MAX_REMOTE_ROWS

    def events(self, state: SessionState) -> Iterator[object]:
        """Yield the changes after the position of a state as events."""
        since, known = state.position, state.parts[RecentResponses].rows
        changes = [(_with_author_of(each, known.get(each.id)), each) for each in self.responses if each.ts > since]
        yield RemoteResponsesChanged(self.session_id, since, changes)
        yield ResponsesPooled(self.session_id, [each for each in self.pooled if each.ts > since])


def _with_author_of(after: ParticipantResponse, before: ParticipantResponse | None) -> ParticipantResponse | None:
    """Return a response in memory, without its author if they left in the same batch."""
    return before if before is None or before.participant_id == after.participant_id else replace(before, participant_id=None)


_NO_AUTHORS: set[int] = set()


def _size(response: ParticipantResponse) -> int:
    return text_bytes(response.text, response.masked)
