"""Commands of types for one session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.queries import activities_in_order
from conflicto.activities.session_types import store
from conflicto.activities.session_types.errors import SessionTypeClash, SessionTypeInUse, SessionTypesFull
from conflicto.activities.session_types.model import MAX_TYPES, SessionType, is_session_version, version_of
from conflicto.platform.problems import FieldError, InvalidInput, NotFound
from conflicto.sessions.model import require_open
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import WriteTx


def install_type(
    tx: WriteTx, session_id: int, name: str, own_version: str, pack: tuple[str, bytes], *, max_bytes: int
) -> SessionType:
    """Store a checked pack, given by digest and archive. The same one again changes nothing.

    Raises:
        SessionCompleted: the session is over.
        SessionTypeClash: the session has another type of this name.
        SessionTypesFull: the session, or the server with `max_bytes`, has no room.
    """
    sha256, archive = pack
    require_open(session_by_id(tx, session_id))
    installed = store.of_session(tx, session_id)
    for each in installed:
        if each.sha256 == sha256:
            return each
        if each.name == name:
            detail = f"This session has {name} {each.own_version} with other content. Remove it first, or rename the new one."
            raise SessionTypeClash(detail)
    if len(installed) >= MAX_TYPES:
        detail = f"A session has up to {MAX_TYPES} types. Remove one that no activity has."
        raise SessionTypesFull(detail)
    if store.total_bytes(tx) + len(archive) > max_bytes:
        detail = "All sessions together use the bytes that the operator allows. Ask for more, or delete sessions with own types."
        raise SessionTypesFull(detail)
    added = SessionType(session_id, name, version_of(sha256), own_version, sha256, len(archive), tx.now_us)
    if store.other_digest(tx, added.version, sha256):
        detail = "Another pack has the same beginning of its digest. Change anything in yours, and pack it again."
        raise SessionTypeClash(detail)
    store.add(tx, added, archive)
    return added


def remove_type(tx: WriteTx, session_id: int, name: str) -> None:
    """Delete a type that no activity of the session has.

    Raises:
        NotFound: the session has no such type.
        SessionTypeInUse: activities have it.
    """
    session_by_id(tx, session_id)
    found = next((each for each in store.of_session(tx, session_id) if each.name == name), None)
    if found is None:
        raise NotFound
    users = [each for each in activities_in_order(tx, session_id) if (each.type, each.type_version) == (name, found.version)]
    if users:
        raise SessionTypeInUse(extensions={"activities": len(users)})
    store.remove(tx, session_id, name)


def require_installed(tx: WriteTx, session_id: int, name: str, version: str | None) -> None:
    """Raise `InvalidInput` if an activity would get a type that only other sessions have."""
    if not is_session_version(version):
        return
    if all((each.name, each.version) != (name, version) for each in store.of_session(tx, session_id)):
        raise InvalidInput(errors=(FieldError("/type_version", "must be that of a type of this session"),))
