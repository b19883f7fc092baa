"""SQL of activities and their rounds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, literal, select, update

from conflicto.activities.model import (
    Activity,
    ActivityStatus,
    Content,
    Counts,
    ModerationPolicy,
    ResponsePolicy,
    ResponsesVisibility,
    ResultsVisibility,
    StoredVersion,
)
from conflicto.activities.tables import activities, activity_rounds
from conflicto.platform.db.bulk import RecordMapping
from conflicto.platform.db.key_lookup import KeyLookup
from conflicto.platform.db.rows import as_row
from conflicto.sessions.storage_quota import ACTIVITY_BYTES, ROUND_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row

    from conflicto.activities.events import CountsChanged
    from conflicto.platform.db.transaction import ReadTx, WriteTx


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round(Counts):
    """Columns of `activity_rounds` that change."""

    activity_id: UUID
    round: int


_RECORDS = RecordMapping(
    activity_rounds,
    {name: name for name in ("activity_id", "round", *Counts.__slots__)},
    key=("activity_id", "round"),
    updated=Counts.__slots__,
)
_COUNTS = attrgetter(*Counts.__slots__)
_FIELDS = [activities.c[name] for name in Activity.__slots__]
_TEXTS = [activities.c.config_text, activities.c.secret_text, activities.c.aggregate_text, activities.c.scopes_text]
_EVER = select(*_FIELDS).where(activities.c.id.in_(bindparam("ids", expanding=True)))
_BY_IDS = _EVER.where(~activities.c.deleted)
_ALL = select(*_FIELDS).where(activities.c.session_id == bindparam("session_id"))
_LIVE = _ALL.where(~activities.c.deleted).order_by(activities.c.order_index, activities.c.created_ts)
_CONTENT = select(activities.c.id, *_TEXTS).where(activities.c.id.in_(bindparam("ids", expanding=True)))
_DUE = select(*_FIELDS).where(activities.c.status == ActivityStatus.ACTIVE.value, activities.c.ends_us.is_not(None))
_TYPED = select(*_FIELDS).where(~activities.c.deleted, activities.c.type_version.is_not(None))
_VERSIONS = (
    select(activities.c.type, activities.c.type_version.label("version"), func.count().label("activities"))
    .where(~activities.c.deleted, activities.c.type_version.is_not(None))
    .group_by(activities.c.type, activities.c.type_version)
)
_POOLING = select(*_FIELDS).where(activities.c.status == ActivityStatus.ACTIVE.value, activities.c.anonymous)
_ANONYMOUS = select(activities.c.id).where(activities.c.session_id == bindparam("session_id"), activities.c.anonymous)
_THIS_ROUND = (activity_rounds.c.activity_id == bindparam("of_activity"), activity_rounds.c.round == bindparam("round_number"))
_TICK = select(activity_rounds.c.release_us).where(*_THIS_ROUND)
_NOTE_TICK = update(activity_rounds).where(*_THIS_ROUND).values(release_us=bindparam("at_us"))
_CHANGED = (
    _ALL.where(activities.c.updated_ts > bindparam("after"), activities.c.updated_ts <= bindparam("through"))
    .order_by(activities.c.updated_ts)
    .limit(bindparam("most"))
)
_ROUNDS = select(activity_rounds).where(activity_rounds.c.session_id == bindparam("session_id"))
_SOME_ROUNDS = KeyLookup(select(activity_rounds), activity_rounds.c.activity_id, activity_rounds.c.round)
_ROUNDS_OF = select(activity_rounds).where(activity_rounds.c.activity_id == bindparam("activity_id"))
_RECOUNT = (
    select(activities.c.session_id, func.count().label("activities")).where(~activities.c.deleted).group_by(activities.c.session_id)
)
_BYTES = select(
    activities.c.session_id,
    func.sum(
        sum((func.coalesce(func.octet_length(column), 0) for column in (activities.c.title, *_TEXTS)), literal(ACTIVITY_BYTES))
    ).label("stored"),
).group_by(activities.c.session_id)
_ROUND_BYTES = select(activity_rounds.c.session_id, (func.count() * ROUND_BYTES).label("stored")).group_by(
    activity_rounds.c.session_id
)
_SAVE = update(activities).where(activities.c.id == bindparam("activity_id"))
_KINDS: dict[str, Any] = {
    "status": ActivityStatus,
    "response_policy": ResponsePolicy,
    "results_visibility": ResultsVisibility,
    "responses_visibility": ResponsesVisibility,
    "moderation": ModerationPolicy,
}


def activities_by_id(tx: ReadTx, ids: Iterable[UUID]) -> dict[UUID, Activity]:
    """Return the activities of `ids` that are not deleted."""
    found = map(_activity, tx.all(_BY_IDS, {"ids": list(ids)}))
    return {activity.id: activity for activity in found}


def find_ever(tx: ReadTx, ids: Iterable[UUID]) -> list[Activity]:
    """Return the activities of `ids`, deleted ones included."""
    return [_activity(row) for row in tx.all(_EVER, {"ids": list(ids)})]


def find(tx: ReadTx, activity_id: UUID) -> Activity | None:
    """Return an activity that is not deleted."""
    return activities_by_id(tx, [activity_id]).get(activity_id)


def has_deleted_activities(tx: ReadTx, session_id: int, *, after: int) -> bool:
    """Return whether an activity that existed at a feed timestamp was deleted after it."""
    is_of = (
        activities.c.session_id == session_id,
        activities.c.deleted,
        activities.c.updated_ts > after,
        activities.c.created_ts <= after,
    )
    return tx.first(select(activities.c.id).where(*is_of).limit(1)) is not None


def activities_in_order(tx: ReadTx, session_id: int) -> list[Activity]:
    """Return all activities of a session in order."""
    return [_activity(row) for row in tx.all(_LIVE, {"session_id": session_id})]


def all_activities(tx: ReadTx, session_id: int) -> list[Activity]:
    """Return all activities of a session, deleted ones included."""
    return [_activity(row) for row in tx.all(_ALL, {"session_id": session_id})]


def contents(tx: ReadTx, ids: Iterable[UUID]) -> dict[UUID, Content]:
    """Return the JSON texts of activities."""
    rows = tx.all(_CONTENT, {"ids": list(ids)})
    return {row.id: Content(**{name: getattr(row, f"{name}_text") for name in Content.__slots__}) for row in rows}


def typed_activities(tx: ReadTx, names: Iterable[str], *, after: UUID, limit: int) -> list[Activity]:
    """Return up to `limit` activities of some types that store a version, by id after `after`."""
    query = _TYPED.where(activities.c.type.in_(list(names)), activities.c.id > after)
    return [_activity(row) for row in tx.all(query.order_by(activities.c.id).limit(limit))]


def stored_versions(tx: ReadTx, *, without: Iterable[str] = ()) -> list[StoredVersion]:
    """Return the versions that activities store, of all types but `without`."""
    query = _VERSIONS.where(activities.c.type.not_in(list(without)))
    return [StoredVersion(row.type, row.version, row.activities) for row in tx.all(query)]


def timed_activities(tx: ReadTx) -> list[Activity]:
    """Return every active activity of the database with an end."""
    return [_activity(row) for row in tx.all(_DUE)]


def pooling_activities(tx: ReadTx) -> list[Activity]:
    """Return every active anonymous activity of the database."""
    return [_activity(row) for row in tx.all(_POOLING)]


def anonymous_ids(tx: ReadTx, session_id: int) -> list[UUID]:
    """Return the anonymous activities of a session, deleted ones included."""
    return [row.id for row in tx.all(_ANONYMOUS, {"session_id": session_id})]


def last_release_us(tx: ReadTx, activity: Activity) -> int:
    """Return the instant of the current round's last release, µs; 0 before the first."""
    return tx.scalar(_TICK, {"of_activity": activity.id, "round_number": activity.round}) or 0


