"""SQL statements on pools: rows to and from the model."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import and_, bindparam, delete, func, select

from conflicto.activities.model import ResponsePolicy
from conflicto.platform.db.bulk import RecordMapping
from conflicto.platform.db.key_lookup import KeyLookup
from conflicto.responses.model import NO_SLOT, Moderation
from conflicto.responses.pool.model import PooledResponse
from conflicto.responses.tables import pooled_responses as pool
from conflicto.sessions.storage_quota import POOLED_BYTES, text_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row, Select

    from conflicto.activities.model import Activity
    from conflicto.platform.db.transaction import ReadTx, WriteTx

_COLUMNS = {"text": "response_text", "masked": "masked_text"}
_RECORDS = RecordMapping(
    pool,
    {name: _COLUMNS.get(name, name) for name in PooledResponse.__slots__},
    updated=("ts", "received_us", "deleted", "moderation", "due_us", "text", "masked"),
)
_ALL = select(*(pool.c[_COLUMNS.get(name, name)] for name in PooledResponse.__slots__))
_BY_IDS = KeyLookup(_ALL, pool.c.id)
_BY_SLOTS = KeyLookup(_ALL.where(pool.c.slot == NO_SLOT), pool.c.participant_id, pool.c.activity_id, pool.c.round)
_ROW_COUNTS = KeyLookup(
    select(pool.c.participant_id, func.count().label("stored"))
    .where(pool.c.activity_id == bindparam("activity_id"), pool.c.round == bindparam("round"), pool.c.revision == 1)
    .group_by(pool.c.participant_id),
    pool.c.participant_id,
)
_ROUND = (pool.c.activity_id == bindparam("activity_id"), pool.c.round == bindparam("round"))
_ROUND_FIELDS = [
    name for name in PooledResponse.__slots__ if name not in {"session_id", "activity_id", "round", "slot", "deleted", "is_spent"}
]
_WAITING = select(*(pool.c[_COLUMNS.get(name, name)] for name in _ROUND_FIELDS)).where(*_ROUND, ~pool.c.deleted)
_AUTHORS = select(pool.c.participant_id).where(*_ROUND, ~pool.c.deleted)
_AUTHORS_BY_KIND = select(pool.c.participant_id, (pool.c.revision > 1).label("is_edit")).where(*_ROUND, ~pool.c.deleted).distinct()
_DUE = _WAITING.where(pool.c.due_us <= bindparam("at_us"))
_NEXT_DUE = select(func.min(pool.c.due_us)).where(*_ROUND, ~pool.c.deleted)
_WAITING_ACTIVITIES = KeyLookup(select(pool.c.activity_id).where(~pool.c.deleted).distinct(), pool.c.activity_id, pool.c.round)
_OF_PARTICIPANT = _ALL.where(pool.c.participant_id == bindparam("participant_id"))
_CHANGES = (
    _ALL.where(pool.c.session_id == bindparam("session_id"), pool.c.ts > bindparam("after"))
    .order_by(pool.c.ts)
    .limit(bindparam("limit"))
)
_ROWS_OF_SESSIONS = select(pool.c.session_id, func.count().label("stored")).where(pool.c.revision == 1).group_by(pool.c.session_id)
_BYTES = select(
    pool.c.session_id,
    func.sum(
        POOLED_BYTES
        + func.coalesce(func.octet_length(pool.c.response_text), 0)
        + func.coalesce(func.octet_length(pool.c.masked_text), 0)
    ).label("stored"),
).group_by(pool.c.session_id)
_NEWEST_TIMESTAMPS = select(pool.c.session_id, func.max(pool.c.ts).label("ts")).group_by(pool.c.session_id)


def find_many(tx: ReadTx, ids: Iterable[UUID]) -> dict[UUID, PooledResponse]:
    """Return pooled rows by id, tombstones and markers included."""
    return {row.id: _from_row(row) for row in tx.dialect.find_by_keys(tx, _BY_IDS, [(each,) for each in ids])}


def find_by_slots(tx: ReadTx, keys: Iterable[tuple[int, UUID, int]]) -> dict[tuple[int, UUID], PooledResponse]:
    """Return single pooled rows (policies `one` and `first`), by participant and activity.

    A key holds participant, activity and round.
    """
    return {(row.participant_id, row.activity_id): _from_row(row) for row in tx.dialect.find_by_keys(tx, _BY_SLOTS, keys)}


def count_by_participant(tx: ReadTx, activity_id: UUID, round_number: int, participants: Iterable[int]) -> dict[int, int]:
    """Count each participant's pooled rows in a round, tombstones included, edits excluded."""
    rows = tx.dialect.find_by_keys(tx, _ROW_COUNTS, zip(participants, strict=True), activity_id=activity_id, round=round_number)
    return {row.participant_id: row.stored for row in rows}


