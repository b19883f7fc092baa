"""Rows of responses, to and from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, literal_column, select, text, update

from conflicto.platform.db.bulk import BulkWriter
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

MAX_SEARCH_S = 2.0
"""Maximum time of a `contains` search in PostgreSQL."""

_COLUMNS = {"text": "response_text", "masked": "masked_text"}
"""Fields with other names in the table."""

_BULK = BulkWriter(
    responses,
    {name: _COLUMNS.get(name, name) for name in ParticipantResponse.__slots__},
    updated=("ts", "received_us", "revision", "deleted", "moderation", "was_visible", "text", "masked"),
)
_FIELDS = [responses.c[_COLUMNS.get(name, name)] for name in ParticipantResponse.__slots__]
_ALL = select(*_FIELDS)
_BY_IDS = _ALL.where(responses.c.id.in_(bindparam("ids", expanding=True)))
_SOME = KeyLookup(_ALL, responses.c.id)
_LIVE_IDS = select(responses.c.id).where(
    responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"), ~responses.c.deleted
)
_OF_PARTICIPANTS = KeyLookup(
    _ALL.where(responses.c.slot == NO_SLOT), responses.c.participant_id, responses.c.activity_id, responses.c.round
)
_ROWS_OF_EACH = KeyLookup(
    select(responses.c.participant_id, func.count().label("stored"))
    .where(responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"))
    .group_by(responses.c.participant_id),
    responses.c.participant_id,
)
_ANSWERED = KeyLookup(
    select(responses.c.participant_id)
    .where(responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"), ~responses.c.deleted)
    .distinct(),
    responses.c.participant_id,
)
_UNINDEXED_TS = responses.c.ts + 0
"""Feed order for one participant's rows: a sum, because a plain `ts` draws SQLite to walk the whole activity by its feed index."""

_NOT_HIDDEN = responses.c.moderation != Moderation.HIDDEN.value
_MINE = select(responses.c.id, responses.c.ts).where(
    responses.c.participant_id == bindparam("participant_id"), ~responses.c.deleted, _NOT_HIDDEN
)
_NEWEST = select(func.max(responses.c.ts)).where(
    responses.c.activity_id == bindparam("activity_id"), responses.c.round == bindparam("round"), ~responses.c.deleted
)
_AFTER = _ALL.where(responses.c.ts > bindparam("after"), responses.c.ts <= bindparam("upto"))
_ACTIVITY_FEED = _AFTER.where(responses.c.activity_id == bindparam("activity_id"))
_SESSION_FEED = _AFTER.where(responses.c.session_id == bindparam("session_id"))
_OWN_FEED = _AFTER.where(responses.c.participant_id == bindparam("participant_id"))
_OF_SEATS = _ALL.where(responses.c.participant_id.in_(bindparam("participants", expanding=True)), ~responses.c.deleted).order_by(
    responses.c.ts
)
_SOME_OF_SEATS = _ALL.where(responses.c.participant_id.in_(bindparam("participants", expanding=True)), ~responses.c.deleted).limit(
    bindparam("most")
)
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
    responses.c.ts <= bindparam("upto"),
)
_LIVE_ANSWERS = (
    select(*(responses.c[_COLUMNS.get(name, name)] for name in LiveResponse._fields))
    .where(*_LIVE_IN_RANGE)
    .order_by(responses.c.ts)
    .limit(bindparam("most"))
)
_COUNT_LIVE = select(func.count()).where(*_LIVE_IN_RANGE)


def find_many(tx: ReadTx, ids: Iterable[UUID]) -> dict[UUID, ParticipantResponse]:
    """Return responses by id, tombstones included."""
    return {row.id: _from_row(row) for row in tx.all(_BY_IDS, {"ids": list(ids)})}


def find_any_number(tx: ReadTx, ids: Iterable[UUID]) -> dict[UUID, ParticipantResponse]:
    """Return responses by id as `find_many` does, with the same SQL text for any number of ids."""
    keys = [(each,) for each in ids]
    return {row.id: _from_row(row) for row in _SOME.rows(tx, keys)} if keys else {}


