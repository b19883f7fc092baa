"""Status bodies, which every client polls, built from a session state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.model import Counts
from conflicto.platform.http.messages import encode
from conflicto.platform.instants import rfc3339
from conflicto.session_state.views import View

if TYPE_CHECKING:
    from conflicto.activities.model import Activity
    from conflicto.session_state.state import CountsSnapshot, SessionState


def session_status(state: SessionState, snapshot: CountsSnapshot | None, *, near_cap: bool | None) -> bytes:
    """Return the session's status with counts; `near_cap` is None where it is not shown."""
    counts, session = snapshot or state, state.session
    near_cap_field = {} if near_cap is None else {"near_cap": near_cap}
    return encode(
        {
            "session_id": session.id,
            "status": session.status,
            "current_activity_id": session.current_activity_id,
            "shown_activity_id": session.shown_activity_id,
            "participant_count": counts.participants,
            "locked": session.locked,
            "last_updated": rfc3339(max(session.updated_ts, counts.participants_ts)),
        }
        | near_cap_field
    )


def activity_status(state: SessionState, activity: Activity, view: View, snapshot: CountsSnapshot | None) -> bytes:
    """Return an activity's status.

    Hosts count all live responses, the screen visible ones, participants a snapshot of those.
    """
    counts = snapshot.counts.get((activity.id, activity.round), Counts()) if snapshot else state.counts_of(activity)
    if view is View.HOST:
        return _activity_body(activity, counts, counts.live, counts.live_last_ts, counts.live_changed_ts)
    return _activity_body(activity, counts, counts.visible, counts.visible_last_ts, counts.visible_changed_ts)


def is_withheld(activity: Activity, counts: Counts) -> bool:
    """Return whether no response of an anonymous round was released yet."""
    return activity.anonymous and activity.min_group > 0 and activity.started_ts is not None and not counts.live_changed_ts


def _activity_body(activity: Activity, counts: Counts, count: int, last_ts: int | None, changed_ts: int) -> bytes:
    return encode(
        {
            "activity_id": activity.id,
            "status": activity.status,
            "response_count": count,
            "withheld": is_withheld(activity, counts),
            "last_response_at": None if last_ts is None else rfc3339(last_ts),
            "last_updated": rfc3339(max(activity.updated_ts, changed_ts)),
            "round": activity.round,
            "ends_at": None if activity.ends_us is None else rfc3339(activity.ends_us),
            "results_revealed": activity.results_revealed,
            "secret_revealed": activity.secret_revealed,
        }
    )
