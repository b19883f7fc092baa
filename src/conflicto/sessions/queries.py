"""Queries on sessions for other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.problems import NotFound
from conflicto.sessions import store
from conflicto.sessions.errors import CodeUnknown
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.model import normalize_code
from conflicto.sessions.store import audit_lengths, live_session_ids, recounted_session_bytes, session_links, session_total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.transaction import ReadTx
    from conflicto.platform.problems import DomainError
    from conflicto.sessions.model import Session, SessionStatus, Transition

__all__ = [
    "audit_lengths",
    "audit_page",
    "feed_position",
    "live_session_ids",
    "recounted_session_bytes",
    "session_by_code",
    "session_by_id",
    "session_by_name",
    "session_links",
    "session_page",
    "session_total",
    "sessions_by_code",
]

MAX_ID_DIGITS = len(str(1 << 48))
"""Digits of a session's id; codes have no digits, so the two cannot be mistaken."""


def session_by_id(tx: ReadTx, session_id: int) -> Session:
    """Return a session.

    Raises:
        NotFound: it does not exist, or it is deleted.
    """
    session = store.find(tx, session_id)
    if session is None:
        raise NotFound
    return session


def feed_position(tx: ReadTx, session_id: int) -> int:
    """Return the feed timestamp of a session's newest change.

    Raises:
        NotFound: there is no such session, or it is purged.
    """
    return read_head(tx, session_id).position


def session_by_code(tx: ReadTx, typed: str) -> Session:
    """Return the session with the join code `typed`, in any spelling.

    Raises:
        CodeUnknown: no session can be joined with it.
    """
    code = normalize_code(typed)
    session = store.find_by_code(tx, code) if code else None
    if session is None:
        raise CodeUnknown
    return session


def sessions_by_code(tx: ReadTx, codes: Sequence[str]) -> list[Session | DomainError]:
    """Return the session of each normalised code, or CodeUnknown. Each code is looked up once."""
    found = {code: store.find_by_code(tx, code) if code else None for code in set(codes)}
    return [found[code] or CodeUnknown() for code in codes]


def session_by_name(tx: ReadTx, name: str) -> Session:
    """Return the session with an id, or with a join code.

    Raises:
        NotFound, CodeUnknown: it does not exist.
    """
    number = name.isascii() and name.isdecimal() and len(name) <= MAX_ID_DIGITS
    if not number:
        return session_by_code(tx, name)
    session = store.find(tx, int(name))
    if session is None:
        raise NotFound("No session has this id.")
    return session


def session_page(
    tx: ReadTx, *, status: SessionStatus | None, limit: int, offset: int = 0, after: tuple[int, int] | None = None
) -> tuple[list[Session], int | None]:
    """Return up to `limit + 1` sessions, newest first, and the total (None when filtered)."""
    found = store.newest(tx, status=status, limit=limit + 1, offset=offset, after=after)
    return found, None if status else session_total(tx)


def audit_page(tx: ReadTx, session_id: int, *, limit: int, after: int) -> tuple[list[Transition], int]:
    """Return up to `limit + 1` lines of the audit after a line, oldest first, and their total."""
    head = read_head(tx, session_id)
    return store.audit(tx, session_id, limit=limit + 1, after=after), head.counts["transitions"]