def sample_live(tx: ReadTx, activity_id: UUID, nth: int, amount: int, *, excluding: Collection[UUID]) -> list[ParticipantResponse]:
    """Return up to `amount` live responses of a round, drawn at random, and none of `but`."""
    left = {row.id for row in tx.all(_LIVE_IDS, {"activity_id": activity_id, "round": nth})}.difference(excluding)
    return list(find_any_number(tx, random_sample(sorted(left), amount)).values())


def detach_author(tx: WriteTx, participant_id: int, activities: Collection[UUID], *, response_id: UUID | None = None) -> None:
    """Remove the author from a participant's responses to some activities, or from one response."""
    theirs = update(responses).where(responses.c.participant_id == participant_id, responses.c.activity_id.in_(activities))
    theirs = theirs if response_id is None else theirs.where(responses.c.id == response_id)
    tx.write(theirs.values(participant_id=None))


def find_single_responses(tx: ReadTx, wanted: Iterable[tuple[int, UUID, int]]) -> dict[tuple[int, UUID], ParticipantResponse]:
    """Return the single responses (policies `one` and `first`) of some participants, each in one round of an activity; tombstones included.

    They are given as participant, activity and round, and returned by participant and activity.
    """
    return {(row.participant_id, row.activity_id): _from_row(row) for row in _OF_PARTICIPANTS.rows(tx, wanted)}


def count_by_participant(tx: ReadTx, activity_id: UUID, nth: int, participants: Iterable[int]) -> dict[int, int]:
    """Count the rows of each participant in a round, tombstones included, in the index alone."""
    rows = _ROWS_OF_EACH.rows(tx, [(each,) for each in participants], activity_id=activity_id, round=nth)
    return {row.participant_id: row.stored for row in rows}


def own_live_timestamps(tx: ReadTx, participant_id: int, *, activity_id: UUID | None, limit: int, after: int) -> dict[UUID, int]:
    """Return the ids of a participant's live responses after a position, in feed order, with their timestamps."""
    wanted = _MINE if activity_id is None else _MINE.where(responses.c.activity_id == activity_id)
    wanted = wanted.where(after < _UNINDEXED_TS).order_by(_UNINDEXED_TS).limit(limit)
    return {row.id: row.ts for row in tx.all(wanted, {"participant_id": participant_id})}


def newest_live_ts(tx: ReadTx, activity_id: UUID, nth: int, *, visible_only: bool) -> int | None:
    """Return the timestamp of the newest live response of a round, or None."""
    wanted = _NEWEST.where(responses.c.moderation == Moderation.VISIBLE.value) if visible_only else _NEWEST
    newest: int | None = tx.scalar(wanted, {"activity_id": activity_id, "round": nth})
    return newest


def _filter_visibility(wanted: Select[Any], *, live_only: bool, visible_only: bool) -> Select[Any]:
    if live_only:
        wanted = wanted.where(~responses.c.deleted)
        return wanted.where(responses.c.moderation == Moderation.VISIBLE.value) if visible_only else wanted
    return wanted.where(responses.c.was_visible) if visible_only else wanted


def _exclude_activities(wanted: Select[Any], excluded_activities: Collection[UUID]) -> Select[Any]:
    """Leave activities out by NOT IN, which no index serves, so that the feed's own index stays the way in."""
    return wanted.where(responses.c.activity_id.not_in(excluded_activities)) if excluded_activities else wanted


def activity_feed(  # noqa: PLR0913 - a window, a view, a bound
    tx: ReadTx,
    activity_id: UUID,
    *,
    after: int,
    upto: int,
    limit: int,
    live_only: bool,
    visible_only: bool,
    max_characters: int | None = None,
) -> list[ParticipantResponse]:
    """Return an activity's responses with timestamps in (after, upto] in order, until they have `max_characters` characters.

    `live_only` leaves tombstones out; `visible_only` leaves out what screen and participants never saw.
    """
    wanted = (
        _filter_visibility(_ACTIVITY_FEED, live_only=live_only, visible_only=visible_only).order_by(responses.c.ts).limit(limit)
    )
    return _read_until_full(tx, wanted, {"activity_id": activity_id, "after": after, "upto": upto}, limit, max_characters)


