"""Release of pooled responses of anonymous rounds into the feed.

A tick releases all responses except those of `min_group` random people. The close of the round
releases the rest. Every batch, the last included, holds responses of at least `min_group` people.
In rounds without a minimum group, each response has a random delay instead.

The system's generator draws the choice and the order. Rows keep only the timestamp of their
release. They leave the pool in the transaction that brings them into the feed, so none is released
twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.activities.commands.counts import save_release_us
from conflicto.activities.lifecycle import is_open
from conflicto.activities.queries import activities_by_id, last_release_us
from conflicto.participants.queries import has_participants, scripted_ids
from conflicto.platform.ids import random_sample
from conflicto.responses import store
from conflicto.responses.commands.record import record_changes
from conflicto.responses.events import ResponsesPooled
from conflicto.responses.model import Moderation, ParticipantResponse, initial_moderation
from conflicto.responses.pool import store as pool
from conflicto.responses.pool.model import MIN_MIXED_ROWS, TICK_PERIOD_US, latest_tick, rows_due_at_tick

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from conflicto.activities.events import RoundClosed
    from conflicto.activities.model import Activity
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.pool.model import PooledResponse

    Change = tuple[ParticipantResponse | None, ParticipantResponse]

NEW, EDIT = False, True
"""Kinds of pooled responses: new ones, and edits of released ones."""


def release_due(tx: WriteTx, activity_id: UUID) -> int | None:
    """Release once the responses of a round's newest tick.

    Returns the time of the next check, µs since 1970 UTC, or None if the pool is empty. A check
    that releases nothing is not counted in metrics, because it would reveal that the pool is not
    empty.
    """
    events = len(tx.events)
    next_us = _release_newest_tick(tx, activity_id)
    tx.private_commands += len(tx.events) == events
    return next_us


def _release_newest_tick(tx: WriteTx, activity_id: UUID) -> int | None:
    activity = activities_by_id(tx, [activity_id]).get(activity_id)
    if activity is None or not activity.is_anonymous_round or not is_open(activity, at_us=tx.effective_now(activity.session_id)):
        return None
    if not activity.min_group:
        due = pool.due_responses(tx, activity, tx.now_us)
        pool.remove_due(tx, activity.id, activity.round, tx.now_us)
        _release(tx, activity, due)
        return pool.next_due(tx, activity.id, activity.round)
    if not pool.has_waiting(tx, activity.id, activity.round):
        return None
    tick = latest_tick(activity, tx.now_us)
    if tick > max(last_release_us(tx, activity), activity.started_ts or 0):
        save_release_us(tx, activity, tick)
        _release(tx, activity, _remove_at_tick(tx, activity))
    return tick + TICK_PERIOD_US


def _remove_at_tick(tx: WriteTx, activity: Activity) -> list[PooledResponse]:
    """Remove from the pool the responses that a tick releases, and return them.

    Texts are read only if there are enough authors.
    """
    people = _authors_by_kind(tx, activity)
    ready = [kind for kind, authors in people.items() if len(authors) >= 2 * activity.min_group]
    waiting = pool.waiting_responses(tx, activity) if ready else []
    removed: list[PooledResponse] = []
    for kind in ready:
        rows = [row for row in waiting if row.is_edit is kind]
        released = rows_due_at_tick(rows, people[kind], activity.min_group)
        staying = {row.participant_id for row in rows} - {row.participant_id for row in released}
        pool.remove_kind(tx, activity.id, activity.round, edits=kind, excluding=staying)
        removed += released
    return removed


def release_remaining(tx: WriteTx, event: RoundClosed) -> None:
    """Release the remaining pooled responses when a round closes.

    A subscriber of `RoundClosed`. New responses of fewer than `min_group` people stay in the pool
    forever: released alone, they would be attributable to those people. A host could force that by
    removing everybody else. Edits of fewer people are mixed with other rows of the round.
    """
    activity = event.activity
    waiting = pool.waiting_responses(tx, activity) if activity.anonymous else []
    if not waiting:
        return
    people = _authors_by_kind(tx, activity)
    edits = [row for row in waiting if row.is_edit]
    released: Sequence[PooledResponse] = edits
    mixed: Sequence[ParticipantResponse] = ()
    if len(people[NEW]) >= activity.min_group:
        pool.remove_kind(tx, activity.id, activity.round, edits=NEW)
        released = waiting
    if edits:
        pool.remove_kind(tx, activity.id, activity.round, edits=EDIT)
        if len(people[EDIT]) < activity.min_group:
            amount = max(activity.min_group, MIN_MIXED_ROWS)
            mixed = store.sample_live(tx, activity.id, activity.round, amount, excluding=[row.id for row in edits])
    _release(tx, activity, released, mixed)


def _authors_by_kind(tx: WriteTx, activity: Activity) -> dict[bool, set[int]]:
    """Return the participants that count towards `min_group`, for new responses and for edits.

    Scripted participants count only in sessions without people. The two kinds count separately: a
    single new response among edits would be attributable to the last author.
    """
    authors = pool.authors_by_kind(tx, activity.id, activity.round)
    scripted = scripted_ids(tx, activity.session_id)
    if not scripted or not has_participants(tx, activity.session_id):
        return authors
    return {kind: participants - scripted for kind, participants in authors.items()}


def _release(tx: WriteTx, activity: Activity, rows: Sequence[PooledResponse], mixed: Sequence[ParticipantResponse] = ()) -> None:
    """Add rows to the feed in random order. Responses in `mixed` get a new revision among them."""
    if not rows:
        return
    earlier = store.find_any_number(tx, [row.id for row in rows if row.is_edit])
    head = tx.head(activity.session_id)
    batch: list[PooledResponse | ParticipantResponse] = [*rows, *mixed]
    order = random_sample(batch, len(batch))
    changes = [
        _released_change(activity, each, earlier, ts)
        for ts, each in zip(head.next_ts_range(tx.now_us, len(order)), order, strict=True)
    ]
    new = sum(before is None for before, _ in changes)
    head.add_count("responses", new)
    head.add_count("pooled", -new)
    record_changes(tx, activity.session_id, changes)
    tx.emit(ResponsesPooled(activity.session_id, [], released=(new, len(rows) - new)))


def _released_change(
    activity: Activity, row: PooledResponse | ParticipantResponse, earlier: dict[UUID, ParticipantResponse], ts: int
) -> Change:
    """Return a row before (None: new) and after its release, without its original times."""
    if isinstance(row, ParticipantResponse):
        return row, replace(row, ts=ts, received_us=ts, revision=row.revision + 1)
    before = earlier.get(row.id)
    is_held = row.moderation is Moderation.PENDING
    moderation = row.moderation if before is None else initial_moderation(activity, before, is_held=is_held)
    after = ParticipantResponse(
        id=row.id, session_id=row.session_id, activity_id=row.activity_id, participant_id=row.participant_id, round=row.round,
        slot=row.slot, ts=ts, created_ts=before.created_ts if before else ts, received_us=ts,
        revision=before.revision + 1 if before else 1, deleted=False, moderation=moderation,
        was_visible=(before is not None and before.was_visible) or moderation is Moderation.VISIBLE, text=row.text, masked=row.masked,
    )  # fmt: skip
    return before, after
