"""SQL statements on responses: rows to and from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, literal_column, select, text, update

from conflicto.platform.db.bulk import RecordMapping
from conflicto.platform.db.errors import DATABASE_ERRORS, is_query_canceled
from conflicto.platform.db.key_lookup import KeyLookup
from conflicto.platform.ids import random_sample
from conflicto.responses.errors import ScanTooLong
from conflicto.responses.model import NO_SLOT, LiveResponse, Moderation, ParticipantResponse
from conflicto.responses.pool.store import purge as purge_pools
from conflicto.responses.tables import responses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Row, Select

    from conflicto.platform.db.transaction import ReadTx, WriteTx

FETCH_ROWS = 128
"""Rows that a streamed query fetches at a time."""

MAX_SEARCH_S = 2.0
"""Maximum time of a `contains` search in the database."""

_COLUMNS = {"text": "response_text", "masked": "masked_text"}
"""Fields whose columns have other names."""

_RECORDS = RecordMapping(
    responses,
    {name: _COLUMNS.get(name, name) for name in ParticipantResponse.__slots__},
    updated=("ts", "received_us", "revision", "deleted", "moderation", "was_visible", "text", "masked"),
)
_FIELDS = [responses.c[_COLUMNS.get(name, name)] for name in ParticipantResponse.__slots__]
_ALL = select(*_FIELDS)
_BY_IDS = _ALL.where(responses.c.id.in_(bindparam("ids", expanding=True)))
_BY_KEYS = KeyLookup(_ALL, responses.c.id)
_LIVE_IDS = select(responses.c.id).where(
    responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"), ~responses.c.deleted
)
_SINGLE_RESPONSES = KeyLookup(
    _ALL.where(responses.c.slot == NO_SLOT), responses.c.participant_id, responses.c.activity_id, responses.c.round
)
_ROW_COUNTS = KeyLookup(
    select(responses.c.participant_id, func.count().label("stored"))
    .where(responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"))
    .group_by(responses.c.participant_id),
    responses.c.participant_id,
)
_AUTHORS = KeyLookup(
    select(responses.c.participant_id)
    .where(responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"), ~responses.c.deleted)
    .distinct(),
    responses.c.participant_id,
)
_UNINDEXED_TS = responses.c.ts + 0
"""Feed order of one participant's rows.

It is a sum, because SQLite would walk the whole activity by its feed index for a plain `ts`.
"""

_NOT_HIDDEN = responses.c.moderation != Moderation.HIDDEN.value
_OWN_LIVE = select(responses.c.id, responses.c.ts).where(
    responses.c.participant_id == bindparam("participant_id"), ~responses.c.deleted, _NOT_HIDDEN
)
_NEWEST_LIVE = select(func.max(responses.c.ts)).where(
    responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"), ~responses.c.deleted
)
_AFTER = _ALL.where(responses.c.ts > bindparam("after"), responses.c.ts <= bindparam("through"))
_ACTIVITY_FEED = _AFTER.where(responses.c.activity_id == bindparam("activity_id"))
_SESSION_FEED = _AFTER.where(responses.c.session_id == bindparam("session_id"))
_OWN_FEED = _AFTER.where(responses.c.participant_id == bindparam("participant_id"))
_OF_PARTICIPANTS = _ALL.where(
    responses.c.participant_id.in_(bindparam("participants", expanding=True)), ~responses.c.deleted
).order_by(responses.c.ts)
_SOME_OF_PARTICIPANTS = _ALL.where(
    responses.c.participant_id.in_(bindparam("participants", expanding=True)), ~responses.c.deleted
).limit(bindparam("limit"))
_TEXTS = (
    select(responses.c.round, responses.c.response_text)
    .where(responses.c.activity_id == bindparam("activity_id"), ~responses.c.deleted)
    .order_by(responses.c.round, responses.c.response_text)
)
_LIVE_IN_RANGE = (
    responses.c.activity_id == bindparam("activity_id"),
    responses.c.round == bindparam("round"),
    ~responses.c.deleted,
    responses.c.ts > bindparam("after"),
    responses.c.ts <= bindparam("through"),
)
_LIVE_RESPONSES = (
    select(*(responses.c[_COLUMNS.get(name, name)] for name in LiveResponse._fields))
    .where(*_LIVE_IN_RANGE)
    .order_by(responses.c.ts)
    .limit(bindparam("limit"))
)
_COUNT_LIVE = select(func.count()).where(*_LIVE_IN_RANGE)


def find_many(tx: ReadTx, ids: Iterable[UUID]) -> dict[UUID, ParticipantResponse]:
    """Return responses by id, tombstones included."""
    return {row.id: _from_row(row) for row in tx.all(_BY_IDS, {"ids": list(ids)})}


def find_any_number(tx: ReadTx, ids: Iterable[UUID]) -> dict[UUID, ParticipantResponse]:
    """Return responses by id as `find_many` does, with the same SQL text for any number of ids."""
    keys = [(each,) for each in ids]
    return {row.id: _from_row(row) for row in tx.dialect.find_by_keys(tx, _BY_KEYS, keys)} if keys else {}


def sample_live(
    tx: ReadTx, activity_id: UUID, round_number: int, amount: int, *, excluding: Collection[UUID]
) -> list[ParticipantResponse]:
    """Return up to `amount` random live responses of a round, without those in `excluding`."""
    ids = {row.id for row in tx.all(_LIVE_IDS, {"activity_id": activity_id, "round": round_number})}.difference(excluding)
    return list(find_any_number(tx, random_sample(sorted(ids), amount)).values())


def detach_author(tx: WriteTx, participant_id: int, activities: Collection[UUID], *, response_id: UUID | None = None) -> None:
    """Remove the author from a participant's responses to some activities, or from one response."""
    statement = update(responses).where(responses.c.participant_id == participant_id, responses.c.activity_id.in_(activities))
    statement = statement if response_id is None else statement.where(responses.c.id == response_id)
    tx.write(statement.values(participant_id=None))


