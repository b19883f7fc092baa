"""SQL of participants and seat links."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, false, func, insert, select, update

from conflicto.participants.model import FloodFilter, Participant
from conflicto.participants.nickname import key_part
from conflicto.participants.tables import participants, seat_links
from conflicto.platform.db.bulk import RecordMapping
from conflicto.platform.db.key_lookup import KeyLookup
from conflicto.sessions.storage_quota import PARTICIPANT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Row, Select

    from conflicto.platform.db.transaction import ReadTx, WriteTx

_RECORDS = RecordMapping(
    participants,
    {name: name for name in Participant.__slots__},
    updated=[name for name in Participant.__slots__ if name != "id"],
)
_BY_IDS = select(participants).where(participants.c.id.in_(bindparam("ids", expanding=True)), ~participants.c.deleted)
_id = attrgetter("id")
_PRESENT = KeyLookup(select(participants.c.id).where(~participants.c.deleted), participants.c.id)
_TAKEN = KeyLookup(
    select(participants.c.nickname_key).where(participants.c.session_id == bindparam("session_id")), participants.c.nickname_key
)
_JOINED = (
    select(participants)
    .where(
        participants.c.session_id == bindparam("session_id"),
        participants.c.deleted == false(),
        participants.c.created_ts > bindparam("after"),
    )
    .order_by(participants.c.created_ts)
    .limit(bindparam("most"))
    .offset(bindparam("skip"))
)
_NEWEST_NAMES = (
    select(participants.c.nickname)
    .where(participants.c.session_id == bindparam("session_id"), participants.c.deleted == false())
    .order_by(participants.c.created_ts.desc())
    .limit(bindparam("most"))
)
_CHANGED = (
    select(participants)
    .where(
        participants.c.session_id == bindparam("session_id"),
        participants.c.updated_ts > bindparam("after"),
        participants.c.updated_ts <= bindparam("through"),
    )
    .order_by(participants.c.updated_ts)
    .limit(bindparam("most"))
)
_FORGOTTEN = select(participants.c.id).where(participants.c.deleted, participants.c.nickname == "")
_MOVED_SEATS = select(participants.c.id, participants.c.token_version).where(
    participants.c.session_id == bindparam("session_id"), participants.c.token_version > 1
)
_DEPARTED = select(participants.c.id).where(participants.c.session_id == bindparam("session_id"), participants.c.deleted)
_SCRIPTED = (
    select(participants)
    .where(participants.c.session_id == bindparam("session_id"), participants.c.scripted, participants.c.nickname != "")
    .limit(bindparam("most"))
)
_SCRIPTED_IDS = select(participants.c.id).where(participants.c.session_id == bindparam("session_id"), participants.c.scripted)
_PEOPLE = (
    select(participants.c.id)
    .where(participants.c.session_id == bindparam("session_id"), participants.c.scripted == false())
    .limit(1)
)
_EVERY_SEAT = select(participants).where(participants.c.session_id == bindparam("session_id")).order_by(participants.c.created_ts)
_RECOUNT = (
    select(participants.c.session_id, func.count().label("seats"))
    .where(~participants.c.deleted)
    .group_by(participants.c.session_id)
)
_BYTES = select(participants.c.session_id, (func.count() * PARTICIPANT_BYTES).label("stored")).group_by(participants.c.session_id)
_SEEN = (
    update(participants)
    .where(participants.c.id == bindparam("participant_id"), participants.c.last_seen_us < bindparam("seen_us"))
    .values(last_seen_us=bindparam("seen_us"))
)
_UNLINK = delete(seat_links).where(seat_links.c.participant_id.in_(bindparam("ids", expanding=True)))
_LINK = select(seat_links).where(seat_links.c.id == bindparam("link_id"))


def present_seats(tx: ReadTx, ids: Iterable[int]) -> dict[int, Participant]:
    """Return the participants of `ids` who have not left."""
    return {row.id: _participant(row) for row in tx.all(_BY_IDS, {"ids": list(ids)})}


def present_ids(tx: ReadTx, ids: Iterable[int]) -> set[int]:
    """Return which of `ids` still have their seat."""
    return set(map(_id, tx.dialect.find_by_keys(tx, _PRESENT, zip(ids))))


def find_ever(tx: ReadTx, participant_id: int) -> Participant | None:
    """Return a participant, also one who left."""
    row = tx.first(select(participants).where(participants.c.id == participant_id))
    return _participant(row) if row else None


def left_seats(tx: ReadTx, session_id: int, since_ts: int, *, limit: int) -> dict[int, int]:
    """Return up to `limit` people who left by themselves after a feed position.

    The result maps ids to the positions at which they left.
    """
    query = select(participants.c.id, participants.c.updated_ts).where(
        participants.c.session_id == session_id, participants.c.updated_ts > since_ts,
        participants.c.deleted, participants.c.nickname == "", ~participants.c.scripted,
    ).limit(limit)  # fmt: skip
    return {row.id: row.updated_ts for row in tx.all(query)}


def taken_keys(tx: ReadTx, session_id: int, keys: Iterable[str]) -> set[str]:
    """Return which of the nickname keys are taken in a session."""
    return {row.nickname_key for row in tx.dialect.find_by_keys(tx, _TAKEN, [(each,) for each in keys], session_id=session_id)}


def joined(tx: ReadTx, session_id: int, *, limit: int, offset: int = 0, after: int = 0) -> list[Participant]:
    """Return one page of participants in joining order after a feed position."""
    query = {"session_id": session_id, "after": after, "most": limit, "skip": offset}
    return [_participant(row) for row in tx.all(_JOINED, query)]


def newest_names(tx: ReadTx, session_id: int, *, limit: int) -> list[str]:
    """Return up to `limit` nicknames, newest first."""
    return [row.nickname for row in tx.all(_NEWEST_NAMES, {"session_id": session_id, "most": limit})]


def has_deleted_participants(tx: ReadTx, session_id: int, *, after: int) -> bool:
    """Return whether a participant left, or was removed, after a feed timestamp.

    The participant must have joined before it.
    """
    of = participants.c
    is_of = of.session_id == session_id, of.deleted, of.updated_ts > after, of.created_ts <= after
    return tx.first(select(of.id).where(*is_of).limit(1)) is not None


def every_seat(tx: ReadTx, session_id: int) -> Iterator[Participant]:
    """Yield all participants of a session in joining order, also those who left."""
    for row in tx.stream(_EVERY_SEAT, {"session_id": session_id}, batch_rows=500):
        yield _participant(row)


def scripted_seats(tx: ReadTx, session_id: int, *, limit: int) -> list[Participant]:
    """Return up to `limit` scripted seats that were not erased, also removed ones."""
    return [_participant(row) for row in tx.all(_SCRIPTED, {"session_id": session_id, "most": limit})]


def scripted_ids(tx: ReadTx, session_id: int) -> set[int]:
    """Return the ids of all scripted seats of a session, also removed ones."""
    return {row.id for row in tx.all(_SCRIPTED_IDS, {"session_id": session_id})}


def has_participants(tx: ReadTx, session_id: int) -> bool:
    """Return whether any person, not a bot, ever joined a session."""
    return tx.first(_PEOPLE, {"session_id": session_id}) is not None


def flooding_seats(tx: ReadTx, session_id: int, flood: FloodFilter, *, limit: int) -> list[Participant]:
    """Return up to `limit` matching participants, in joining order."""
    query = _flood(select(participants), session_id, flood).order_by(participants.c.created_ts).limit(limit)
    return [_participant(row) for row in tx.all(query)]


def flood_size(tx: ReadTx, session_id: int, flood: FloodFilter) -> int:
    """Count matching participants, by the index of the joining order and by name if given."""
    return tx.scalar(_flood(select(func.count()), session_id, flood)) or 0


def removed_of_flood(tx: ReadTx, session_id: int, flood: FloodFilter) -> list[int]:
    """Return matching participants whom a host removed.

    People who left by themselves have no name any more.
    """
    query = select(participants.c.id, participants.c.nickname).where(
        participants.c.session_id == session_id, participants.c.deleted, participants.c.nickname != ""
    )
    if flood.since_ts is not None:
        query = query.where(participants.c.created_ts >= flood.since_ts)
    return [row.id for row in tx.all(query) if flood.key_part is None or flood.key_part in key_part(row.nickname)]


def _flood(query: Select[Any], session_id: int, flood: FloodFilter) -> Select[Any]:
    query = query.where(participants.c.session_id == session_id, ~participants.c.deleted)
    if flood.since_ts is not None:
        query = query.where(participants.c.created_ts >= flood.since_ts)
    if flood.key_part is not None:
        query = query.where(participants.c.nickname_key.contains(flood.key_part, autoescape=True))
    return query


def recounted_seats(tx: ReadTx) -> dict[int, int]:
    """Count the seats of every session row by row, for checks."""
    return {row.session_id: row.seats for row in tx.all(_RECOUNT)}


def participant_bytes(tx: ReadTx) -> dict[int, int]:
    """Return the bytes of each session's participants row by row, for checks."""
    return {row.session_id: row.stored for row in tx.all(_BYTES)}


