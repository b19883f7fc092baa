"""Session state in memory, with its cached responses and the subscribers of its changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from uuid import UUID

from conflicto.access.identity import read_epoch
from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.activities.model import Counts
from conflicto.activities.queries import all_activities, all_counts
from conflicto.participants.events import ParticipantChanged
from conflicto.participants.queries import departed_ids, moved_seats, participants_changed
from conflicto.platform.problems import NotFound
from conflicto.platform.response_cache.response_cache import Invalidation, ResponseCache
from conflicto.responses.events import ResponsesChanged, ResponsesPooled
from conflicto.responses.model import Moderation
from conflicto.responses.queries import pooled_changes, session_feed
from conflicto.results.leaderboard import LeaderboardCache
from conflicto.results.tally_cache import TallyCache
from conflicto.session_state.config_cache import ConfigCache
from conflicto.session_state.notifier import Notifier
from conflicto.session_state.recent_rows import RecentRows
from conflicto.session_state.remote_changes import RemoteResponsesChanged
from conflicto.session_state.views import View, view_of_role
from conflicto.sessions.events import LinkChanged, SessionChanged
from conflicto.sessions.feed_heads import read_head
from conflicto.sessions.gaps import Gap, read_gaps
from conflicto.sessions.queries import session_by_id, session_links

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflicto.access.links import Link
    from conflicto.activities.model import Activity
    from conflicto.participants.model import Participant
    from conflicto.platform.db.sequence import FeedHead
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse
    from conflicto.responses.pool.model import PooledResponse
    from conflicto.session_state.remote_changes import RemoteChanges
    from conflicto.sessions.model import Session

MAX_SNAPSHOT_AGE_S = 5.0
"""Age limit of the counts in participants' polls. Incoming responses then cost 5,000 phones one new
body, not 5,000.
"""

MAX_LOADED_ROWS = 2_000
"""Limit of rows read at load, about 10 ms, so that clients close to the head continue from memory.
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

    `own_ts_by_participant` holds the newest change of each participant's own rows, as far as known.
    Rows before `loaded_ts` of other participants are unknown. `position` is the newest change of
    any kind, including those that only one author reads.

    `pooled_authors` are the authors with a response in a round's pool, once requested.
    `stored_responses` counts all rows in the feed, deleted ones too. `epoch` is the epoch of the
    database.

    Every change invalidates the cached `responses` and events that show it. `notifiers` has one for
    each view: data wakes hosts and screens, control changes wake participants too.

    `seat_changes` counts new nicknames and departures. `is_behind`: this process committed more
    than the state contains, because others committed in between.
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
    recent: RecentRows
    epoch: str
    own_ts_by_participant: dict[int, int] = field(default_factory=dict)
    configs: ConfigCache = field(default_factory=ConfigCache)
    responses: ResponseCache = field(default_factory=lambda: ResponseCache(View))
    notifiers: dict[View, Notifier] = field(default_factory=lambda: {view: Notifier() for view in View})
    tallies: TallyCache = field(default_factory=TallyCache)
    leaderboard_cache: LeaderboardCache = field(default_factory=LeaderboardCache)
    seat_changes: int = 0
    gaps: tuple[Gap, ...] = ()
    links: dict[UUID, Link] = field(default_factory=dict)
    position: int = 0
    pooled_authors: dict[tuple[UUID, int], set[int]] = field(default_factory=dict)
    counts_snapshot: CountsSnapshot | None = None
    is_current: bool = True
    is_behind: bool = False

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
        known = self.own_ts_by_participant.get(participant_id)
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
        events = list(changes.events(self.position, self.counts))
        self.apply_commit(changes.head_row, events)
        return events

    def apply_commit(self, locked: FeedHead, events: Iterable[object]) -> None:
        """Apply a commit to this session, and wake the views that may see it."""
        control, is_private = locked.control_ts != self.control_ts, locked.ts == self.ts
        self.ts, self.control_ts, self.position = locked.ts, locked.control_ts, locked.position
        self.participants, self.participants_ts = locked.counts["participants"], locked.counts["participants_ts"]
        for event in events:
            self._apply_event(event)
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

    def _apply_event(self, event: object) -> None:
        if isinstance(event, ResponsesChanged):
            self.tallies.apply(event.changes)
            self._apply_responses(after for _, after in event.changes)
            self._notify_authors(event.changes)
        elif isinstance(event, RemoteResponsesChanged):
            changes = [(self.recent.response(after.id), after) for after in event.responses]
            self.tallies.apply_remote(event.since, changes)
            self._apply_responses(event.responses)
            self._notify_authors(changes)
        elif isinstance(event, ResponsesPooled):
            self._apply_pooled(event.rows)
        elif isinstance(event, CountsChanged):
            self.counts[event.activity_id, event.round] = event.counts
        elif isinstance(event, ActivityChanged):
            self.activities[event.activity.id] = event.activity
        elif isinstance(event, ParticipantChanged):
            self._apply_participant(event.participant)
        elif isinstance(event, LinkChanged):
            self._apply_link(event.link)
        else:
            self._apply_session(cast("SessionChanged", event).session)  # nothing else belongs to a session

    def _apply_session(self, session: Session) -> None:
        rotated = session.token_version != self.session.token_version
        self.session = session
        if rotated:
            self.links.clear()
            self._revoke(View.HOST)
            self._revoke(View.SCREEN)

    def _apply_link(self, link: Link) -> None:
        self.links[link.id] = link
        self.responses.views[view_of_role(link.role)].revoke()
        if link.revoked_us is not None:
            self._revoke(view_of_role(link.role))

    def _apply_responses(self, responses: Iterable[ParticipantResponse]) -> None:
        for response in responses:
            if response.participant_id is not None:
                self.own_ts_by_participant[response.participant_id] = max(
                    response.ts, self.own_ts_by_participant.get(response.participant_id, 0)
                )
                self.pooled_authors.get((response.activity_id, response.round), _NO_AUTHORS).discard(response.participant_id)
            self.recent.put_response(response)

    def _apply_pooled(self, rows: Iterable[PooledResponse]) -> None:
        for row in rows:
            self.own_ts_by_participant[row.participant_id] = max(row.ts, self.own_ts_by_participant.get(row.participant_id, 0))
            self.recent.put_pooled(row)
            authors = self.pooled_authors.get((row.activity_id, row.round))
            if authors is not None:
                (authors.discard if row.deleted and not row.is_spent else authors.add)(row.participant_id)

    def _apply_participant(self, participant: Participant) -> None:
        self.own_ts_by_participant[participant.id] = max(participant.updated_ts, self.own_ts_by_participant.get(participant.id, 0))
        self.seat_changes += participant.revision > 1
        if participant.deleted:
            self.departed.add(participant.id)
            self.recent.remove_author(participant.id, {each.id for each in self.activities.values() if each.anonymous})
        else:
            self.departed.discard(participant.id)
        self.recent.put_participant(participant)
        if participant.token_version > self.seat_versions.get(participant.id, 1):
            self.seat_versions[participant.id] = participant.token_version
            self.responses.views[View.PARTICIPANT].revoke(participant.id)
        if participant.revision > 1:
            self.notifiers[View.PARTICIPANT].notify_participants({participant.id})

    def _notify_authors(self, changes: Iterable[tuple[ParticipantResponse | None, ParticipantResponse]]) -> None:
        """Wake authors whose responses a host hid, approved or deleted.

        Senders read their own change in the reply.
        """
        authors = {after.participant_id for before, after in changes if _is_moderated(before, after)} - {None}
        if authors:
            self.notifiers[View.PARTICIPANT].notify_participants(authors)

    def _revoke(self, view: View) -> None:
        self.responses.views[view].revoke()
        self.notifiers[view].notify_now()


