"""Commands of pools: store, replace and withdraw responses of anonymous activities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.activities.model import ResponsePolicy
from conflicto.activities.queries import anonymous_ids
from conflicto.platform.ids import random_uuid
from conflicto.responses import store
from conflicto.responses.events import ResponsesPooled
from conflicto.responses.model import NO_SLOT, initial_moderation
from conflicto.responses.pool import store as pool
from conflicto.responses.pool.model import PooledResponse, draw_release_time, next_release_time
from conflicto.sessions.idempotency import store as idempotency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.activities.model import Activity
    from conflicto.participants.events import ParticipantRemoved
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.model import ParticipantResponse, ResponseContent

    Change = tuple[PooledResponse | None, PooledResponse]


def pooled_response(
    tx: WriteTx,
    activity: Activity,
    content: ResponseContent,
    *,
    participant_id: int,
    received_us: int,
    released: ParticipantResponse | None = None,
    pooled: PooledResponse | None = None,
) -> PooledResponse:
    """Return a response for the pool of its round.

    It replaces `pooled`, the author's earlier pooled response. At its release it becomes a new
    revision of `released`. `received_us` is the time of receipt, µs since 1970 UTC.
    """
    ts = tx.head(activity.session_id).next_own_ts(tx.now_us)
    due_us = None if activity.min_group else draw_release_time(tx.now_us)
    moderation = initial_moderation(activity, released, is_held=content.is_held)
    if pooled is not None:
        return replace(
            pooled, ts=ts, received_us=received_us, deleted=False, moderation=moderation, due_us=due_us, text=content.text,
            masked=content.masked,
        )  # fmt: skip
    new_id = released.id if released else random_uuid()
    slot = new_id if activity.response_policy is ResponsePolicy.MANY else NO_SLOT
    return PooledResponse(
        id=new_id, session_id=activity.session_id, activity_id=activity.id, participant_id=participant_id, round=activity.round,
        slot=slot, ts=ts, created_ts=released.created_ts if released else ts, received_us=received_us,
        revision=released.revision + 1 if released else 1, deleted=False, is_spent=False, moderation=moderation, due_us=due_us,
        text=content.text, masked=content.masked,
    )  # fmt: skip


def record_pooled(tx: WriteTx, activity: Activity, changes: Sequence[Change]) -> None:
    """Store `(before, after)` pairs of one activity's pool and emit an event for their authors."""
    new = [after for before, after in changes if before is None]
    pool.add_many(tx, new)
    pool.save_many(tx, [(before, after) for before, after in changes if before is not None])
    rows = [after for _, after in changes]
    next_us = next_release_time(activity, [row for row in rows if not row.deleted], tx.now_us)
    tx.emit(ResponsesPooled(activity.session_id, rows, {} if next_us is None else {activity.id: next_us}))


def withdraw_pooled(tx: WriteTx, activity: Activity, pooled: PooledResponse) -> None:
    """Delete a response that was never released; its author gets a tombstone."""
    ts = tx.head(activity.session_id).next_own_ts(tx.now_us)
    record_pooled(tx, activity, [(pooled, replace(pooled, ts=ts, deleted=True, text=None, masked=None))])


def detach_released(tx: WriteTx, activity: Activity, released: ParticipantResponse, participant_id: int) -> None:
    """Detach a released response from its author, and erase its idempotency key.

    The response stays. A marker in the pool records that its slot is used.
    """
    pool.remove_edits(tx, activity.id, activity.round, response_id=released.id)
    store.detach_author(tx, participant_id, [activity.id], response_id=released.id)
    idempotency.erase_owned(tx, activity.session_id, participant_id, entity=str(released.id))
    tx.head(activity.session_id).add_count("pooled", 1)
    record_pooled(tx, activity, [(None, _used_slot_marker(tx, released, participant_id))])


def _used_slot_marker(tx: WriteTx, released: ParticipantResponse, participant_id: int) -> PooledResponse:
    """Return a marker of the slot of a detached response. It has no text and an id of its own."""
    ts = tx.head(released.session_id).next_own_ts(tx.now_us)
    return PooledResponse(
        id=random_uuid(), session_id=released.session_id, activity_id=released.activity_id, participant_id=participant_id,
        round=released.round, slot=NO_SLOT if released.slot == NO_SLOT else random_uuid(), ts=ts, created_ts=ts, received_us=ts,
        revision=1, deleted=True, is_spent=True, moderation=released.moderation, due_us=None, text=None,
    )  # fmt: skip


def remove_from_pools(tx: WriteTx, event: ParticipantRemoved) -> None:
    """Delete a removed participant's pooled responses, and detach the released ones.

    Responses of a rehearsal keep their author, so that they are deleted with the rehearsal.
    """
    anonymous = anonymous_ids(tx, event.session_id)
    if not anonymous:
        return
    rows = pool.responses_of_participant(tx, event.participant_id)
    if rows:
        pool.remove_participant(tx, event.participant_id)
        tx.head(event.session_id).add_count("pooled", -sum(not row.is_edit and not row.is_spent for row in rows))
    if not event.is_scripted:
        markers = [
            _used_slot_marker(tx, row, event.participant_id)
            for row in store.responses_of_participants(tx, [event.participant_id])
            if row.activity_id in anonymous
        ]
        pool.add_many(tx, markers)
        tx.head(event.session_id).add_count("pooled", len(markers))
        dropped = [row.id for row in rows if not (row.deleted or row.is_spent or row.is_edit)]
        tx.emit(ResponsesPooled(event.session_id, markers, dropped=dropped))
        store.detach_author(tx, event.participant_id, anonymous)
        idempotency.erase_owned(tx, event.session_id, event.participant_id)


def clear_pool(tx: WriteTx, activity: Activity) -> int:
    """Clear the pool of the current round and return the number of deleted responses.

    Their authors get tombstones.
    """
    pool.remove_edits(tx, activity.id, activity.round)
    tx.head(activity.session_id).add_count("pooled", -pool.remove_spent(tx, activity.id, activity.round))
    waiting = pool.waiting_responses(tx, activity)
    if waiting:
        head = tx.head(activity.session_id)
        tombstones = [replace(row, ts=head.next_own_ts(tx.now_us), deleted=True, text=None, masked=None) for row in waiting]
        record_pooled(tx, activity, list(zip(waiting, tombstones, strict=True)))
    return len(waiting)
