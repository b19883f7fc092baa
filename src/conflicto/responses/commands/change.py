"""Commands that edit, moderate and delete existing responses.

Every change is a new revision at the end of the feed.
"""

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
from conflicto.responses.errors import ActivityNotOpen, AlreadyAnswered, ModerationOff, ValidationOutdated
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
    """Replace the author's own response while the activity is open.

    The same text again changes nothing. `received_us` is the time of receipt, µs since 1970 UTC.

    Raises:
        NotFound: the response does not exist, was deleted, or belongs to someone else.
        SeatGone: the author left or was removed before the edit arrived.
        ActivityNotOpen: the activity is closed, or the response belongs to an earlier round.
        AlreadyAnswered: under the policy `first`, a response is final.
        ValidationOutdated: the activity changed after the new text was validated.
        StorageFull: the session stores a tenth more than its limit, and the edit adds bytes.
    """
    own = _find_own(tx, response_id, participant_id)
    activity, response = own.activity, own.as_read
    if response.text == content.text:
        return response
    if activity.response_policy is ResponsePolicy.FIRST:
        raise AlreadyAnswered
    if content.revision not in (activity.revision, None):
        raise ValidationOutdated(activity)
    is_reserve_full = is_full(tx.head(activity.session_id), in_reserve=True)
    if activity.anonymous:
        after = pooled_response(
            tx,
            activity,
            content,
            participant_id=participant_id,
            received_us=received_us,
            released=own.released,
            pooled=own.pooled,
        )
        if is_reserve_full and pool.added_bytes(own.pooled, after) > 0:
            raise StorageFull
        record_pooled(tx, activity, [(own.pooled, after)])
        tx.private_commands += 1
        return after.as_author_reads()
    moderation = initial_moderation(activity, response, is_held=content.is_held)
    edited = replace(
        response, text=content.text, masked=content.masked, received_us=received_us, moderation=moderation,
        was_visible=response.was_visible or moderation is Moderation.VISIBLE,
    )  # fmt: skip
    if is_reserve_full and added_bytes(response, edited) > 0:
        raise StorageFull
    return _record_revision(tx, response, edited)


def withdraw_response(tx: WriteTx, response_id: UUID, *, participant_id: int) -> None:
    """Delete the author's own response while the activity is open.

    A released response of an anonymous activity stays, without its author.

    Raises:
        NotFound, SeatGone, ActivityNotOpen, AlreadyAnswered: as `edit_response` does.
    """
    own = _find_own(tx, response_id, participant_id)
    if own.activity.response_policy is ResponsePolicy.FIRST:
        raise AlreadyAnswered
    if not own.activity.anonymous:
        _record_revision(tx, own.as_read, _tombstone(own.as_read))
        return
    tx.private_commands += 1
    if own.released is not None:
        detach_released(tx, own.activity, own.released, participant_id)
    elif own.pooled is not None:
        withdraw_pooled(tx, own.activity, own.pooled)


def remove_response(tx: WriteTx, response_id: UUID, *, activity_id: UUID) -> None:
    """Delete any response of an activity, as its host.

    Raises:
        NotFound: the response does not exist, was deleted, or belongs to another activity.
        SessionCompleted: the session is over.
    """
    response = response_by_id(tx, response_id, activity_id=activity_id)
    require_open(session_by_id(tx, response.session_id))
    if activity_by_id(tx, activity_id).anonymous:
        pool.remove_edits(tx, activity_id, response.round, response_id=response_id)
    _record_revision(tx, response, _tombstone(response))


def moderate_response(tx: WriteTx, response_id: UUID, moderation: Moderation, *, activity_id: UUID) -> ParticipantResponse:
    """Show, hold or hide a response. The new revision brings the change to every screen.

    Raises:
        NotFound: the response does not exist, was deleted, or belongs to another activity.
        SessionCompleted: the session is over.
        ModerationOff: the activity is not moderated, and the word filter does not hold responses.
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
    was_visible = response.was_visible or moderation is Moderation.VISIBLE
    return _record_revision(tx, response, replace(response, moderation=moderation, was_visible=was_visible))


def focus_response(tx: WriteTx, activity_id: UUID, response_id: UUID | None) -> Activity:
    """Enlarge one response of the current round on the screen; None ends that.

    Raises:
        NotFound: the round has no visible response with this id.
        SessionCompleted: the session is over.
    """
    if response_id is not None:
        response = response_by_id(tx, response_id, activity_id=activity_id)
        if response.moderation is not Moderation.VISIBLE or response.round != activity_by_id(tx, activity_id).round:
            raise NotFound
    return set_focus(tx, activity_id, response_id)


def reset_round(tx: WriteTx, activity_id: UUID, *, session_id: int) -> int:
    """Delete all responses of the current round, pooled ones included, and return their number."""
    activity = activity_by_id(tx, activity_id, session_id=session_id)
    require_open(session_by_id(tx, session_id))
    pooled = clear_pool(tx, activity) if activity.anonymous else 0
    return pooled + delete_responses(tx, session_id, store.live_rows(tx, activity_id=activity_id, round_number=activity.round))


def erase_responses(tx: WriteTx, event: ParticipantRemoved) -> None:
    """Delete the responses of a removed participant, if requested.

    A subscriber of `ParticipantRemoved`. Responses to anonymous activities are deleted before their
    release only. Released ones lose their author.
    """
    remove_from_pools(tx, event)
    if event.erase_responses:
        delete_responses(tx, event.session_id, store.live_rows(tx, participant_id=event.participant_id))


class _OwnResponse(NamedTuple):
    """A participant's own response as its author reads it, as pooled, and as released."""

    activity: Activity
    as_read: ParticipantResponse
    pooled: PooledResponse | None
    released: ParticipantResponse | None


def _find_own(tx: WriteTx, response_id: UUID, participant_id: int) -> _OwnResponse:
    pooled, released = pool.find_many(tx, [response_id]).get(response_id), store.find_many(tx, [response_id]).get(response_id)
    pooled = None if pooled is None or pooled.deleted else pooled
    released = None if released is None or released.deleted else released
    response = pooled.as_author_reads() if pooled else released
    if response is None or response.participant_id != participant_id:
        raise NotFound
    if participant_id not in present_ids(tx, [participant_id]):
        raise SeatGone
    activity = activity_by_id(tx, response.activity_id)
    if response.round != activity.round or not is_open(activity, at_us=tx.effective_now(activity.session_id)):
        raise ActivityNotOpen
    return _OwnResponse(activity, response, pooled, released)


def _record_revision(tx: WriteTx, before: ParticipantResponse, after: ParticipantResponse) -> ParticipantResponse:
    revision = replace(after, ts=tx.next_ts(before.session_id, control=False), revision=before.revision + 1)
    record_changes(tx, before.session_id, [(before, revision)])
    return revision


def delete_responses(tx: WriteTx, session_id: int, live: Sequence[ParticipantResponse]) -> int:
    """Delete live responses of a session, given in feed order, and return their number."""
    if live:
        timestamps = tx.head(session_id).next_ts_range(tx.now_us, len(live))
        changes = [
            (before, replace(_tombstone(before), ts=ts, revision=before.revision + 1))
            for ts, before in zip(timestamps, live, strict=True)
        ]
        record_changes(tx, session_id, changes)
    return len(live)


def _tombstone(response: ParticipantResponse) -> ParticipantResponse:
    return replace(response, deleted=True, text=None, masked=None)