def find_single_responses(tx: ReadTx, keys: Iterable[tuple[int, UUID, int]]) -> dict[tuple[int, UUID], ParticipantResponse]:
    """Return single responses (policies `one` and `first`), by participant and activity.

    A key holds participant, activity and round. Tombstones are included.
    """
    return {(row.participant_id, row.activity_id): _from_row(row) for row in tx.dialect.find_by_keys(tx, _SINGLE_RESPONSES, keys)}


def count_by_participant(tx: ReadTx, activity_id: UUID, round_number: int, participants: Iterable[int]) -> dict[int, int]:
    """Count the rows of each participant in a round, tombstones included, from the index alone."""
    rows = tx.dialect.find_by_keys(tx, _ROW_COUNTS, zip(participants, strict=True), activity_id=activity_id, round=round_number)
    return {row.participant_id: row.stored for row in rows}


def own_live_timestamps(tx: ReadTx, participant_id: int, *, activity_id: UUID | None, limit: int, after: int) -> dict[UUID, int]:
    """Return timestamps of a participant's live responses after `after`, by id, in feed order.

    Hidden responses are left out.
    """
    query = _OWN_LIVE if activity_id is None else _OWN_LIVE.where(responses.c.activity_id == activity_id)
    query = query.where(after < _UNINDEXED_TS).order_by(_UNINDEXED_TS).limit(limit)
    return {row.id: row.ts for row in tx.all(query, {"participant_id": participant_id})}


def newest_live_ts(tx: ReadTx, activity_id: UUID, round_number: int, *, visible_only: bool) -> int | None:
    """Return the timestamp of the newest live response of a round, or None."""
    query = _NEWEST_LIVE.where(responses.c.moderation == Moderation.VISIBLE.value) if visible_only else _NEWEST_LIVE
    newest: int | None = tx.scalar(query, {"activity_id": activity_id, "round": round_number})
    return newest


def _filter_visibility(query: Select[Any], *, live_only: bool, visible_only: bool) -> Select[Any]:
    if live_only:
        query = query.where(~responses.c.deleted)
        return query.where(responses.c.moderation == Moderation.VISIBLE.value) if visible_only else query
    return query.where(responses.c.was_visible) if visible_only else query


def _exclude_activities(query: Select[Any], excluded_activities: Collection[UUID]) -> Select[Any]:
    """Exclude activities by NOT IN: no index serves it, so the index of the feed is used."""
    return query.where(responses.c.activity_id.not_in(excluded_activities)) if excluded_activities else query


def activity_feed(  # noqa: PLR0913 - a window, a view, a bound
    tx: ReadTx,
    activity_id: UUID,
    *,
    after: int,
    through: int,
    limit: int,
    live_only: bool,
    visible_only: bool,
    max_characters: int | None = None,
) -> list[ParticipantResponse]:
    """Return up to `limit` responses of an activity with timestamps in (after, through], in order.

    `live_only` leaves tombstones out. `visible_only` leaves out responses that the screen and
    participants never saw. The list ends with the response that exceeds `max_characters` of JSON.
    """
    query = _filter_visibility(_ACTIVITY_FEED, live_only=live_only, visible_only=visible_only).order_by(responses.c.ts).limit(limit)
    return _read_until_full(tx, query, {"activity_id": activity_id, "after": after, "through": through}, limit, max_characters)