def waiting_responses(tx: ReadTx, activity: Activity) -> list[PooledResponse]:
    """Return the responses of the current round that wait for their release, in no order."""
    return _read_round(tx, activity, _WAITING)


def due_responses(tx: ReadTx, activity: Activity, at_us: int) -> list[PooledResponse]:
    """Return the responses of the current round whose release time has come, in no order."""
    return _read_round(tx, activity, _DUE, at_us=at_us)


def next_due(tx: ReadTx, activity_id: UUID, round_number: int) -> int | None:
    """Return the next release time in a round, µs since 1970 UTC, or None if its pool is empty."""
    found: int | None = tx.scalar(_NEXT_DUE, {"activity_id": activity_id, "round": round_number})
    return found


def authors_by_kind(tx: ReadTx, activity_id: UUID, round_number: int) -> dict[bool, set[int]]:
    """Return the participants with a pooled new response (False) and those with an edit (True)."""
    found: dict[bool, set[int]] = {False: set(), True: set()}
    for row in tx.all(_AUTHORS_BY_KIND, {"activity_id": activity_id, "round": round_number}):
        found[bool(row.is_edit)].add(row.participant_id)
    return found


def has_waiting(tx: ReadTx, activity_id: UUID, round_number: int) -> bool:
    """Return whether any response of a round waits for its release."""
    return tx.first(_AUTHORS.limit(1), {"activity_id": activity_id, "round": round_number}) is not None


def activities_with_waiting(tx: ReadTx, rounds: Iterable[tuple[UUID, int]]) -> set[UUID]:
    """Return the activities with a response that waits in one of `rounds`, in one query."""
    return {row.activity_id for row in tx.dialect.find_by_keys(tx, _WAITING_ACTIVITIES, rounds)}


def pooled_authors(tx: ReadTx, activity_id: UUID, round_number: int) -> set[int]:
    """Return the participants with a response that waits in a round."""
    return {row.participant_id for row in tx.all(_AUTHORS, {"activity_id": activity_id, "round": round_number})}


def responses_of_activity(tx: ReadTx, activity_id: UUID, *, after: UUID, limit: int) -> list[PooledResponse]:
    """Return up to `limit` pooled responses of an activity in all rounds, by id after `after`."""
    query = _ALL.where(pool.c.activity_id == activity_id, ~pool.c.deleted, pool.c.id > after)
    return [_from_row(row) for row in tx.all(query.order_by(pool.c.id).limit(limit))]


def responses_of_participant(tx: ReadTx, participant_id: int) -> list[PooledResponse]:
    """Return all pooled rows of a participant, in no order."""
    return [_from_row(row) for row in tx.all(_OF_PARTICIPANT, {"participant_id": participant_id})]


def pooled_changes(tx: ReadTx, session_id: int, *, after: int, limit: int) -> list[PooledResponse]:
    """Return up to `limit` pooled rows of a session with timestamps after `after`, in order."""
    return [_from_row(row) for row in tx.all(_CHANGES, {"session_id": session_id, "after": after, "limit": limit})]


def add_many(tx: WriteTx, rows: Sequence[PooledResponse]) -> None:
    """Insert rows in one statement and count their bytes."""
    if rows:
        tx.dialect.insert_records(tx, _RECORDS, rows)
        _count_bytes(tx, [(row.session_id, added_bytes(None, row)) for row in rows])


def save_many(tx: WriteTx, changes: Sequence[tuple[PooledResponse, PooledResponse]]) -> None:
    """Write the changed columns of `(before, after)` pairs, and count their bytes."""
    if changes:
        tx.dialect.update_records(tx, _RECORDS, [after for _, after in changes])
        _count_bytes(tx, [(after.session_id, added_bytes(before, after)) for before, after in changes])


def added_bytes(before: PooledResponse | None, after: PooledResponse) -> int:
    """Return the bytes that a change adds; negative if it removes some."""
    row = POOLED_BYTES if before is None else -text_bytes(before.text, before.masked)
    return row + text_bytes(after.text, after.masked)


def remove_kind(tx: WriteTx, activity_id: UUID, round_number: int, *, edits: bool, excluding: Collection[int] = ()) -> None:
    """Remove the waiting new responses of a round, or its edits.

    Those of the participants in `excluding` stay.
    """
    kind = pool.c.revision > 1 if edits else pool.c.revision == 1
    conditions = [pool.c.activity_id == activity_id, pool.c.round == round_number, ~pool.c.deleted, kind]
    if excluding:
        conditions.append(pool.c.participant_id.not_in(list(excluding)))
    _remove(tx, *conditions)


