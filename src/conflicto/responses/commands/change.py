"""Edit, moderate and remove responses that exist. Every change is a new revision at the end of the feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from conflicto.activities.commands.run import set_focus
from conflicto.activities.lifecycle import is_open
from conflicto.activities.model import Activity, ModerationPolicy, ResponsePolicy
from conflicto.activities.queries import activity_by_id
from conflicto.participants.errors import SeatGone
from conflicto.participants.queries import present_ids
from conflicto.platform.problems import NotFound
from conflicto.responses import store
from conflicto.responses.commands.pool import (
    clear_pool,
    detach_released,
    pooled_response,
    record_pooled,
    remove_from_pools,
    withdraw_pooled,
)
from conflicto.responses.commands.record import added_bytes, record_changes
from conflicto.responses.errors import ActivityNotOpen, AlreadyAnswered, ModerationOff
from conflicto.responses.model import Moderation, ParticipantResponse, ResponseContent, initial_moderation
from conflicto.responses.pool import store as pool
from conflicto.responses.queries import response_by_id
from conflicto.sessions.errors import StorageFull
from conflicto.sessions.model import require_open
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.storage_quota import is_full
from conflicto.sessions.word_filter import FilterMode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from conflicto.participants.events import ParticipantRemoved
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.pool.model import PooledResponse


def edit_response(
    tx: WriteTx, response_id: UUID, *, participant_id: int, content: ResponseContent, received_us: int
) -> ParticipantResponse:
    """Replace the author's own answer while the activity takes answers; the same text again changes nothing.

    Raises:
        NotFound: there is none, it was deleted, or it is someone else's.
        SeatGone: its author left, or was removed, while the change was on its way.
        ActivityNotOpen: answers are not taken now.
        AlreadyAnswered: with the policy `first`, the first answer of a round stands.
        StorageFull: the session stores a tenth more than it may, and the edit needs more bytes.
    """
    own = _find_own(tx, response_id, participant_id)
    activity, response = own.activity, own.seen
    if response.text == content.text:
        return response
    if activity.response_policy is ResponsePolicy.FIRST:
        raise AlreadyAnswered
    is_crammed = is_full(tx.head(activity.session_id), in_reserve=True)
    if activity.anonymous:
        after = pooled_response(
            tx,
            activity,
            content,
            participant_id=participant_id,
            received_us=received_us,
            released=own.released,
            waiting=own.waiting,
        )
        if is_crammed and pool.added_bytes(own.waiting, after) > 0:
            raise StorageFull
        record_pooled(tx, activity, [(own.waiting, after)])
        tx.private_commands += 1
        return after.as_author_reads()
    moderation = initial_moderation(activity, response, is_held=content.is_held)
    edited = replace(
        response, text=content.text, masked=content.masked, received_us=received_us, moderation=moderation,
        was_visible=response.was_visible or moderation is Moderation.VISIBLE,
    )  # fmt: skip
    if is_crammed and added_bytes(response, edited) > 0:
        raise StorageFull
    return _record_revision(tx, response, edited)


def withdraw_response(tx: WriteTx, response_id: UUID, *, participant_id: int) -> None:
    """Delete the author's own answer while the activity takes answers; raises as `edit_response` does.

    A released response of an anonymous activity stays, without its author.
    """
    own = _find_own(tx, response_id, participant_id)
    if own.activity.response_policy is ResponsePolicy.FIRST:
        raise AlreadyAnswered
    if not own.activity.anonymous:
        _record_revision(tx, own.seen, _tombstone(own.seen))
        return
    tx.private_commands += 1
    if own.released is not None:
        detach_released(tx, own.activity, own.released, participant_id)
    elif own.waiting is not None:
        withdraw_pooled(tx, own.activity, own.waiting)


def remove_response(tx: WriteTx, response_id: UUID, *, activity_id: UUID) -> None:
    """Delete any answer of an activity, as its host."""
    response = response_by_id(tx, response_id, activity_id=activity_id)
    require_open(session_by_id(tx, response.session_id))
    if activity_by_id(tx, activity_id).anonymous:
        pool.remove_edits(tx, activity_id, response.round, response_id=response_id)
    _record_revision(tx, response, _tombstone(response))


def moderate_response(tx: WriteTx, response_id: UUID, moderation: Moderation, *, activity_id: UUID) -> ParticipantResponse:
    """Show, hold or hide an answer; the row moves to the end of the feed so that every screen learns of it.

    Raises:
        ModerationOff: the activity is not moderated, and its session's word filter holds nothing back.
    """
    activity = activity_by_id(tx, activity_id)
    response = response_by_id(tx, response_id, activity_id=activity_id)
    session = session_by_id(tx, response.session_id)
    require_open(session)
    is_held = response.moderation is not Moderation.VISIBLE or session.word_filter.mode is FilterMode.HOLD
    if activity.moderation is ModerationPolicy.OFF and not is_held:
        raise ModerationOff
    if response.moderation is moderation:
        return response
    visible = response.was_visible or moderation is Moderation.VISIBLE
    return _record_revision(tx, response, replace(response, moderation=moderation, was_visible=visible))


def focus_response(tx: WriteTx, activity_id: UUID, response_id: UUID | None) -> Activity:
    """Show one response of the present round large on the screen, or none.

    Raises:
        NotFound: there is no such answer that others may see.
        SessionCompleted: the session is over.
    """
    if response_id is not None:
        response = response_by_id(tx, response_id, activity_id=activity_id)
        if response.moderation is not Moderation.VISIBLE or response.round != activity_by_id(tx, activity_id).round:
            raise NotFound
    return set_focus(tx, activity_id, response_id)


def reset_round(tx: WriteTx, activity_id: UUID, *, session_id: int) -> int:
    """Delete all responses of the present round and return their number."""
    activity = activity_by_id(tx, activity_id, session_id=session_id)
    require_open(session_by_id(tx, session_id))
    waiting = clear_pool(tx, activity) if activity.anonymous else 0
    return waiting + delete_responses(tx, session_id, store.live_rows(tx, activity_id=activity_id, nth=activity.round))


def erase_responses(tx: WriteTx, event: ParticipantRemoved) -> None:
    """Delete the responses of a removed participant, if requested: a subscriber of `ParticipantRemoved`.

    Responses to anonymous activities are deleted before their release only; released ones lose
    their author.
    """
    remove_from_pools(tx, event)
    if event.erase_responses:
        delete_responses(tx, event.session_id, store.live_rows(tx, participant_id=event.participant_id))


class _OwnResponse(NamedTuple):
    """A participant's own response: as its author reads it, as pooled, and as released."""

    activity: Activity
    seen: ParticipantResponse
    waiting: PooledResponse | None
    released: ParticipantResponse | None