def session_feed(  # noqa: PLR0913 - a window, a view, a bound
    tx: ReadTx,
    session_id: int,
    *,
    after: int,
    through: int,
    limit: int,
    excluded_activities: Collection[UUID],
    visible_only: bool,
    max_characters: int | None = None,
) -> list[ParticipantResponse]:
    """Return a session's responses as `activity_feed` does.

    Tombstones are left out for `after` 0, and responses to `excluded_activities` always.
    """
    query = _exclude_activities(
        _filter_visibility(_SESSION_FEED, live_only=after == 0, visible_only=visible_only), excluded_activities
    )
    query = query.order_by(responses.c.ts).limit(limit)
    return _read_until_full(tx, query, {"session_id": session_id, "after": after, "through": through}, limit, max_characters)


def own_feed(
    tx: ReadTx,
    participant_id: int,
    *,
    after: int,
    through: int,
    limit: int,
    excluded_activities: Collection[UUID],
    max_characters: int,
) -> list[ParticipantResponse]:
    """Return a participant's own responses as `session_feed` does."""
    query = _exclude_activities(_filter_visibility(_OWN_FEED, live_only=after == 0, visible_only=False), excluded_activities)
    if after == 0:
        query = query.where(_NOT_HIDDEN)
    query = query.order_by(_UNINDEXED_TS).limit(limit)
    return _read_until_full(
        tx, query, {"participant_id": participant_id, "after": after, "through": through}, limit, max_characters
    )


def _read_until_full(
    tx: ReadTx, query: Select[Any], params: Mapping[str, Any], limit: int, max_characters: int | None
) -> list[ParticipantResponse]:
    """Return responses up to the one that exceeds `max_characters` of JSON.

    Few rows are read at once, because a server-side cursor takes longer.
    """
    if max_characters is None or limit <= FETCH_ROWS:
        return [_from_row(row) for row in tx.all(query, params)]
    found: list[ParticipantResponse] = []
    for row in tx.stream(query, params, batch_rows=FETCH_ROWS):
        found.append(response := _from_row(row))
        max_characters -= character_count(response)
        if max_characters < 0:
            break
    return found


def character_count(response: ParticipantResponse) -> int:
    """Return the number of characters of a response's JSON, masked text included."""
    return len(response.text or "") + len(response.masked or "")


def own_head(tx: ReadTx, participant_id: int) -> int:
    """Return the timestamp of a participant's newest response, 0 if there is none."""
    return tx.scalar(select(func.max(responses.c.ts)).where(responses.c.participant_id == participant_id)) or 0


def page(  # noqa: PLR0913 - filters, a part
    tx: ReadTx,
    activity_id: UUID,
    *,
    round_number: int | None,
    participant_id: int | None,
    contains: str | None,
    limit: int,
    offset: int,
    after: int,
    max_characters: int,
) -> list[ParticipantResponse]:
    """Return a page of an activity's live responses with timestamps after `after`, in feed order.

    The page ends with the response that exceeds `max_characters` of JSON. `contains` is JSON text
    and needs a dialect that `has_jsonb`.

    Raises:
        ScanTooLong: the search for `contains` took longer than `MAX_SEARCH_S`.
    """
    query = _filtered(activity_id, round_number, participant_id, after).limit(limit).offset(offset)
    if contains is None:
        return _read_until_full(tx, query, {}, limit, max_characters)
    pattern = text("CAST(:contained AS jsonb)").bindparams(contained=contains)
    tx.set_statement_timeout(MAX_SEARCH_S)
    try:
        return _read_until_full(tx, query.where(literal_column("response_data").op("@>")(pattern)), {}, limit, max_characters)
    except DATABASE_ERRORS as error:
        if is_query_canceled(error):
            raise ScanTooLong from error
        raise


def scan_responses(
    tx: ReadTx, activity_id: UUID, *, round_number: int | None, participant_id: int | None, after: int = 0
) -> Iterator[ParticipantResponse]:
    """Yield an activity's live responses with timestamps after `after`, in feed order."""
    for row in tx.stream(_filtered(activity_id, round_number, participant_id, after), batch_rows=500):
        yield _from_row(row)


