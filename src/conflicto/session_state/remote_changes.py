"""Commits of other processes, read in one snapshot and applied to memory as events.

The database keeps only the newest revision of every row. The result is the sum of several commits:
present rows, without earlier states.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.access.identity import read_epoch
from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.activities.model import MAX_ACTIVITIES_EVER
from conflicto.activities.queries import activities_changed, all_counts
from conflicto.participants.events import ParticipantChanged
from conflicto.participants.queries import participants_changed
from conflicto.session_state.parts import MAX_REMOTE_ROWS
from conflicto.sessions.events import LinkChanged, SessionChanged
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.queries import session_by_id, session_links

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from conflicto.access.links import Link
    from conflicto.activities.model import Activity, Counts
    from conflicto.participants.model import Participant
    from conflicto.platform.db.sequence import FeedHead
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.session_state.parts import RemoteRows
    from conflicto.session_state.state import SessionState, StateParts
    from conflicto.sessions.model import Session


@dataclass(frozen=True, slots=True)
class RemoteChanges:
    """All changes after a position, up to the head row of the same snapshot.

    `rows` are those of the parts.
    """

    epoch: str
    head_row: FeedHead
    session: Session
    activities: Sequence[Activity]
    counts: Mapping[tuple[UUID, int], Counts]
    participants: Sequence[Participant]
    links: Sequence[Link]
    rows: Sequence[RemoteRows]

    @property
    def is_truncated(self) -> bool:
        """True if some rows were left out."""
        return len(self.participants) > MAX_REMOTE_ROWS or any(each.is_truncated for each in self.rows)

    def events(self, state: SessionState) -> Iterator[object]:
        """Yield the changes after the position of a state as events.

        That position may lie beyond the one at which the read began.
        """
        since = state.position
        yield SessionChanged(self.session)
        for link in self.links:
            yield LinkChanged(link)
        yield from (ActivityChanged(each) for each in self.activities if each.updated_ts > since)
        yield from self._changed_counts(state.counts)
        yield from (ParticipantChanged(each) for each in self.participants if each.updated_ts > since)
        for rows in self.rows:
            yield from rows.events(state)

    def _changed_counts(self, known: Mapping[tuple[UUID, int], Counts]) -> Iterator[CountsChanged]:
        for (activity_id, round_number), counts in self.counts.items():
            if known.get((activity_id, round_number)) != counts:
                yield CountsChanged(self.head_row.topic, activity_id, round_number, counts)


def load_remote_changes(tx: ReadTx, session_id: int, after: int, parts: StateParts) -> RemoteChanges:
    """Read the changes of a session after a position; `NotFound` if the session is gone."""
    row = read_head(tx, session_id)
    return RemoteChanges(
        epoch=read_epoch(tx),
        head_row=row,
        session=session_by_id(tx, session_id),
        activities=activities_changed(tx, session_id, after=after, through=row.ts, limit=MAX_ACTIVITIES_EVER),
        counts=all_counts(tx, session_id),
        participants=participants_changed(tx, session_id, after=after, through=row.ts, limit=MAX_REMOTE_ROWS + 1),
        links=session_links(tx, session_id, after=after) if row.counts["links_ts"] > after else (),
        rows=parts.read_remote(tx, row, after),
    )


def events_by_session(events: Iterable[Any], handled: Container[type]) -> dict[int, list[object]]:
    """Group the events of a commit that session states handle by session."""
    found: dict[int, list[object]] = defaultdict(list)
    for event in events:
        if type(event) in handled:
            found[event.session_id].append(event)
    return found
