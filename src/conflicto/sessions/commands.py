"""Commands on sessions. Each takes the transaction first and never commits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conflicto.platform.db.rows import as_row
from conflicto.platform.ids import public_id
from conflicto.sessions import store
from conflicto.sessions.errors import RevisionStale, SessionNotActive
from conflicto.sessions.events import SessionChanged, SessionEnded
from conflicto.sessions.feed_heads.store import create_head
from conflicto.sessions.idempotency import store as idempotency
from conflicto.sessions.model import (
    MAX_CODE_LENGTH,
    NewSession,
    Overlay,
    Session,
    SessionStatus,
    Transition,
    code_length,
    max_open_sessions,
    new_code,
    require_open,
    require_step,
)
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.storage_quota import TRANSITION_BYTES, text_bytes

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.platform.db.transaction import WriteTx
    from conflicto.sessions.idempotency.store import Key

CREATED = 201

Revisions = frozenset[int] | None
"""Revisions that a change accepts as the present one; None accepts any."""


def create_session(tx: WriteTx, new: NewSession, *, key: Key | None = None) -> tuple[Session, int]:
    """Create a draft with a new code and return it with its HTTP status.

    The same key returns the same session in its present state. A code that is taken fails on its
    unique index, and the writer runs the command again with another code.
    """
    earlier = idempotency.find_replay(tx, key)
    if earlier:
        return session_by_id(tx, int(earlier.entity)), earlier.status
    session_id = public_id()
    head = create_head(tx, session_id)
    now = head.next_ts(tx.now_us, control=True)
    session = Session(
        **as_row(new), id=session_id, status=SessionStatus.DRAFT, join_code=_fresh_code(tx, opening=1), locked=False,
        current_activity_id=None, shown_activity_id=None, overlay=None, token_version=1, revision=1, deleted=False,
        created_ts=now, updated_ts=now,
    )  # fmt: skip
    store.add(tx, session)
    idempotency.store_keys(tx, [(key, session_id, CREATED, str(session_id))])
    tx.emit(SessionChanged(session))
    return session, CREATED


def change_session(
    tx: WriteTx, session_id: int, fields: dict[str, Any], *, actor: str, revisions: Revisions = None, reason: str | None = None
) -> Session:
    """Replace the named fields: those of `NewSession`, and `status`.

    A change without effect takes no timestamp. Completing ends all running activities, in the same
    transaction.

    Raises:
        RevisionStale: `revisions` does not contain the present one.
        TransitionNotAllowed, SessionCompleted: the lifecycle forbids it.
    """
    session = session_by_id(tx, session_id)
    require_revision(session.revision, revisions)
    changed = replace(session, **fields)
    if changed == session:
        return session
    require_step(session.status, changed.status)
    require_open(session)
    if changed.status is not session.status:
        record_transition(tx, session_id, actor=actor, entity="session", entity_id=str(session_id),
               moved=(session.status, changed.status), reason=reason)  # fmt: skip
    stamped = save_revision(tx, changed)
    if stamped.status is SessionStatus.COMPLETED and session.status is not SessionStatus.COMPLETED:
        tx.emit(SessionEnded(stamped, actor))
        stamped = session_by_id(tx, session_id)
    return stamped


def save_revision(tx: WriteTx, session: Session) -> Session:
    """Store a changed session as its next revision, at the head of the feed."""
    stamped = replace(session, revision=session.revision + 1, updated_ts=tx.next_ts(session.id))
    store.save(tx, stamped)
    tx.emit(SessionChanged(stamped))
    return stamped


def record_transition(
    tx: WriteTx, session_id: int, *, actor: str, entity: str, entity_id: str, moved: tuple[str | None, str], reason: str | None
) -> None:
    """Append a line to the session's audit."""
    head = tx.head(session_id)
    number = head.add_count("transitions", 1)
    head.add_count("stored_bytes", TRANSITION_BYTES + text_bytes(actor, reason))
    line = Transition(
        number=number, actor=actor, entity=entity, entity_id=entity_id, from_status=moved[0], to_status=moved[1],
        reason=reason, at_us=tx.now_us,
    )  # fmt: skip
    store.add_transition(tx, session_id, line)


