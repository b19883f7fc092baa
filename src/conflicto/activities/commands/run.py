"""Commands that move activities through their lifecycle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.activities import lifecycle, store
from conflicto.activities.commands.counts import change_counts
from conflicto.activities.events import ActivityChanged, CountsChanged, RoundClosed
from conflicto.activities.model import Activity, ActivityStatus, Counts
from conflicto.activities.queries import activity_by_id
from conflicto.platform.problems import NotFound
from conflicto.sessions.commands import clear_activity, record_transition, require_active, set_current_activity, set_shown_activity
from conflicto.sessions.model import require_open
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.storage_quota import ROUND_BYTES, require_storage

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.platform.db.transaction import WriteTx
    from conflicto.sessions.events import SessionEnded
    from conflicto.sessions.model import Session

SYSTEM = "system"
"""Actor of the server's own actions."""

STARTING_STATUSES = frozenset({ActivityStatus.PUBLISHED, ActivityStatus.ACTIVE})
"""Statuses that need free storage: repeated steps must not write audit lines without limit."""


def move_activity(
    tx: WriteTx,
    activity_id: UUID,
    to: ActivityStatus,
    *,
    actor: str,
    reason: str | None = None,
    duration_seconds: int | None = None,
) -> Activity:
    """Make one transition. Activating expires the active activity, in the same transaction.

    Raises:
        MoveNotAllowed, AlreadyRevealed: the lifecycle forbids it.
        SessionNotActive, SessionCompleted: activating needs an active session.
        StorageFull: the session exceeds its storage limit by a tenth, and the step starts
            something.
    """
    activity = activity_by_id(tx, activity_id)
    session = session_by_id(tx, activity.session_id)
    require_open(session)
    if to in STARTING_STATUSES:
        require_storage(tx.head(session.id), in_reserve=True)
    moved = lifecycle.advance(activity, to, now_us=tx.effective_now(session.id) + 1, duration_seconds=duration_seconds)
    if to is ActivityStatus.ACTIVE:
        require_active(session)
        _expire_current(tx, session.current_activity_id, actor=actor)
        moved = lifecycle.advance(activity, to, now_us=tx.next_ts(session.id), duration_seconds=duration_seconds)
    if to is ActivityStatus.EXPIRED:
        _emit_round_closed(tx, activity)
    moved = _save_step(tx, activity, moved, actor=actor, reason=reason)
    _update_current(tx, moved)
    return moved


def start_round(
    tx: WriteTx, activity_id: UUID, *, actor: str, reason: str | None = None, duration_seconds: int | None = None
) -> Activity:
    """Start the next round, with counts from zero; older rows stay in the feed.

    Raises:
        MoveNotAllowed: the activity was never active.
        SessionNotActive, SessionCompleted: a round needs an active session.
        StorageFull: the session has reached its storage limit.
    """
    activity = activity_by_id(tx, activity_id)
    session = session_by_id(tx, activity.session_id)
    require_active(session)
    require_storage(tx.head(session.id))
    lifecycle.next_round(activity, now_us=tx.effective_now(session.id) + 1)
    if session.current_activity_id != activity_id:
        _expire_current(tx, session.current_activity_id, actor=actor)
    _emit_round_closed(tx, activity)
    restarted = lifecycle.next_round(activity, now_us=tx.next_ts(session.id), duration_seconds=duration_seconds)
    _save_round(tx, activity)
    restarted = _save_step(tx, activity, restarted, actor=actor, reason=reason)
    store.add_round(tx, restarted)
    tx.head(session.id).add_count("stored_bytes", ROUND_BYTES)
    tx.emit(CountsChanged(session.id, activity_id, restarted.round, Counts()))
    set_current_activity(tx, session.id, activity_id)
    return restarted


def extend_activity(tx: WriteTx, activity_id: UUID, seconds: int, *, from_now: bool = False) -> Activity:
    """Move the end of an active activity by `seconds`, or to `seconds` from now.

    Raises:
        NotTimed: the activity has no end to move.
    """
    activity = activity_by_id(tx, activity_id)
    move = lifecycle.timed if from_now else lifecycle.extended
    return _save_step(tx, activity, move(activity, seconds, at_us=tx.effective_now(activity.session_id)))


