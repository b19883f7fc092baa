"""SQL of sessions, their audit, links and idempotency keys."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, false, func, insert, literal, select, update

from conflicto.access.links import Link, Scope
from conflicto.platform.db.rows import as_row
from conflicto.platform.db.tables import counters
from conflicto.sessions.model import Overlay, Session, SessionStatus, Transition
from conflicto.sessions.storage_quota import KEY_BYTES, TRANSITION_BYTES
from conflicto.sessions.tables import IS_OPEN, feed_gaps, feed_heads, idempotency_keys, links, sessions, transitions
from conflicto.sessions.word_filter import parse_filter, serialize_filter

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Row

    from conflicto.platform.db.transaction import ReadTx, WriteTx

LIVE_SESSIONS = "sessions"
"""The counter of sessions that are not deleted."""

_BY_ID = select(sessions).where(sessions.c.id == bindparam("session_id"), ~sessions.c.deleted)
_BY_CODE = select(sessions).where(sessions.c.join_code == bindparam("code"), IS_OPEN)
_OPEN = (
    select(literal(1))
    .where(~sessions.c.deleted, sessions.c.status.in_([SessionStatus.DRAFT.value, SessionStatus.ACTIVE.value]))
    .limit(bindparam("limit"))
    .subquery()
)
_COUNT_OPEN = select(func.count()).select_from(_OPEN)
_UPDATE = update(sessions).where(sessions.c.id == bindparam("session_id"))
_COUNT = select(counters.c.value).where(counters.c.name == LIVE_SESSIONS)
_LIVE_IDS = select(sessions.c.id).where(~sessions.c.deleted)
_AUDIT_LENGTHS = select(transitions.c.session_id, func.count().label("lines")).group_by(transitions.c.session_id)
_TRANSITION_BYTES = select(
    transitions.c.session_id,
    func.sum(
        TRANSITION_BYTES + func.octet_length(transitions.c.actor) + func.coalesce(func.octet_length(transitions.c.reason), 0)
    ).label("stored"),
).group_by(transitions.c.session_id)
_KEY_BYTES = select(idempotency_keys.c.session_id, (func.count() * KEY_BYTES).label("stored")).group_by(
    idempotency_keys.c.session_id
)
_EXPIRED = (
    select(sessions.c.id)
    .where(
        ~sessions.c.deleted,
        sessions.c.status == SessionStatus.COMPLETED.value,
        sessions.c.created_ts < bindparam("before"),  # no older than its newest change, and in the index
        sessions.c.updated_ts < bindparam("before"),
    )
    .order_by(sessions.c.created_ts)
    .limit(bindparam("limit"))
)
_IDLE_DRAFTS = (
    select(sessions.c.id)
    .join(feed_heads, feed_heads.c.session_id == sessions.c.id)
    .where(
        ~sessions.c.deleted,
        sessions.c.status == SessionStatus.DRAFT.value,
        sessions.c.created_ts < bindparam("before"),
        feed_heads.c.ts < bindparam("before"),
    )
    .order_by(sessions.c.created_ts)
    .limit(bindparam("limit"))
)
_DELETED = select(sessions.c.id).where(sessions.c.deleted).limit(1)


def find(tx: ReadTx, session_id: int) -> Session | None:
    """Return a session that is not deleted."""
    row = tx.first(_BY_ID, {"session_id": session_id})
    return _session(row) if row else None


def find_by_code(tx: ReadTx, code: str) -> Session | None:
    """Return the session that can be joined with `code` now."""
    row = tx.first(_BY_CODE, {"code": code})
    return _session(row) if row else None


def count_open(tx: ReadTx, limit: int) -> int:
    """Count the sessions that can be joined, up to `limit`."""
    return tx.scalar(_COUNT_OPEN, {"limit": limit}) or 0


def newest(
    tx: ReadTx, *, status: SessionStatus | None, limit: int, offset: int = 0, after: tuple[int, int] | None = None
) -> list[Session]:
    """Return one page, newest first; `after` is the creation and id of the session before it."""
    page = select(sessions).where(sessions.c.deleted == false())
    if after:
        created_ts, session_id = after
        page = page.where(sessions.c.created_ts <= created_ts, (sessions.c.created_ts < created_ts) | (sessions.c.id > session_id))
    if status:
        page = page.where(sessions.c.status == status.value)
    page = page.order_by(sessions.c.created_ts.desc(), sessions.c.id).limit(limit).offset(offset)
    return [_session(row) for row in tx.all(page)]


def session_total(tx: ReadTx) -> int:
    """Return the kept count of sessions."""
    return tx.scalar(_COUNT) or 0


def live_session_ids(tx: ReadTx) -> set[int]:
    """Return every session that is not deleted: for checks alone."""
    return set(tx.connection.execute(_LIVE_IDS).scalars())


def audit_lengths(tx: ReadTx) -> dict[int, int]:
    """Count the audit's lines of every session, row by row: for checks alone."""
    return {row.session_id: row.lines for row in tx.all(_AUDIT_LENGTHS)}


def recounted_session_bytes(tx: ReadTx) -> Counter[int]:
    """Recount the bytes of each session's audit and idempotency keys, for checks."""
    stored: Counter[int] = Counter()
    for row in (*tx.all(_TRANSITION_BYTES), *tx.all(_KEY_BYTES)):
        stored[row.session_id] += int(row.stored)
    return stored