def set_current_activity(tx: WriteTx, session_id: int, activity_id: UUID | None) -> None:
    """Set the running activity.

    The screen shows it without an overlay, and continues to show it after its end.
    """
    session = session_by_id(tx, session_id)
    changed = replace(
        session,
        current_activity_id=activity_id,
        shown_activity_id=activity_id or session.shown_activity_id,
        overlay=None if activity_id else session.overlay,
    )
    if changed != session:
        save_revision(tx, changed)


def clear_activity(tx: WriteTx, session_id: int, activity_id: UUID) -> None:
    """Stop running and showing an activity that was deleted or hidden."""
    session = session_by_id(tx, session_id)
    changed = replace(
        session,
        current_activity_id=None if session.current_activity_id == activity_id else session.current_activity_id,
        shown_activity_id=None if session.shown_activity_id == activity_id else session.shown_activity_id,
    )
    if changed != session:
        save_revision(tx, changed)


def set_shown_activity(tx: WriteTx, session_id: int, activity_id: UUID | None) -> Session:
    """Choose what the screen shows; None clears it."""
    session = session_by_id(tx, session_id)
    require_open(session)
    return (
        session if session.shown_activity_id == activity_id else save_revision(tx, replace(session, shown_activity_id=activity_id))
    )


def set_locked(tx: WriteTx, session_id: int, *, locked: bool) -> Session:
    """Lock or unlock joining.

    A locked session accepts no new participants; present ones continue.
    """
    session = session_by_id(tx, session_id)
    require_open(session)
    return session if session.locked == locked else save_revision(tx, replace(session, locked=locked))


def replace_join_code(tx: WriteTx, session_id: int, *, actor: str) -> Session:
    """Replace the join code.

    The old one stops working at the commit, and participants keep their seats.

    A code that is taken fails on its unique index, and the writer runs the command again with
    another code.

    Raises:
        SessionCompleted: the session is completed.
    """
    session = session_by_id(tx, session_id)
    require_open(session)
    record_transition(
        tx, session_id, actor=actor, entity="session", entity_id=str(session_id), moved=(None, "code-renewed"), reason=None
    )
    return save_revision(tx, replace(session, join_code=_fresh_code(tx)))


def _fresh_code(tx: WriteTx, *, opening: int = 0) -> str:
    """Return a code of sufficient length for the open sessions and `opening` further ones."""
    max_sessions = max_open_sessions(MAX_CODE_LENGTH - 1)
    return new_code(code_length(store.count_open(tx, max_sessions + 1) + opening))


def set_overlay(tx: WriteTx, session_id: int, overlay: Overlay | None) -> Session:
    """Cover the screen with an overlay; None removes it.

    Raises:
        SessionCompleted: the session is completed.
    """
    session = session_by_id(tx, session_id)
    require_open(session)
    return session if session.overlay is overlay else save_revision(tx, replace(session, overlay=overlay))


def delete_session(tx: WriteTx, session_id: int, *, actor: str, revisions: Revisions = None) -> None:
    """Mark a session as deleted, which hides it from everyone. The purge removes its rows later."""
    session = session_by_id(tx, session_id)
    require_revision(session.revision, revisions)
    tx.emit(SessionEnded(session, actor))
    session = session_by_id(tx, session_id)
    deleted = replace(session, deleted=True, revision=session.revision + 1, updated_ts=tx.next_ts(session_id))
    store.save(tx, deleted)
    tx.emit(SessionChanged(deleted))


def require_revision(present: int, revisions: Revisions) -> None:
    """Refuse a change based on another revision than the present one.

    Raises:
        RevisionStale: names the present one.
    """
    if revisions is not None and present not in revisions:
        raise RevisionStale(extensions={"revision": present})


def require_active(session: Session) -> None:
    """Refuse an operation that needs an active session.

    Raises:
        SessionCompleted: it is completed.
        SessionNotActive: it is a draft.
    """
    require_open(session)
    if session.status is not SessionStatus.ACTIVE:
        raise SessionNotActive