def remove_due(tx: WriteTx, activity_id: UUID, round_number: int, at_us: int) -> None:
    """Remove the responses of a round whose release time has come."""
    _remove(tx, pool.c.activity_id == activity_id, pool.c.round == round_number, ~pool.c.deleted, pool.c.due_us <= at_us)


def remove_edits(tx: WriteTx, activity_id: UUID, round_number: int, *, response_id: UUID | None = None) -> None:
    """Remove the waiting edits of a round, or only that of one response."""
    conditions = [pool.c.activity_id == activity_id, pool.c.round == round_number, pool.c.revision > 1]
    _remove(tx, *(conditions if response_id is None else [*conditions, pool.c.id == response_id]))


def remove_participant(tx: WriteTx, participant_id: int) -> None:
    """Remove all pooled rows of a participant, except markers of withdrawn responses."""
    _remove(tx, pool.c.participant_id == participant_id, ~pool.c.is_spent)


def remove_spent(tx: WriteTx, activity_id: UUID, round_number: int) -> int:
    """Remove the markers of withdrawn responses of a round and return their number."""
    return _remove(tx, pool.c.activity_id == activity_id, pool.c.round == round_number, pool.c.is_spent)


def rows_of_sessions(tx: ReadTx) -> dict[int, int]:
    """Count the pooled rows of each session, edits excluded. For checks only."""
    return {row.session_id: row.stored for row in tx.all(_ROWS_OF_SESSIONS)}


def recounted_bytes(tx: ReadTx) -> dict[int, int]:
    """Return the bytes of each session's pools, summed over all rows. For checks only."""
    return {row.session_id: int(row.stored) for row in tx.all(_BYTES)}


def newest_timestamps(tx: ReadTx) -> dict[int, int]:
    """Return the newest timestamp of each session's pools, µs. For checks only."""
    return {row.session_id: row.ts for row in tx.all(_NEWEST_TIMESTAMPS)}


def purge(tx: WriteTx, session_id: int, limit: int) -> int:
    """Remove up to `limit` pooled rows of a deleted session and return their number."""
    ids = select(pool.c.id).where(pool.c.session_id == session_id).limit(limit)
    return tx.write(delete(pool).where(pool.c.id.in_(ids.scalar_subquery())))


def _read_round(tx: ReadTx, activity: Activity, query: Select[Any], **params: int) -> list[PooledResponse]:
    key, is_many = (activity.session_id, activity.id, activity.round), activity.response_policy is ResponsePolicy.MANY
    rows = tx.all(query, {"activity_id": activity.id, "round": activity.round, **params})
    return [_from_round_row(row, key, is_many=is_many) for row in rows]


def _remove(tx: WriteTx, *conditions: ColumnElement[bool]) -> int:
    """Remove rows, subtract their bytes and return their number."""
    removed = [(row.session_id, -int(row.stored)) for row in tx.all(_BYTES.where(and_(*conditions)))]
    _count_bytes(tx, removed)
    return tx.write(delete(pool).where(*conditions)) if removed else 0


def _count_bytes(tx: WriteTx, added: Iterable[tuple[int, int]]) -> None:
    by_session: Counter[int] = Counter()
    for session_id, stored in added:
        by_session[session_id] += stored
    for session_id, stored in by_session.items():
        tx.head(session_id).add_count("stored_bytes", stored)


def _from_round_row(row: Row[Any], key: tuple[int, UUID, int], *, is_many: bool) -> PooledResponse:
    """Return a row of a round, whose query leaves out the columns that all its rows share."""
    row_id, participant_id, ts, created_ts, received_us, revision, moderation, due_us, response, masked = cast(
        "tuple[Any, ...]", row
    )
    session_id, activity_id, round_number = key
    return PooledResponse(
        id=row_id, session_id=session_id, activity_id=activity_id, participant_id=participant_id, round=round_number,
        slot=row_id if is_many else NO_SLOT, ts=ts, created_ts=created_ts, received_us=received_us, revision=revision, deleted=False,
        is_spent=False, moderation=Moderation(moderation), due_us=due_us, text=response, masked=masked,
    )  # fmt: skip


def _from_row(row: Row[Any]) -> PooledResponse:
    fields = dict(zip(PooledResponse.__slots__, row, strict=True))
    fields["moderation"] = Moderation(fields["moderation"])
    return PooledResponse(**fields)