def add(tx: WriteTx, session: Session) -> None:
    """Insert a session and count it."""
    tx.write(insert(sessions), _row(session))
    _count(tx, 1)


def save(tx: WriteTx, session: Session) -> None:
    """Write every column of a session."""
    row = _row(session)
    row.pop("id")
    tx.write(_UPDATE, {"session_id": session.id, **row})
    if session.deleted:
        _count(tx, -1)


def _count(tx: WriteTx, by: int) -> None:
    bumped = tx.write(
        update(counters).where(counters.c.name == LIVE_SESSIONS).values(value=counters.c.value + by),
    )
    if not bumped:
        tx.write(insert(counters), {"name": LIVE_SESSIONS, "value": by})


def add_transition(tx: WriteTx, session_id: int, transition: Transition) -> None:
    """Append a line to the audit."""
    tx.write(insert(transitions), {"session_id": session_id, **as_row(transition)})


def audit(tx: ReadTx, session_id: int, *, limit: int, after: int) -> list[Transition]:
    """Return one page of the audit after a line, oldest first.

    Its numbers are dense, so an offset is a line too.
    """
    page = (
        select(transitions)
        .where(transitions.c.session_id == session_id, transitions.c.number > after)
        .order_by(transitions.c.number)
        .limit(limit)
    )
    return [Transition(**{name: getattr(row, name) for name in Transition.__slots__}) for row in tx.all(page)]


def next_deleted(tx: ReadTx) -> int | None:
    """Return a session that is marked as deleted and not yet purged."""
    found: int | None = tx.scalar(_DELETED)
    return found


def expired_sessions(tx: ReadTx, before_us: int, limit: int) -> list[int]:
    """Return some sessions that were completed and unchanged since an instant, the oldest first."""
    return list(tx.connection.execute(_EXPIRED, {"before": before_us, "limit": limit}).scalars())


def is_expired(session: Session, before_us: int) -> bool:
    """Return whether `expired_sessions` would return it."""
    return session.status is SessionStatus.COMPLETED and session.updated_ts < before_us


def idle_drafts(tx: ReadTx, before_us: int, limit: int) -> list[int]:
    """Return some drafts without any change since an instant, the oldest first."""
    return list(tx.connection.execute(_IDLE_DRAFTS, {"before": before_us, "limit": limit}).scalars())


def is_idle_draft(session: Session, head_ts: int, before_us: int) -> bool:
    """Return whether `idle_drafts` would return it, by the newest timestamp of its feed."""
    return session.status is SessionStatus.DRAFT and head_ts < before_us


def purge_keys(tx: WriteTx, session_id: int, limit: int) -> int:
    """Remove some idempotency keys of a deleted session; returns how many."""
    batch = select(idempotency_keys.c.id).where(idempotency_keys.c.session_id == session_id).limit(limit)
    return tx.write(delete(idempotency_keys).where(idempotency_keys.c.id.in_(batch.scalar_subquery())))


def purge_session(tx: WriteTx, session_id: int) -> None:
    """Remove the last traces of a deleted session."""
    tx.write(delete(transitions).where(transitions.c.session_id == session_id))
    remove_links(tx, session_id)
    tx.write(delete(feed_gaps).where(feed_gaps.c.session_id == session_id))
    tx.write(delete(feed_heads).where(feed_heads.c.session_id == session_id))
    tx.write(delete(sessions).where(sessions.c.id == session_id))


def _session(row: Row[Any]) -> Session:
    fields: dict[str, Any] = {name: getattr(row, name) for name in Session.__slots__}
    fields["status"] = SessionStatus(row.status)
    fields["overlay"] = None if row.overlay is None else Overlay(row.overlay)
    fields["word_filter"] = parse_filter(row.word_filter)
    return Session(**fields)


def _row(session: Session) -> dict[str, Any]:
    return as_row(session) | {"word_filter": serialize_filter(session.word_filter)}


def session_links(tx: ReadTx, session_id: int, *, after: int = -1) -> list[Link]:
    """Return the links of a session that changed after a position, in that order."""
    query = (
        select(links).where(links.c.session_id == session_id, links.c.changed_ts > after).order_by(links.c.changed_ts, links.c.id)
    )
    return [_link(row) for row in tx.all(query)]


def find_link(tx: ReadTx, session_id: int, link_id: UUID) -> Link | None:
    """Return a link of a session."""
    row = tx.first(select(links).where(links.c.id == link_id, links.c.session_id == session_id))
    return _link(row) if row else None


def add_link(tx: WriteTx, link: Link) -> None:
    """Insert a link."""
    tx.write(insert(links), as_row(link))


def save_link(tx: WriteTx, link: Link) -> None:
    """Write every column of a link."""
    tx.write(update(links).where(links.c.id == link.id), as_row(link))


def prune_links(tx: WriteTx, session_id: int, *, before_us: int) -> None:
    """Remove the links of a session that were revoked or expired before an instant."""
    is_over = (links.c.revoked_us < before_us) | (links.c.expires_us < before_us)
    tx.write(delete(links).where(links.c.session_id == session_id, is_over))


def remove_links(tx: WriteTx, session_id: int) -> None:
    """Remove every link of a session."""
    tx.write(delete(links).where(links.c.session_id == session_id))


def _link(row: Row[Any]) -> Link:
    fields: dict[str, Any] = {name: getattr(row, name) for name in Link.__slots__}
    return Link(**fields | {"scope": Scope(row.scope)})
