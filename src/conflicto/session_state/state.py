"""Session state in memory, with its cached responses and the subscribers of its changes."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conflicto.access.identity import read_epoch
from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.activities.model import Counts
from conflicto.activities.queries import all_activities, all_counts
from conflicto.participants.events import ParticipantChanged
from conflicto.participants.model import Participant
from conflicto.participants.queries import departed_ids, moved_seats, participants_changed
from conflicto.platform.problems import NotFound
from conflicto.platform.response_cache.response_cache import Invalidation, ResponseCache
from conflicto.session_state.config_cache import ConfigCache
from conflicto.session_state.notifier import Notifier
from conflicto.session_state.ordered_rows import OrderedRows
from conflicto.session_state.parts import MAX_LOADED_ROWS, OwnTimestamps, PartMap, StateLoad
from conflicto.session_state.views import View, view_of_role
from conflicto.sessions.events import LinkChanged, SessionChanged
from conflicto.sessions.feed_gaps.store import Gap, read_gaps
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.queries import session_by_id, session_links

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conflicto.access.links import Link
    from conflicto.activities.model import Activity
    from conflicto.platform.db.sequence import FeedHead
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.session_state.parts import EventHandler, RemoteRows, StatePart
    from conflicto.session_state.remote_changes import RemoteChanges
    from conflicto.sessions.model import Session

MAX_SEATS = 20_000
"""Limit of seats in memory in one session: a large crowd's worth."""

MAX_SNAPSHOT_AGE_S = 5.0
"""Age limit of the counts in participants' polls. Incoming responses then cost 5,000 phones one new
body, not 5,000.
"""


@dataclass(frozen=True, slots=True)
class CountsSnapshot:
    """Counts as participants see them, so that not every response changes the polled bodies."""

    taken_s: float
    participants: int
    participants_ts: int
    counts: dict[tuple[UUID, int], Counts]