def has_anonymous_round(state: SessionState) -> bool:
    """Return whether an anonymous round is open in a session."""
    return any(each.is_anonymous_round for each in state.activities.values())


def _is_moderated(before: ParticipantResponse | None, after: ParticipantResponse) -> bool:
    """Return whether a change may come from someone else than the author.

    Earlier states of remote changes are not always known.
    """
    if before is None:
        return after.deleted or after.moderation is Moderation.HIDDEN or after.revision > 1
    return after.deleted or after.moderation is not before.moderation


_NO_COUNTS = Counts()

_NO_AUTHORS: set[int] = set()


def load_session_state(tx: ReadTx, session_id: int) -> SessionState:
    """Read a session's state in one snapshot; `NotFound` if the session does not exist."""
    session = session_by_id(tx, session_id)
    row = read_head(tx, session_id)
    recent, own, known_ts = _load_recent(tx, row)
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
        loaded_ts=known_ts,
        recent=recent,
        epoch=read_epoch(tx),
        own_ts_by_participant=own,
        gaps=read_gaps(tx, session_id),
        links={link.id: link for link in session_links(tx, session_id)},
        position=row.position,
    )


def _load_recent(tx: ReadTx, row: FeedHead) -> tuple[RecentRows, dict[int, int], int]:
    """Read the rows since the newest control change, the position of most phones, within a limit.

    Returns the rows, the newest one of each seat, and the position after which no row is missing.
    """
    responses = session_feed(
        tx, row.topic, after=row.control_ts, upto=row.ts, limit=MAX_LOADED_ROWS + 1, excluded_activities=(), visible_only=False
    )
    seats = participants_changed(tx, row.topic, after=row.control_ts, upto=row.ts, limit=MAX_LOADED_ROWS + 1)
    pooled = pooled_changes(tx, row.topic, after=row.control_ts, limit=MAX_LOADED_ROWS + 1)
    if max(len(responses), len(seats), len(pooled)) > MAX_LOADED_ROWS:
        return RecentRows(row.ts, own_ts=row.position), {}, row.position
    recent, own = RecentRows(row.control_ts), {}
    for seat in seats:
        recent.put_participant(seat)
        own[seat.id] = seat.updated_ts
    for response in responses:
        recent.put_response(response)
        if response.participant_id is not None:
            own[response.participant_id] = max(response.ts, own.get(response.participant_id, 0))
    for pooled_response in pooled:
        recent.put_pooled(pooled_response)
        own[pooled_response.participant_id] = max(pooled_response.ts, own.get(pooled_response.participant_id, 0))
    return recent, own, row.control_ts