def participants_changed(tx: ReadTx, session_id: int, *, after: int, through: int, limit: int) -> list[Participant]:
    """Return participants whose newest change lies in (after, through], in feed order.

    People who left are included only if `after` is not 0.
    """
    query = _CHANGED if after else _CHANGED.where(~participants.c.deleted)
    rows = tx.all(query, {"session_id": session_id, "after": after, "through": through, "most": limit})
    return [_participant(row) for row in rows]


def departed_ids(tx: ReadTx, session_id: int) -> set[int]:
    """Return the ids of all who left a session or were removed."""
    return {row.id for row in tx.all(_DEPARTED, {"session_id": session_id})}


def moved_seats(tx: ReadTx, session_id: int) -> dict[int, int]:
    """Return the token version of every seat that was moved; tokens below it are invalid."""
    return {row.id: row.token_version for row in tx.all(_MOVED_SEATS, {"session_id": session_id})}


def add_many(tx: WriteTx, rows: Sequence[Participant]) -> None:
    """Insert participants in one statement."""
    tx.dialect.insert_records(tx, _RECORDS, rows)


def save(tx: WriteTx, participant: Participant) -> None:
    """Write every column of a participant."""
    save_many(tx, [participant])


def save_many(tx: WriteTx, rows: Sequence[Participant]) -> None:
    """Write every column of some participants."""
    tx.dialect.update_records(tx, _RECORDS, rows)