def _find_own(tx: WriteTx, response_id: UUID, participant_id: int) -> _OwnResponse:
    waiting, released = pool.find_many(tx, [response_id]).get(response_id), store.find_many(tx, [response_id]).get(response_id)
    waiting = None if waiting is None or waiting.deleted else waiting
    released = None if released is None or released.deleted else released
    seen = waiting.as_author_reads() if waiting else released
    if seen is None or seen.participant_id != participant_id:
        raise NotFound
    if participant_id not in present_ids(tx, [participant_id]):
        raise SeatGone
    activity = activity_by_id(tx, seen.activity_id)
    if seen.round != activity.round or not is_open(activity, at_us=tx.effective_now(activity.session_id)):
        raise ActivityNotOpen
    return _OwnResponse(activity, seen, waiting, released)


def _record_revision(tx: WriteTx, before: ParticipantResponse, after: ParticipantResponse) -> ParticipantResponse:
    stamped = replace(after, ts=tx.next_ts(before.session_id, control=False), revision=before.revision + 1)
    record_changes(tx, before.session_id, [(before, stamped)])
    return stamped


def delete_responses(tx: WriteTx, session_id: int, live: Sequence[ParticipantResponse]) -> int:
    """Delete live responses of a session, given in feed order, and return their number."""
    if live:
        stamps = tx.head(session_id).next_ts_range(tx.now_us, len(live))
        changes = [
            (before, replace(_tombstone(before), ts=ts, revision=before.revision + 1))
            for ts, before in zip(stamps, live, strict=True)
        ]
        record_changes(tx, session_id, changes)
    return len(live)


def _tombstone(response: ParticipantResponse) -> ParticipantResponse:
    return replace(response, deleted=True, text=None, masked=None)
