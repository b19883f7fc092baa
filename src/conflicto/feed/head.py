"""One session as the feed remembers it, and the status bodies that are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.activities.model import Counts
from conflicto.activities.queries import all_activities, all_counts
from conflicto.participants.events import ParticipantChanged
from conflicto.participants.queries import moved_seats
from conflicto.platform.problems import NotFound
from conflicto.responses.events import ResponsesChanged
from conflicto.sessions.events import SessionChanged
from conflicto.sessions.heads import head_row
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from conflicto.activities.model import Activity
    from conflicto.platform.db.stamps import Head
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.sessions.model import Session

CROWD_SNAPSHOT_S = 5.0
"""How old the counts in participants' polls may be: answers pouring in then cost 5,000 phones one new body, not 5,000."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Counts as participants see them: a snapshot, so that every answer does not change what everyone polls."""

    taken_s: float
    participants: int
    participants_ts: int
    counts: dict[tuple[UUID, int], Counts]


@dataclass(slots=True)
class SessionHead:
    """The newest state of one session.

    `own` holds the newest change of each participant's own rows, as far as it is known here; rows from before `loaded_ts` of those who
    are not in it are unknown. `bodies` caches encoded answers and is emptied by every change.
    """

    session: Session
    ts: int
    ctl: int
    participants: int
    participants_ts: int
    activities: dict[UUID, Activity]
    counts: dict[tuple[UUID, int], Counts]
    seats: dict[int, int]
    loaded_ts: int
    own: dict[int, int] = field(default_factory=dict)
    bodies: dict[object, tuple[bytes, bytes]] = field(default_factory=dict)
    crowd_snapshot: Crowd | None = None

    def token_version(self) -> int:
        """Return the version that host and screen tokens must have."""
        return self.session.token_version

    def seat_version(self, participant_id: int) -> int:
        """Return the version that the tokens of a seat must have; leaving raises it, so tokens of the gone are dead."""
        return self.seats.get(participant_id, 1)

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
        return self.counts.get((activity.id, activity.round), _NONE)

    def visible_head(self, activity: Activity) -> int:
        """Return the newest change among an activity's answers that participants may see."""
        changed = [counts.visible_changed_ts for (activity_id, _), counts in self.counts.items() if activity_id == activity.id]
        return max([activity.created_ts, *changed])

    def crowd(self, now_s: float) -> Crowd:
        """Return the counts that participants are shown, at most 5 s old."""
        crowd = self.crowd_snapshot
        if crowd is None or now_s - crowd.taken_s >= CROWD_SNAPSHOT_S:
            crowd = self.crowd_snapshot = Crowd(now_s, self.participants, self.participants_ts, dict(self.counts))
            self.bodies.clear()
        return crowd

    def own_head(self, participant_id: int, since: int) -> int | None:
        """Return the newest change of a participant's own rows after `since` (0: none), or None if the database must be asked."""
        known = self.own.get(participant_id)
        return known if known is not None or since < self.loaded_ts else 0

    def follow(self, locked: Head, events: Sequence[object]) -> None:
        """Take over what a commit changed in this session."""
        self.ts, self.ctl = locked.ts, locked.ctl
        self.participants, self.participants_ts = locked.counts["participants"], locked.counts["participants_ts"]
        for event in events:
            self._follow(event)
        self.bodies.clear()

    def _follow(self, event: object) -> None:
        session_id = self.session.id
        if isinstance(event, ResponsesChanged) and event.session_id == session_id:
            self.own.update((after.participant_id, after.ts) for _, after in event.changes)
        elif isinstance(event, CountsChanged) and event.session_id == session_id:
            self.counts[event.activity_id, event.round] = event.counts
        elif isinstance(event, ActivityChanged) and event.activity.session_id == session_id:
            self.activities[event.activity.id] = event.activity
        elif isinstance(event, ParticipantChanged) and event.participant.session_id == session_id:
            participant = event.participant
            self.own[participant.id] = participant.updated_ts
            if participant.token_version > 1:
                self.seats[participant.id] = participant.token_version
        elif isinstance(event, SessionChanged) and event.session.id == session_id:
            self.session = event.session


_NONE = Counts()


def load_head(tx: ReadTx, session_id: int) -> SessionHead:
    """Read a session's head in one snapshot; `NotFound` if there is no such session."""
    session = session_by_id(tx, session_id)
    row = head_row(tx, session_id)
    return SessionHead(
        session=session,
        ts=row.ts,
        ctl=row.ctl,
        participants=row.counts["participants"],
        participants_ts=row.counts["participants_ts"],
        activities={activity.id: activity for activity in all_activities(tx, session_id)},
        counts=all_counts(tx, session_id),
        seats=moved_seats(tx, session_id),
        loaded_ts=row.ts,
    )
