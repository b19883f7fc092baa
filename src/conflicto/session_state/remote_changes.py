"""Commits of other processes, read in one snapshot and applied to memory as events.

The database keeps only the newest revision of every row. The result is the sum of several commits:
present rows, without earlier states.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.access.identity import read_epoch
from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.activities.model import MAX_ACTIVITIES_EVER
from conflicto.activities.queries import activities_changed, all_counts
from conflicto.participants.events import ParticipantChanged
from conflicto.participants.queries import participants_changed
from conflicto.responses.events import ResponsesChanged, ResponsesPooled
from conflicto.responses.queries import pooled_changes, session_feed
from conflicto.sessions.events import LinkChanged, SessionChanged
from conflicto.sessions.feed_heads import read_head
from conflicto.sessions.queries import session_by_id, session_links

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from conflicto.access.links import Link
    from conflicto.activities.model import Activity, Counts
    from conflicto.participants.model import Participant
    from conflicto.platform.db.sequence import FeedHead
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse
    from conflicto.responses.pool.model import PooledResponse
    from conflicto.sessions.model import Session

MAX_REMOTE_ROWS = 5_000
"""Limit of rows to catch up with, about 25 ms. A memory that is further behind is loaded again."""


@dataclass(frozen=True, slots=True)
class RemoteResponsesChanged:
    """Responses that changed after `since`, the position of the memory, in feed order."""

    session_id: int
    since: int
    responses: Sequence[ParticipantResponse]


@dataclass(frozen=True, slots=True)
class RemoteChanges:
    """All changes after a position, up to the head row of the same snapshot."""

    epoch: str
    head_row: FeedHead
    session: Session
    activities: Sequence[Activity]
    counts: Mapping[tuple[UUID, int], Counts]
    participants: Sequence[Participant]
    responses: Sequence[ParticipantResponse]
    links: Sequence[Link]
    pooled: Sequence[PooledResponse] = ()

    @property
    def is_truncated(self) -> bool:
        """True if some rows were left out."""
        return max(len(self.participants), len(self.responses), len(self.pooled)) > MAX_REMOTE_ROWS

    def events(self, since: int, known: Mapping[tuple[UUID, int], Counts]) -> Iterator[object]:
        """Yield the changes after `since` as events. `known` are the counts before.

        `since` may lie beyond the position at which the read began.
        """
        yield SessionChanged(self.session)
        for link in self.links:
            yield LinkChanged(link)
        for activity in self.activities:
            if activity.updated_ts > since:
                yield ActivityChanged(activity)
        for (activity_id, nth), counts in self.counts.items():
            if known.get((activity_id, nth)) != counts:
                yield CountsChanged(self.head_row.topic, activity_id, nth, counts)
        for seat in self.participants:
            if seat.updated_ts > since:
                yield ParticipantChanged(seat)
        yield RemoteResponsesChanged(self.head_row.topic, since, [each for each in self.responses if each.ts > since])
        yield ResponsesPooled(self.head_row.topic, [each for each in self.pooled if each.ts > since])


def load_remote_changes(tx: ReadTx, session_id: int, after: int) -> RemoteChanges:
    """Read the changes of a session after a position; `NotFound` if the session is gone."""
    row = read_head(tx, session_id)
    limit = MAX_REMOTE_ROWS + 1
    return RemoteChanges(
        epoch=read_epoch(tx),
        head_row=row,
        session=session_by_id(tx, session_id),
        activities=activities_changed(tx, session_id, after=after, upto=row.ts, limit=MAX_ACTIVITIES_EVER),
        counts=all_counts(tx, session_id),
        participants=participants_changed(tx, session_id, after=after, upto=row.ts, limit=limit),
        responses=session_feed(tx, session_id, after=after, upto=row.ts, limit=limit, excluded_activities=(), visible_only=False),
        links=session_links(tx, session_id, after=after) if row.counts["links_ts"] > after else (),
        pooled=pooled_changes(tx, session_id, after=after, limit=limit),
    )


def events_by_session(events: Iterable[object]) -> dict[int, list[object]]:
    """Group the events of a commit by session; events of no session are left out."""
    sorted_out: dict[int, list[object]] = defaultdict(list)
    for event in events:
        session_id = _session_of(event)
        if session_id is not None:
            sorted_out[session_id].append(event)
    return sorted_out


def _session_of(event: object) -> int | None:
    if isinstance(event, ResponsesChanged | ResponsesPooled | CountsChanged):
        return event.session_id
    if isinstance(event, ActivityChanged):
        return event.activity.session_id
    if isinstance(event, ParticipantChanged):
        return event.participant.session_id
    if isinstance(event, LinkChanged):
        return event.link.session_id
    return event.session.id if isinstance(event, SessionChanged) else None