def session_feed(  # noqa: PLR0913 - a window, a view, a bound
    tx: ReadTx,
    session_id: int,
    *,
    after: int,
    upto: int,
    limit: int,
    excluded_activities: Collection[UUID],
    visible_only: bool,
    max_characters: int | None = None,
) -> list[ParticipantResponse]:
    """Return a session's responses as `activity_feed` does, without those of excluded activities."""
    wanted = _exclude_activities(
        _filter_visibility(_SESSION_FEED, live_only=after == 0, visible_only=visible_only), excluded_activities
    )
    wanted = wanted.order_by(responses.c.ts).limit(limit)
    return _read_until_full(tx, wanted, {"session_id": session_id, "after": after, "upto": upto}, limit, max_characters)


def own_feed(
    tx: ReadTx,
    participant_id: int,
    *,
    after: int,
    upto: int,
    limit: int,
    excluded_activities: Collection[UUID],
    max_characters: int,
) -> list[ParticipantResponse]:
    """Return a participant's own responses as `session_feed` does."""
    wanted = _exclude_activities(_filter_visibility(_OWN_FEED, live_only=after == 0, visible_only=False), excluded_activities)
    if after == 0:
        wanted = wanted.where(_NOT_HIDDEN)
    wanted = wanted.order_by(_UNINDEXED_TS).limit(limit)
    return _read_until_full(tx, wanted, {"participant_id": participant_id, "after": after, "upto": upto}, limit, max_characters)


def _read_until_full(
    tx: ReadTx, wanted: Select[Any], params: Mapping[str, Any], limit: int, max_characters: int | None
) -> list[ParticipantResponse]:
    """Return responses until they have `enough` characters. Few rows come in one piece: a cursor of the server's takes longer."""
    if max_characters is None or limit <= FETCH_ROWS:
        return [_from_row(row) for row in tx.all(wanted, params)]
    found: list[ParticipantResponse] = []
    for row in tx.stream(wanted, params, batch_rows=FETCH_ROWS):
        found.append(response := _from_row(row))
        max_characters -= character_count(response)
        if max_characters < 0:
            break
    return found


def character_count(response: ParticipantResponse) -> int:
    """Return the length of an answer's JSON, in both of its forms."""
    return len(response.text or "") + len(response.masked or "")


def own_head(tx: ReadTx, participant_id: int) -> int:
    """Return the timestamp of a participant's newest response, 0 if there is none."""
    return tx.scalar(select(func.max(responses.c.ts)).where(responses.c.participant_id == participant_id)) or 0


def page(  # noqa: PLR0913 - filters, a part
    tx: ReadTx,
    activity_id: UUID,
    *,
    nth: int | None,
    participant_id: int | None,
    contains: str | None,
    limit: int,
    offset: int,
    after: int,
    max_characters: int,
) -> list[ParticipantResponse]:
    """Return one page of an activity's live responses after a position, in feed order, up to that with which they have `enough` characters.

    `contains` is JSON text and needs PostgreSQL's index.

    Raises:
        ScanTooLong: looking for `contains` took longer than it may.
    """
    wanted = _filtered(activity_id, nth, participant_id, after).limit(limit).offset(offset)
    if contains is None:
        return _read_until_full(tx, wanted, {}, limit, max_characters)
    part = text("CAST(:contained AS jsonb)").bindparams(contained=contains)
    tx.set_statement_timeout(MAX_SEARCH_S)
    try:
        return _read_until_full(tx, wanted.where(literal_column("response_data").op("@>")(part)), {}, limit, max_characters)
    except DATABASE_ERRORS as error:
        if is_query_canceled(error):
            raise ScanTooLong from error
        raise


def scan_responses(
    tx: ReadTx, activity_id: UUID, *, nth: int | None, participant_id: int | None, after: int = 0
) -> Iterator[ParticipantResponse]:
    """Yield an activity's live responses after a position one by one, in feed order."""
    for row in tx.stream(_filtered(activity_id, nth, participant_id, after), batch_rows=500):
        yield _from_row(row)


def _filtered(activity_id: UUID, nth: int | None, participant_id: int | None, after: int) -> Select[Any]:
    wanted = _ALL.where(responses.c.activity_id == activity_id, ~responses.c.deleted)
    if nth is not None:
        wanted = wanted.where(responses.c.round == nth)
    if participant_id is not None:
        return wanted.where(responses.c.participant_id == participant_id, after < _UNINDEXED_TS).order_by(_UNINDEXED_TS)
    return wanted.where(responses.c.ts > after).order_by(responses.c.ts)


