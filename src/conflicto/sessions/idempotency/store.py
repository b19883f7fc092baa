"""Idempotency keys: a repeated request has one effect and gets the first response.

A key is looked up before state, limits and policy, so that a repetition after the close still gets
its first response. A key lives as long as its session.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from conflicto.platform.db.bulk import RecordMapping
from conflicto.platform.db.key_lookup import KeyLookup
from conflicto.sessions.errors import IdempotencyKeyInvalid, KeyReused
from conflicto.sessions.storage_quota import KEY_BYTES
from conflicto.sessions.tables import idempotency_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.db.transaction import ReadTx, WriteTx

_KEY = re.compile(r'"([\x21\x23-\x7e]{1,128})"|([\x21\x23-\x7e]{1,128})', re.ASCII)
_LOOKUP = KeyLookup(select(idempotency_keys), idempotency_keys.c.id)


@dataclass(frozen=True, slots=True)
class Key:
    """Digests of a request's subject, route and key, and of its body."""

    id: bytes
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class _KeyRow:
    """A row of the table."""

    id: bytes
    session_id: int
    fingerprint: bytes
    status: int
    entity: str
    owner: int | None = None


_RECORDS = RecordMapping(idempotency_keys, {name: name for name in _KeyRow.__slots__})


@dataclass(frozen=True, slots=True)
class Replay:
    """Outcome of the first request: its HTTP status and the id of the created row."""

    status: int
    entity: str


def key_from(header: str | None, *, subject: str, route: str, body: bytes, shortest: int = 1) -> Key | None:
    """Return the key of a request, or None. The value may be quoted (a structured string) or bare.

    Raises:
        IdempotencyKeyInvalid: the header has another form, or a key shorter than `shortest`.
    """
    if header is None:
        return None
    match = _KEY.fullmatch(header.strip())
    key = (match[1] or match[2]) if match else ""
    if len(key) < shortest:
        detail = f"A key has {shortest} to 128 visible ASCII characters; a UUID is a good one."
        raise IdempotencyKeyInvalid(detail)
    scope = f"{subject}\x00{route}\x00{key}".encode()
    return Key(blake2b(scope, digest_size=16).digest(), blake2b(body, digest_size=16).digest())


def find_replays(tx: ReadTx, keys: Iterable[Key | None]) -> dict[bytes, Replay | KeyReused]:
    """Return the first outcomes by `Key.id`, or the error for another body under the same key."""
    keys_by_id = {key.id: key for key in keys if key is not None}
    if not keys_by_id:
        return {}
    found: dict[bytes, Replay | KeyReused] = {}
    for row in tx.dialect.find_by_keys(tx, _LOOKUP, [(key.hex(),) for key in keys_by_id]):
        same = row.fingerprint == keys_by_id[row.id].fingerprint
        found[row.id] = Replay(row.status, row.entity) if same else KeyReused()
    return found


def find_replay(tx: ReadTx, key: Key | None) -> Replay | None:
    """Return the outcome of the first request with `key`, or None.

    Raises:
        KeyReused: it had another body.
    """
    found = find_replays(tx, (key,)).get(key.id) if key else None
    if isinstance(found, KeyReused):
        raise found
    return found


def is_known(tx: ReadTx, key: Key | None) -> bool:
    """Return whether a request with this key had a response before, with any body."""
    return bool(find_replays(tx, (key,)))


def store_keys(tx: WriteTx, entries: Iterable[tuple[Key | None, int, int, str]]) -> None:
    """Store `(key, session id, status, entity)` in the transaction that did the work."""
    rows = [
        _KeyRow(key.id, session_id, key.fingerprint, status, entity)
        for key, session_id, status, entity in entries
        if key is not None
    ]
    _add(tx, rows)


def replace_entity(tx: WriteTx, key: Key, entity: str) -> Replay:
    """Set the entity of a stored key, and return the outcome for its repetitions."""
    row = tx.first(select(idempotency_keys.c.status).where(idempotency_keys.c.id == key.id))
    tx.write(update(idempotency_keys).where(idempotency_keys.c.id == key.id).values(entity=entity))
    return Replay(row.status if row else 0, entity)


def store_owned_keys(tx: WriteTx, entries: Iterable[tuple[Key | None, int, int, str, int]]) -> None:
    """Store as `store_keys` does, each entry with an owner, who can have it erased."""
    rows = [
        _KeyRow(key.id, session_id, key.fingerprint, status, entity, owner)
        for key, session_id, status, entity, owner in entries
        if key is not None
    ]
    _add(tx, rows)


def erase_owned(tx: WriteTx, session_id: int, owner: int, *, entity: str | None = None) -> None:
    """Erase the owned entries of a participant, optionally only those of one entity."""
    statement = delete(idempotency_keys).where(idempotency_keys.c.owner == owner)
    erased = tx.write(statement if entity is None else statement.where(idempotency_keys.c.entity == entity))
    tx.head(session_id).add_count("stored_bytes", -erased * KEY_BYTES)


def _add(tx: WriteTx, rows: list[_KeyRow]) -> None:
    if rows:
        tx.dialect.insert_records(tx, _RECORDS, rows)
        for session_id, added in Counter(row.session_id for row in rows).items():
            tx.head(session_id).add_count("stored_bytes", added * KEY_BYTES)