def save_release_us(tx: WriteTx, activity: Activity, at_us: int) -> None:
    """Store the instant of the current round's last release."""
    tx.write(_NOTE_TICK, {"of_activity": activity.id, "round_number": activity.round, "at_us": at_us})


def activities_changed(tx: ReadTx, session_id: int, *, after: int, through: int, limit: int) -> list[Activity]:
    """Return activities whose newest change lies in (after, through], in feed order.

    Deleted activities are included.
    """
    rows = tx.all(_CHANGED, {"session_id": session_id, "after": after, "through": through, "most": limit})
    return [_activity(row) for row in rows]


def add(tx: WriteTx, activity: Activity, content: Content) -> None:
    """Insert an activity and the counters of its first round."""
    tx.write(insert(activities), as_row(activity) | _texts(content))
    add_round(tx, activity)


def save(tx: WriteTx, activity: Activity, content: Content | None = None) -> None:
    """Write every column of an activity; its JSON only if given."""
    row = as_row(activity)
    row.pop("id")
    tx.write(_SAVE, {"activity_id": activity.id, **row, **(_texts(content) if content else {})})


def add_round(tx: WriteTx, activity: Activity) -> None:
    """Insert the counters of the activity's current round, at zero."""
    key = {"activity_id": activity.id, "round": activity.round, "session_id": activity.session_id}
    tx.write(insert(activity_rounds), key | as_row(Counts()))


