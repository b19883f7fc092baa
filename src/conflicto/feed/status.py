"""Status bodies: what everyone polls, made from a head and shared by all callers of the same view until something changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.model import Counts
from conflicto.feed.views import View
from conflicto.platform.http.conditions import tag_of
from conflicto.platform.http.messages import encode
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from conflicto.activities.model import Activity
    from conflicto.feed.head import SessionHead

Tagged = tuple[bytes, bytes]
"""A body and its tag."""


def session_status(head: SessionHead, view: View, now_s: float) -> Tagged:
    """Return the session's status; participants' counts are a snapshot."""
    crowd = head.crowd(now_s) if view is View.PARTICIPANT else None
    key = ("session", crowd is None)
    cached = head.bodies.get(key)
    if cached is None:
        people = crowd or head
        session = head.session
        cached = head.bodies[key] = _tagged(
            {
                "session_id": session.id,
                "status": session.status,
                "current_activity_id": session.current_activity_id,
                "shown_activity_id": session.shown_activity_id,
                "participant_count": people.participants,
                "locked": session.locked,
                "last_updated": rfc3339(max(session.updated_ts, people.participants_ts)),
            }
        )
    return cached


def activity_status(head: SessionHead, activity: Activity, view: View, now_s: float) -> Tagged:
    """Return an activity's status: all live answers for hosts, visible ones for the screen, a snapshot of those for participants."""
    crowd = head.crowd(now_s) if view is View.PARTICIPANT else None
    key = (activity.id, view)
    cached = head.bodies.get(key)
    if cached is None:
        counts = crowd.counts.get((activity.id, activity.round), Counts()) if crowd else head.counts_of(activity)
        answers = (counts.live, counts.live_last_ts, counts.live_changed_ts)
        if view is not View.HOST:
            answers = (counts.visible, counts.visible_last_ts, counts.visible_changed_ts)
        cached = head.bodies[key] = _tagged(_activity_body(activity, *answers))
    return cached


def _activity_body(activity: Activity, count: int, last_ts: int | None, changed_ts: int) -> dict[str, object]:
    return {
        "activity_id": activity.id,
        "status": activity.status,
        "response_count": count,
        "last_response_at": None if last_ts is None else rfc3339(last_ts),
        "last_updated": rfc3339(max(activity.updated_ts, changed_ts)),
        "round": activity.round,
        "ends_at": None if activity.ends_us is None else rfc3339(activity.ends_us),
        "results_revealed": activity.results_revealed,
        "secret_revealed": activity.secret_revealed,
    }


def _tagged(data: object) -> Tagged:
    body = encode(data)
    return body, tag_of(body)
