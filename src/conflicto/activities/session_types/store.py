"""SQL of types for one session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, literal, select

from conflicto.activities.session_types.model import SessionType
from conflicto.activities.session_types.tables import session_types
from conflicto.platform.db.rows import as_row

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx, WriteTx

_FIELDS = [session_types.c[name] for name in SessionType.__slots__]
_COPIED = [each for each in session_types.c if each.name != "session_id"]
_OF_SESSION = select(*_FIELDS).where(session_types.c.session_id == bindparam("session_id")).order_by(session_types.c.name)
_PACK = select(session_types.c.sha256, session_types.c.pack).where(
    session_types.c.name == bindparam("name"), session_types.c.version == bindparam("version")
)


def of_session(tx: ReadTx, session_id: int) -> list[SessionType]:
    """Return the types of a session by name."""
    return [
        SessionType(**dict(zip(SessionType.__slots__, row, strict=True))) for row in tx.all(_OF_SESSION, {"session_id": session_id})
    ]


def find_pack(tx: ReadTx, name: str, version: str) -> bytes | None:
    """Return the archive of a version, whichever sessions have it."""
    row = tx.first(_PACK.limit(1), {"name": name, "version": version})
    return None if row is None else row.pack


def find_version(tx: ReadTx, session_id: int, name: str) -> str | None:
    """Return the version of a session's own type, or None."""
    return next((each.version for each in of_session(tx, session_id) if each.name == name), None)


def other_digest(tx: ReadTx, version: str, sha256: str) -> bool:
    """Return whether another archive has this version."""
    found = select(session_types.c.sha256).where(session_types.c.version == version, session_types.c.sha256 != sha256)
    return tx.first(found.limit(1)) is not None


def total_bytes(tx: ReadTx) -> int:
    """Return the bytes of the packs of all sessions."""
    return int(tx.scalar(select(func.coalesce(func.sum(session_types.c.size_bytes), 0))))


def add(tx: WriteTx, installed: SessionType, pack: bytes) -> None:
    """Store a type with its archive."""
    tx.write(insert(session_types), [as_row(installed) | {"pack": pack}])


def copy(tx: WriteTx, session_id: int, copy_id: int) -> None:
    """Give a session the types of another one."""
    source = select(literal(copy_id), *_COPIED).where(session_types.c.session_id == session_id)
    tx.write(insert(session_types).from_select(["session_id", *(each.name for each in _COPIED)], source))


def remove(tx: WriteTx, session_id: int, name: str) -> None:
    """Delete a type of a session."""
    tx.write(delete(session_types).where(session_types.c.session_id == session_id, session_types.c.name == name))


def purge(tx: WriteTx, session_id: int, limit: int) -> int:
    """Delete the types of a deleted session, which are few. Return their number."""
    del limit
    return tx.write(delete(session_types).where(session_types.c.session_id == session_id))