def save_seen(tx: WriteTx, seen: dict[int, int]) -> None:
    """Write when participants were last seen (id → wall µs), never backwards.

    This is not a change of the feed.
    """
    tx.write(_SEEN, [{"participant_id": participant_id, "seen_us": at_us} for participant_id, at_us in seen.items()])


def add_link(tx: WriteTx, link_id: bytes, participant: Participant, expires_us: int) -> None:
    """Insert a seat link."""
    row = {"id": link_id, "session_id": participant.session_id, "participant_id": participant.id, "expires_us": expires_us}
    tx.write(insert(seat_links), row)


def find_link(tx: ReadTx, link_id: bytes) -> tuple[int, int, int] | None:
    """Return (session id, participant id, expiry in µs) of an unused link."""
    row = tx.first(_LINK, {"link_id": link_id})
    return (row.session_id, row.participant_id, row.expires_us) if row else None


def remove_links(tx: WriteTx, participant_id: int) -> None:
    """Delete every link of a seat."""
    remove_links_of(tx, [participant_id])


def remove_links_of(tx: WriteTx, ids: Iterable[int]) -> None:
    """Delete every link of some seats."""
    tx.write(_UNLINK, {"ids": list(ids)})


def erased_ids(tx: ReadTx) -> list[int]:
    """Return the ids of all whose name was erased; a restore must not bring them back."""
    return list(tx.connection.execute(_FORGOTTEN).scalars())


def purge(tx: WriteTx, session_id: int, limit: int) -> int:
    """Delete some participants of a deleted session and all its seat links. Return their number."""
    tx.write(delete(seat_links).where(seat_links.c.session_id == session_id))
    batch = select(participants.c.id).where(participants.c.session_id == session_id).limit(limit)
    return tx.write(delete(participants).where(participants.c.id.in_(batch.scalar_subquery())))


def _participant(row: Row[Any]) -> Participant:
    return Participant(**{name: getattr(row, name) for name in Participant.__slots__})