@dataclass(slots=True)
class SessionState:
    """The newest state of one session.

    `own_timestamps` holds the newest change of each participant's own rows, as far as known.
    Rows before `loaded_ts` of other participants are unknown. `position` is the newest change of
    any kind, including those that only one author reads.

    `stored_responses` counts all rows in the feed, deleted ones too. `epoch` is the epoch of the
    database. `parts` are those of packages above, and `handlers` apply events by type.

    Every change invalidates the cached `responses` and events that show it. `notifiers` has one for
    each view: data wakes hosts and screens, control changes wake participants too.

    `seat_changes` counts new nicknames and departures. `is_behind`: this process committed more
    than the state contains, because others committed in between. `idle_ticks` counts ticks of age
    since the last use.
    """

    session: Session
    ts: int
    control_ts: int
    participants: int
    participants_ts: int
    stored_responses: int
    stored_bytes: int
    activities: dict[UUID, Activity]
    counts: dict[tuple[UUID, int], Counts]
    seat_versions: dict[int, int]
    departed: set[int]
    loaded_ts: int
    recent_seats: OrderedRows[Participant]
    epoch: str
    handlers: Mapping[type, Sequence[EventHandler]]
    parts: PartMap
    own_timestamps: OwnTimestamps
    configs: ConfigCache = field(default_factory=ConfigCache)
    responses: ResponseCache = field(default_factory=lambda: ResponseCache(View))
    notifiers: dict[View, Notifier] = field(default_factory=lambda: {view: Notifier() for view in View})
    seat_changes: int = 0
    gaps: tuple[Gap, ...] = ()
    links: dict[UUID, Link] = field(default_factory=dict)
    position: int = 0
    counts_snapshot: CountsSnapshot | None = None
    is_current: bool = True
    is_behind: bool = False
    idle_ticks: int = 0

    def token_version(self) -> int:
        """Return the version that host and screen tokens must have."""
        return self.session.token_version

    def seat_version(self, participant_id: int) -> int:
        """Return the required version of a seat's tokens.

        Leaving raises it, which invalidates the tokens of the seat.
        """
        return self.seat_versions.get(participant_id, 1)

    def activity(self, activity_id: UUID, *, for_host: bool) -> Activity:
        """Return an activity that the caller may know of.

        Raises:
            NotFound: there is none, or it is hidden from the caller.
        """
        activity = self.activities.get(activity_id)
        if activity is None or activity.deleted or not (for_host or activity.is_visible):
            raise NotFound
        return activity

    def counts_of(self, activity: Activity) -> Counts:
        """Return the exact counts of the present round."""
        return self.counts.get((activity.id, activity.round), _NO_COUNTS)

    def newest_visible_ts(self, activity: Activity) -> int:
        """Return the newest change among an activity's answers that participants may see."""
        changed = [counts.visible_changed_ts for (activity_id, _), counts in self.counts.items() if activity_id == activity.id]
        return max([activity.created_ts, *changed])

    def current_counts_snapshot(self, now_s: float) -> CountsSnapshot:
        """Return the counts that participants are shown, at most 5 s old."""
        snapshot = self.counts_snapshot
        if snapshot is None or now_s - snapshot.taken_s >= MAX_SNAPSHOT_AGE_S:
            snapshot = self.counts_snapshot = CountsSnapshot(now_s, self.participants, self.participants_ts, dict(self.counts))
        return snapshot

    def newest_own_ts(self, participant_id: int, since: int) -> int | None:
        """Return a participant's newest own change after `since` (0: none), or None if unknown."""
        known = self.own_timestamps.get(participant_id)
        return known if known is not None or since < self.loaded_ts else 0

    def can_cache(self, position: int) -> bool:
        """Return whether a response may be cached that was built from the state at a position."""
        return self.is_current and not self.is_behind and self.position == position

    def mark_behind(self) -> None:
        """Serve no cached response until the catch-up: it would lack commits of this process."""
        self.is_behind = True
        self.responses.invalidate(Invalidation.ALL)

    def apply_remote_changes(self, changes: RemoteChanges) -> Sequence[object]:
        """Apply changes of other processes, if they are newer, and return them as events."""
        if changes.head_row.position <= self.position:
            return ()
        events = list(changes.events(self))
        self.apply_commit(changes.head_row, events)
        return events

    def apply_commit(self, locked: FeedHead, events: Iterable[object]) -> None:
        """Apply a commit to this session, and wake the views that may see it."""
        control, is_private = locked.control_ts != self.control_ts, locked.ts == self.ts
        self.ts, self.control_ts, self.position = locked.ts, locked.control_ts, locked.position
        self.participants, self.participants_ts = locked.counts["participants"], locked.counts["participants_ts"]
        handlers = self.handlers
        for event in events:
            for handle in handlers[type(event)]:
                handle(self, event)
        if is_private:
            return
        self.stored_responses, self.stored_bytes = locked.counts["responses"], locked.counts["stored_bytes"]
        self.responses.invalidate(Invalidation.CONTROL if control else Invalidation.DATA)
        for view, notifier in self.notifiers.items():
            if control or view is not View.PARTICIPANT:
                notifier.notify()

    def retire(self) -> None:
        """Stop serving this session: clear its responses and wake its subscribers."""
        self.is_current = False
        self.responses.close()
        for notifier in self.notifiers.values():
            notifier.notify_now()


def has_anonymous_round(state: SessionState) -> bool:
    """Return whether an anonymous round is open in a session."""
    return any(each.is_anonymous_round for each in state.activities.values())


_NO_COUNTS = Counts()


def _apply_session(state: SessionState, event: SessionChanged) -> None:
    rotated = event.session.token_version != state.session.token_version
    state.session = event.session
    if rotated:
        state.links.clear()
        _revoke(state, View.HOST)
        _revoke(state, View.SCREEN)


def _apply_link(state: SessionState, event: LinkChanged) -> None:
    state.links[event.link.id] = event.link
    state.responses.views[view_of_role(event.link.role)].revoke()
    if event.link.revoked_us is not None:
        _revoke(state, view_of_role(event.link.role))


def _apply_activity(state: SessionState, event: ActivityChanged) -> None:
    state.activities[event.activity.id] = event.activity


def _apply_counts(state: SessionState, event: CountsChanged) -> None:
    state.counts[event.activity_id, event.round] = event.counts