def _filtered(activity_id: UUID, round_number: int | None, participant_id: int | None, after: int) -> Select[Any]:
    query = _ALL.where(responses.c.activity_id == activity_id, ~responses.c.deleted)
    if round_number is not None:
        query = query.where(responses.c.round == round_number)
    if participant_id is not None:
        return query.where(responses.c.participant_id == participant_id, after < _UNINDEXED_TS).order_by(_UNINDEXED_TS)
    return query.where(responses.c.ts > after).order_by(responses.c.ts)


def add_many(tx: WriteTx, rows: Sequence[ParticipantResponse]) -> None:
    """Insert responses in one statement."""
    tx.dialect.insert_records(tx, _RECORDS, rows)


def save_many(tx: WriteTx, rows: Sequence[ParticipantResponse]) -> None:
    """Write the columns that a new revision changes."""
    tx.dialect.update_records(tx, _RECORDS, rows)


def live_rows(
    tx: ReadTx, *, activity_id: UUID | None = None, round_number: int | None = None, participant_id: int | None = None
) -> list[ParticipantResponse]:
    """Return live responses of an activity's round, of a participant, or of both, in feed order."""
    query = _ALL.where(~responses.c.deleted)
    if activity_id is not None:
        query = query.where(responses.c.activity_id == activity_id, responses.c.round == round_number)
    if participant_id is not None:
        query = query.where(responses.c.participant_id == participant_id)
    return [_from_row(row) for row in tx.all(query.order_by(_UNINDEXED_TS if participant_id is not None else responses.c.ts))]


def responses_of_participants(tx: ReadTx, participants: Iterable[int]) -> list[ParticipantResponse]:
    """Return all live responses of some participants, in feed order."""
    return [_from_row(row) for row in tx.all(_OF_PARTICIPANTS, {"participants": list(participants)})]


def some_of_participants(
    tx: ReadTx, participants: Iterable[int], *, limit: int, excluded_activities: Collection[UUID] = ()
) -> list[ParticipantResponse]:
    """Return up to `limit` live responses of some participants, in no order.

    Responses to `excluded_activities` are left out.
    """
    query = _exclude_activities(_SOME_OF_PARTICIPANTS, excluded_activities)
    return [_from_row(row) for row in tx.all(query, {"participants": list(participants), "limit": limit})]


def live_responses(tx: ReadTx, activity_id: UUID, round_number: int, *, after: int, through: int, limit: int) -> list[LiveResponse]:
    """Return up to `limit` live responses of a round in (after, through], in order."""
    params = {"activity_id": activity_id, "round": round_number, "after": after, "through": through, "limit": limit}
    return [LiveResponse._make(row) for row in tx.all(_LIVE_RESPONSES, params)]


def count_live(tx: ReadTx, activity_id: UUID, round_number: int, *, after: int, through: int) -> int:
    """Count the live responses of a round with timestamps in (after, through]."""
    return tx.scalar(_COUNT_LIVE, {"activity_id": activity_id, "round": round_number, "after": after, "through": through}) or 0


def participants_with_response(tx: ReadTx, activity_id: UUID, round_number: int, participants: Iterable[int]) -> set[int]:
    """Return the participants among `participants` with a live response in a round."""
    rows = tx.dialect.find_by_keys(tx, _AUTHORS, zip(participants, strict=True), activity_id=activity_id, round=round_number)
    return {row.participant_id for row in rows}


def has_deleted_responses(tx: ReadTx, session_id: int, *, after: int) -> bool:
    """Return whether a response of a session existed at timestamp `after` and was deleted later."""
    conditions = responses.c.session_id == session_id, responses.c.deleted, responses.c.ts > after, responses.c.created_ts <= after
    return tx.first(select(responses.c.id).where(*conditions).limit(1)) is not None


def texts_in_order(tx: ReadTx, activity_id: UUID) -> Iterator[tuple[int, str]]:
    """Yield round and JSON text of an activity's live responses, ordered by round and text.

    This order reveals nothing about authors and times.
    """
    for row in tx.stream(_TEXTS, {"activity_id": activity_id}, batch_rows=500):
        yield row.round, row.response_text


def purge(tx: WriteTx, session_id: int, limit: int) -> int:
    """Remove up to `limit` responses of a deleted session and return their number.

    Pooled responses are removed first.
    """
    if pooled := purge_pools(tx, session_id, limit):
        return pooled
    ids = select(responses.c.id).where(responses.c.session_id == session_id).limit(limit)
    return tx.write(delete(responses).where(responses.c.id.in_(ids.scalar_subquery())))


def _from_row(row: Row[Any]) -> ParticipantResponse:
    fields = dict(zip(ParticipantResponse.__slots__, row, strict=True))
    fields["moderation"] = Moderation(fields["moderation"])
    return ParticipantResponse(**fields)