def reveal_activity(tx: WriteTx, activity_id: UUID, *, results: bool | None, secret: bool | None) -> Activity:
    """Show or hide results and secret; both can be undone.

    Raises:
        MoveNotAllowed: the activity was never active.
    """
    activity = activity_by_id(tx, activity_id)
    require_open(session_by_id(tx, activity.session_id))
    return _save_step(tx, activity, lifecycle.revealed(activity, results=results, secret=secret))


def set_focus(tx: WriteTx, activity_id: UUID, response_id: UUID | None) -> Activity:
    """Highlight one of the activity's answers, None for no answer.

    The caller has checked that the answer is visible.

    Raises:
        SessionCompleted: the session is over.
    """
    activity = activity_by_id(tx, activity_id)
    require_open(session_by_id(tx, activity.session_id))
    return _save_step(tx, activity, replace(activity, focus_response_id=response_id))


def show_activity(tx: WriteTx, session_id: int, activity_id: UUID | None) -> Session:
    """Select the activity on the screen; None clears it.

    Raises:
        NotFound: the activity is not in the session, or is a draft.
        SessionCompleted: the session is over.
    """
    if activity_id is not None and not activity_by_id(tx, activity_id, session_id=session_id).is_visible:
        raise NotFound
    return set_shown_activity(tx, session_id, activity_id)


def expire_due(tx: WriteTx, activity_id: UUID) -> Activity | None:
    """Expire an activity that is due and return it, None if it is gone. Idempotent."""
    activity = store.find(tx, activity_id)
    if activity is None or not lifecycle.is_due(activity, at_us=tx.effective_now(activity.session_id)):
        return activity
    return _expire(tx, activity, actor=SYSTEM, reason="time is up")


def expire_with_session(tx: WriteTx, event: SessionEnded) -> None:
    """Expire the active activity of a completed session: a subscriber of `SessionEnded`."""
    _expire_current(tx, event.session.current_activity_id, actor=event.actor)


def _expire_current(tx: WriteTx, activity_id: UUID | None, *, actor: str) -> None:
    activity = store.find(tx, activity_id) if activity_id else None
    if activity and activity.status is ActivityStatus.ACTIVE:
        _expire(tx, activity, actor=actor, reason=None)


def _expire(tx: WriteTx, activity: Activity, *, actor: str, reason: str | None) -> Activity:
    moved = lifecycle.advance(activity, ActivityStatus.EXPIRED, now_us=tx.effective_now(activity.session_id))
    _emit_round_closed(tx, activity)
    expired = _save_step(tx, activity, moved, actor=actor, reason=reason)
    set_current_activity(tx, activity.session_id, None)
    return expired


def _emit_round_closed(tx: WriteTx, activity: Activity) -> None:
    """Emit `RoundClosed` before the step itself is stored."""
    if activity.status is ActivityStatus.ACTIVE:
        tx.emit(RoundClosed(activity))


def _save_round(tx: WriteTx, activity: Activity) -> None:
    """Store the current round's start, duration and reveal, before the next round replaces them."""
    saved = replace(
        store.counts_by_round(tx, activity.id)[activity.round], started_ts=activity.started_ts, duration_seconds=activity.duration_seconds,
        was_revealed=activity.results_revealed,
    )  # fmt: skip
    change_counts(tx, [CountsChanged(activity.session_id, activity.id, activity.round, saved)])


def _update_current(tx: WriteTx, activity: Activity) -> None:
    if activity.status is ActivityStatus.ACTIVE:
        set_current_activity(tx, activity.session_id, activity.id)
    elif activity.status is ActivityStatus.EXPIRED:
        set_current_activity(tx, activity.session_id, None)
    elif activity.status is ActivityStatus.DRAFT:
        clear_activity(tx, activity.session_id, activity.id)


def _save_step(tx: WriteTx, before: Activity, after: Activity, *, actor: str | None = None, reason: str | None = None) -> Activity:
    """Store a moved activity as its next revision and record the step in the audit log."""
    if after == before:
        return before
    stamp = tx.next_ts(after.session_id)
    published = after.published_ts if after.published_ts or not after.is_visible else stamp
    saved = replace(after, revision=before.revision + 1, updated_ts=stamp, published_ts=published)
    store.save(tx, saved)
    if actor is not None:
        to = saved.status if saved.round == before.round else f"round {saved.round}"
        record_transition(
            tx, saved.session_id, actor=actor, entity="activity", entity_id=str(saved.id), moved=(before.status, to), reason=reason
        )
    tx.emit(ActivityChanged(saved))
    return saved