def add_many(tx: WriteTx, rows: Sequence[ParticipantResponse]) -> None:
    """Insert responses in one statement."""
    _BULK.insert(tx, rows)


def save_many(tx: WriteTx, rows: Sequence[ParticipantResponse]) -> None:
    """Write the columns that a new revision changes."""
    _BULK.update(tx, rows)


def live_rows(
    tx: ReadTx, *, activity_id: UUID | None = None, nth: int | None = None, participant_id: int | None = None
) -> list[ParticipantResponse]:
    """Return live responses of a round of an activity, or of a participant, in feed order."""
    wanted = _ALL.where(~responses.c.deleted)
    if activity_id is not None:
        wanted = wanted.where(responses.c.activity_id == activity_id, responses.c.round == nth)
    if participant_id is not None:
        wanted = wanted.where(responses.c.participant_id == participant_id)
    return [_from_row(row) for row in tx.all(wanted.order_by(_UNINDEXED_TS if participant_id is not None else responses.c.ts))]


def responses_of_participants(tx: ReadTx, participants: Iterable[int]) -> list[ParticipantResponse]:
    """Return all live responses of some participants, in feed order."""
    return [_from_row(row) for row in tx.all(_OF_SEATS, {"participants": list(participants)})]


def some_of_participants(
    tx: ReadTx, participants: Iterable[int], *, limit: int, excluded_activities: Collection[UUID] = ()
) -> list[ParticipantResponse]:
    """Return up to `most` live responses of some participants, in no order, without those to `closed` activities."""
    wanted = _exclude_activities(_SOME_OF_SEATS, excluded_activities)
    return [_from_row(row) for row in tx.all(wanted, {"participants": list(participants), "most": limit})]


def live_responses(tx: ReadTx, activity_id: UUID, nth: int, *, after: int, upto: int, limit: int) -> list[LiveResponse]:
    """Return the live responses of a round with timestamps in (after, upto], in order."""
    wanted = {"activity_id": activity_id, "round": nth, "after": after, "upto": upto, "most": limit}
    return [LiveResponse._make(row) for row in tx.all(_LIVE_ANSWERS, wanted)]


def count_live(tx: ReadTx, activity_id: UUID, nth: int, *, after: int, upto: int) -> int:
    """Count the live responses of a round with timestamps in (after, upto], in the index alone."""
    return tx.scalar(_COUNT_LIVE, {"activity_id": activity_id, "round": nth, "after": after, "upto": upto}) or 0


def participants_with_response(tx: ReadTx, activity_id: UUID, nth: int, participants: Iterable[int]) -> set[int]:
    """Return which of some participants have a live response in a round."""
    rows = _ANSWERED.rows(tx, [(each,) for each in participants], activity_id=activity_id, round=nth)
    return {row.participant_id for row in rows}


def has_deleted_responses(tx: ReadTx, session_id: int, *, after: int) -> bool:
    """Return whether a response of a session was there at a feed timestamp and was deleted after it."""
    is_of = responses.c.session_id == session_id, responses.c.deleted, responses.c.ts > after, responses.c.created_ts <= after
    return tx.first(select(responses.c.id).where(*is_of).limit(1)) is not None


def texts_in_order(tx: ReadTx, activity_id: UUID) -> Iterator[tuple[int, str]]:
    """Yield round and JSON text of an activity's live responses in the order of the texts, which says nothing about who sent them when."""
    for row in tx.stream(_TEXTS, {"activity_id": activity_id}, batch_rows=500):
        yield row.round, row.response_text


def purge(tx: WriteTx, session_id: int, at_most: int) -> int:
    """Remove some responses of a deleted session, those in its pools first; returns how many."""
    if pooled := purge_pools(tx, session_id, at_most):
        return pooled
    some = select(responses.c.id).where(responses.c.session_id == session_id).limit(at_most)
    return tx.write(delete(responses).where(responses.c.id.in_(some.scalar_subquery())))


def _from_row(row: Row[Any]) -> ParticipantResponse:
    fields = dict(zip(ParticipantResponse.__slots__, row, strict=True))
    fields["moderation"] = Moderation(fields["moderation"])
    return ParticipantResponse(**fields)