def all_counts(tx: ReadTx, session_id: int) -> dict[tuple[UUID, int], Counts]:
    """Return the counts of all rounds of a session."""
    return {(row.activity_id, row.round): _counts(row) for row in tx.all(_ROUNDS, {"session_id": session_id})}


def counts_of_rounds(tx: ReadTx, query: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], Counts]:
    """Return the counts of some rounds, by activity and number."""
    return {(row.activity_id, row.round): _counts(row) for row in tx.dialect.find_by_keys(tx, _SOME_ROUNDS, query)}


def counts_by_round(tx: ReadTx, activity_id: UUID) -> dict[int, Counts]:
    """Return the counts of all rounds of an activity."""
    return {row.round: _counts(row) for row in tx.all(_ROUNDS_OF, {"activity_id": activity_id})}


def stored_counts(tx: ReadTx) -> dict[tuple[int, UUID, int], Counts]:
    """Return the counts of all rounds by session, activity and round, for checks."""
    return {(row.session_id, row.activity_id, row.round): _counts(row) for row in tx.all(select(activity_rounds))}


def recounted_activities(tx: ReadTx) -> dict[int, int]:
    """Count the activities of every session row by row, for checks."""
    return {row.session_id: row.activities for row in tx.all(_RECOUNT)}


def activity_bytes(tx: ReadTx) -> Counter[int]:
    """Return the bytes of each session's activities and rounds row by row, for checks."""
    stored: Counter[int] = Counter()
    for row in (*tx.all(_BYTES), *tx.all(_ROUND_BYTES)):
        stored[row.session_id] += int(row.stored)
    return stored


def save_counts(tx: WriteTx, changed: Iterable[CountsChanged]) -> None:
    """Write the counts of some rounds; the head lock makes this a plain overwrite."""
    rows = [_Round(*_COUNTS(each.counts), activity_id=each.activity_id, round=each.round) for each in changed]
    tx.dialect.update_records(tx, _RECORDS, rows)


def last_index(tx: ReadTx, session_id: int) -> int | None:
    """Return the largest `order_index` of a session."""
    largest: int | None = tx.scalar(
        select(func.max(activities.c.order_index)).where(activities.c.session_id == session_id, ~activities.c.deleted)
    )
    return largest


def purge(tx: WriteTx, session_id: int, limit: int) -> int:
    """Delete some activities of a deleted session and all its counts. Return their number."""
    tx.write(delete(activity_rounds).where(activity_rounds.c.session_id == session_id))
    batch = select(activities.c.id).where(activities.c.session_id == session_id).limit(limit)
    return tx.write(delete(activities).where(activities.c.id.in_(batch.scalar_subquery())))


def _texts(content: Content) -> dict[str, Any]:
    return {f"{name}_text": text for name, text in as_row(content).items()}


def _activity(row: Row[Any]) -> Activity:
    fields = dict(zip(Activity.__slots__, row, strict=True))
    for name, kind in _KINDS.items():
        fields[name] = kind(fields[name])
    return Activity(**fields)


def _counts(row: Row[Any]) -> Counts:
    return Counts(*_COUNTS(row))


def page(
    tx: ReadTx,
    session_id: int,
    *,
    visible_only: bool,
    status: ActivityStatus | None,
    limit: int,
    offset: int,
    after: tuple[int, int] | None,
) -> Sequence[Activity]:
    """Return one page by `order_index`.

    `after` is the position and creation timestamp of the previous activity.
    """
    query = _LIVE
    if after:
        index, created_ts = activities.c.order_index, activities.c.created_ts
        query = query.where(index >= after[0], (index > after[0]) | (created_ts > after[1]))
    if visible_only:
        query = query.where(activities.c.status != ActivityStatus.DRAFT.value)
    if status:
        query = query.where(activities.c.status == status.value)
    return [_activity(row) for row in tx.all(query.limit(limit).offset(offset), {"session_id": session_id})]