def _apply_participant(state: SessionState, event: ParticipantChanged) -> None:
    participant = event.participant
    state.own_timestamps.add(participant.id, participant.updated_ts)
    state.seat_changes += participant.revision > 1
    if participant.deleted:
        state.departed.add(participant.id)
    else:
        state.departed.discard(participant.id)
    state.recent_seats.put(participant.id, participant.updated_ts, participant)
    if participant.token_version > state.seat_versions.get(participant.id, 1):
        state.seat_versions[participant.id] = participant.token_version
        state.responses.views[View.PARTICIPANT].revoke(participant.id)
    if participant.revision > 1:
        state.notifiers[View.PARTICIPANT].notify_participants({participant.id})


def _revoke(state: SessionState, view: View) -> None:
    state.responses.views[view].revoke()
    state.notifiers[view].notify_now()


_CORE_HANDLERS: Mapping[type, EventHandler] = {
    SessionChanged: _apply_session,
    LinkChanged: _apply_link,
    ActivityChanged: _apply_activity,
    CountsChanged: _apply_counts,
    ParticipantChanged: _apply_participant,
}

_CORE_EVENT_FIELDS: Mapping[type, Mapping[str, Any]] = {
    CountsChanged: {"session_id": int, "activity_id": UUID, "round": int, "counts": Counts},
    ParticipantChanged: {"participant": Participant},
}


class StateParts:
    """Parts of every session state in this process, and the handlers of events by type."""

    def __init__(self, types: Iterable[type[StatePart]] = ()) -> None:
        self._types = tuple(types)
        handlers: dict[type, list[EventHandler]] = defaultdict(list)
        for contributed in (_CORE_HANDLERS, *(each.handlers for each in self._types)):
            for event_type, handler in contributed.items():
                handlers[event_type].append(handler)
        self.handlers: Mapping[type, Sequence[EventHandler]] = {each: tuple(found) for each, found in handlers.items()}
        self.event_fields = dict(ChainMap(dict(_CORE_EVENT_FIELDS), *(dict(each.event_fields) for each in self._types)))

    def load(self, load: StateLoad) -> PartMap:
        """Return the parts of a session that is loaded."""
        return PartMap((each, each.load(load)) for each in self._types)

    def read_remote(self, tx: ReadTx, head: FeedHead, after: int) -> list[RemoteRows]:
        """Read what other processes changed after a position, up to `head`."""
        found = (each.read_remote(tx, head, after) for each in self._types)
        return [rows for rows in found if rows is not None]


def load_session_state(tx: ReadTx, session_id: int, parts: StateParts) -> SessionState:
    """Read a session's state in one snapshot; `NotFound` if the session does not exist."""
    session = session_by_id(tx, session_id)
    row = read_head(tx, session_id)
    load = StateLoad(tx, row)
    recent_seats, loaded_parts = _load_recent_seats(load), parts.load(load)
    return SessionState(
        session=session,
        ts=row.ts,
        control_ts=row.control_ts,
        participants=row.counts["participants"],
        participants_ts=row.counts["participants_ts"],
        stored_responses=row.counts["responses"],
        stored_bytes=row.counts["stored_bytes"],
        activities={activity.id: activity for activity in all_activities(tx, session_id)},
        counts=all_counts(tx, session_id),
        seat_versions=moved_seats(tx, session_id),
        departed=departed_ids(tx, session_id),
        loaded_ts=row.position if load.is_truncated else row.control_ts,
        recent_seats=recent_seats,
        epoch=read_epoch(tx),
        handlers=parts.handlers,
        parts=loaded_parts,
        own_timestamps=OwnTimestamps() if load.is_truncated else load.own_timestamps,
        gaps=read_gaps(tx, session_id),
        links={link.id: link for link in session_links(tx, session_id)},
        position=row.position,
    )


def _load_recent_seats(load: StateLoad) -> OrderedRows[Participant]:
    """Read the seats since the newest control change, the position of most phones, if few."""
    tx, row = load.tx, load.head
    seats = participants_changed(tx, row.topic, after=row.control_ts, through=row.ts, limit=MAX_LOADED_ROWS + 1)
    if len(seats) > MAX_LOADED_ROWS:
        load.is_truncated = True
        return OrderedRows(row.ts, MAX_SEATS)
    recent: OrderedRows[Participant] = OrderedRows(row.control_ts, MAX_SEATS)
    for seat in seats:
        recent.put(seat.id, seat.updated_ts, seat)
        load.own_timestamps.add(seat.id, seat.updated_ts)
    return recent
