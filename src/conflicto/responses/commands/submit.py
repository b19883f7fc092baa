"""Submission of responses: a group in one transaction.

State, deadline, policy, moderation and earlier responses are read after the session's head row is
locked. So no response is stored after an acknowledged close, and none in time is rejected.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from conflicto.activities.lifecycle import is_open
from conflicto.activities.model import Activity, ResponsePolicy
from conflicto.activities.queries import activities_by_id
from conflicto.participants.errors import SeatGone
from conflicto.participants.queries import present_ids
from conflicto.platform.ids import ordered_uuids
from conflicto.platform.problems import DomainError, NotFound
from conflicto.responses import store
from conflicto.responses.commands.pool import pooled_response, record_pooled
from conflicto.responses.commands.record import record_changes_by_session
from conflicto.responses.errors import ActivityNotOpen, AlreadyAnswered
from conflicto.responses.model import NO_SLOT, Moderation, ParticipantResponse, ResponseContent, initial_moderation
from conflicto.responses.pool import store as pool
from conflicto.sessions.errors import StorageFull
from conflicto.sessions.idempotency import store as idempotency
from conflicto.sessions.storage_quota import is_full

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.capacity import ResponseCapacity
    from conflicto.responses.commands.record import Change
    from conflicto.responses.pool.model import PooledResponse
    from conflicto.sessions.idempotency.store import Key

CREATED = 201
REPLACED = 200


@dataclass(frozen=True, slots=True)
class Submission:
    """A response sent to an activity, with an optional idempotency key.

    `received_us` is the time of receipt, µs since 1970 UTC.
    """

    session_id: int
    activity_id: UUID
    participant_id: int
    content: ResponseContent
    received_us: int
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """A stored response and its HTTP status: 201 for a new one, 200 for a new revision.

    `is_private`: it belongs to an anonymous activity, so only its author may learn of the request.
    """

    response: ParticipantResponse
    status: int
    is_private: bool = False


class _Accepted(NamedTuple):
    """An accepted submission, with its position in the group and the rows that it revises."""

    position: int
    activity: Activity
    before: ParticipantResponse | None
    pooled: PooledResponse | None


class _EarlierResponses(NamedTuple):
    """Earlier responses of the authors, released and pooled, by participant and activity."""

    released: dict[tuple[int, UUID], ParticipantResponse]
    pooled: dict[tuple[int, UUID], PooledResponse]


def submit_many(
    tx: WriteTx, submissions: Sequence[Submission], *, capacity: ResponseCapacity | None = None
) -> list[SubmitResult | DomainError]:
    """Store responses in the order of arrival and return one outcome for each.

    Nothing is written for a rejected one. Without `capacity`, rows are not limited. The writer
    ensures that no two of them share a participant and activity, or an idempotency key.

    Outcomes: `SubmitResult`, or one of these errors: NotFound, SeatGone, ActivityNotOpen,
    AlreadyAnswered, AnsweredTooOften, AnswersFull, StorageFull, KeyReused.
    """
    activities = activities_by_id(tx, {submission.activity_id for submission in submissions})
    outcomes = _replayed_results(tx, submissions, activities)
    present = present_ids(tx, {submission.participant_id for submission in submissions})
    by_activity: dict[UUID, list[tuple[int, Submission]]] = defaultdict(list)
    for position, submission in enumerate(submissions):
        if position not in outcomes:
            activity = activities.get(submission.activity_id)
            rejection = _rejection(tx, submission, activity, present)
            if rejection:
                outcomes[position] = rejection
            else:
                by_activity[submission.activity_id].append((position, submission))
    earlier = _find_earlier(tx, activities, by_activity)
    accepted: list[_Accepted] = []
    for activity_id, group in by_activity.items():
        accepted += _apply_policy(tx, activities[activity_id], group, earlier, capacity, outcomes)
    _store_accepted(tx, sorted(accepted, key=itemgetter(0)), submissions, outcomes)
    return [outcomes[position] for position in range(len(submissions))]


def _replayed_results(
    tx: WriteTx, submissions: Sequence[Submission], activities: dict[UUID, Activity]
) -> dict[int, SubmitResult | DomainError]:
    replays = idempotency.find_replays(tx, [submission.key for submission in submissions])
    earlier = {position: replays[each.key.id] for position, each in enumerate(submissions) if each.key and each.key.id in replays}
    ids = {UUID(found.entity) for found in earlier.values() if isinstance(found, idempotency.Replay)}
    rows = store.find_many(tx, ids) if ids else {}
    if ids and any(activity.anonymous for activity in activities.values()):
        rows |= {each.id: each.as_author_reads() for each in pool.find_many(tx, ids).values()}
    outcomes: dict[int, SubmitResult | DomainError] = {}
    for position, found in earlier.items():
        activity = activities.get(submissions[position].activity_id)
        if not isinstance(found, idempotency.Replay):
            outcomes[position] = found
        elif activity is None or UUID(found.entity) not in rows:
            outcomes[position] = NotFound()
        else:
            outcomes[position] = SubmitResult(rows[UUID(found.entity)], found.status, activity.anonymous)
            tx.private_commands += activity.anonymous
    return outcomes


def _rejection(tx: WriteTx, submission: Submission, activity: Activity | None, present: set[int]) -> DomainError | None:
    if activity is None or activity.session_id != submission.session_id or not activity.is_visible:
        return NotFound()
    if submission.participant_id not in present:
        return SeatGone()
    if not is_open(activity, at_us=tx.effective_now(submission.session_id)):
        return ActivityNotOpen()
    return None


def _find_earlier(
    tx: WriteTx, activities: dict[UUID, Activity], by_activity: dict[UUID, list[tuple[int, Submission]]]
) -> _EarlierResponses:
    keys = [
        (submission.participant_id, activity_id, activities[activity_id].round)
        for activity_id, group in by_activity.items()
        if activities[activity_id].response_policy is not ResponsePolicy.MANY
        for _, submission in group
    ]
    anonymous_keys = [each for each in keys if activities[each[1]].anonymous]
    return _EarlierResponses(
        store.find_single_responses(tx, keys) if keys else {},
        pool.find_by_slots(tx, anonymous_keys) if anonymous_keys else {},
    )


def _apply_policy(
    tx: WriteTx,
    activity: Activity,
    group: list[tuple[int, Submission]],
    earlier: _EarlierResponses,
    capacity: ResponseCapacity | None,
    outcomes: dict[int, SubmitResult | DomainError],
) -> list[_Accepted]:
    """Return the submissions to one activity that its policy and the limits accept.

    Counts new rows in the head, and adds the error of each rejected submission to `outcomes`. The
    caller draws timestamps in the order of arrival.
    """
    is_many = activity.response_policy is ResponsePolicy.MANY
    if is_many and capacity:
        capacity.refresh(tx, activity, [submission.participant_id for _, submission in group])
    head = tx.head(activity.session_id)
    is_storage_full, is_reserve_full = is_full(head), is_full(head, in_reserve=True)
    accepted: list[_Accepted] = []
    for position, submission in group:
        key = submission.participant_id, activity.id
        before, pooled = earlier.released.get(key), earlier.pooled.get(key)
        is_new = before is None and pooled is None
        rejection: DomainError | None = None
        if is_storage_full if is_new else is_reserve_full:
            rejection = StorageFull()
        elif is_new and capacity:
            stored = head.counts["responses"] + head.counts["pooled"]
            rejection = capacity.reserve(activity, submission.participant_id, session_rows=stored, limits_participant=is_many)
        elif _is_final(activity, before, pooled):
            rejection = AlreadyAnswered()
        if rejection:
            outcomes[position] = rejection
        else:
            accepted.append(_Accepted(position, activity, before, pooled))
            head.add_count("pooled" if activity.anonymous else "responses", is_new)
    return accepted


def _is_final(activity: Activity, before: ParticipantResponse | None, pooled: PooledResponse | None) -> bool:
    """Return whether an earlier response forbids a new one.

    It does under the policy `first`, and after its author withdrew it once it was released.
    """
    if pooled is not None and pooled.is_spent:
        return True
    is_live = (before is not None and not before.deleted) or (pooled is not None and not pooled.deleted)
    return is_live and activity.response_policy is ResponsePolicy.FIRST


def _next_revision(activity: Activity, submission: Submission, before: ParticipantResponse, ts: int) -> ParticipantResponse:
    text, masked, is_held = submission.content
    moderation = initial_moderation(activity, before, is_held=is_held)
    return replace(
        before, ts=ts, received_us=submission.received_us, revision=before.revision + 1, deleted=False, moderation=moderation,
        was_visible=before.was_visible or moderation is Moderation.VISIBLE, text=text, masked=masked,
    )  # fmt: skip


def _first_revision(activity: Activity, submission: Submission, new_id: UUID, ts: int) -> ParticipantResponse:
    text, masked, is_held = submission.content
    moderation = initial_moderation(activity, None, is_held=is_held)
    is_many = activity.response_policy is ResponsePolicy.MANY
    return ParticipantResponse(
        id=new_id, session_id=activity.session_id, activity_id=activity.id, participant_id=submission.participant_id,
        round=activity.round, slot=new_id if is_many else NO_SLOT, ts=ts, created_ts=ts, received_us=submission.received_us,
        revision=1, deleted=False, moderation=moderation, was_visible=moderation is Moderation.VISIBLE, text=text, masked=masked,
    )  # fmt: skip


def _store_accepted(
    tx: WriteTx, accepted: list[_Accepted], submissions: Sequence[Submission], outcomes: dict[int, SubmitResult | DomainError]
) -> None:
    named = [each for each in accepted if not each.activity.anonymous]
    by_session: dict[int, list[_Accepted]] = defaultdict(list)
    for each in named:
        by_session[each.activity.session_id].append(each)
    changes_by_session: dict[int, list[Change]] = {}
    for session_id, group in by_session.items():
        timestamps = tx.head(session_id).next_ts_range(tx.now_us, len(group))
        ids = ordered_uuids(tx.now_us, len(group))
        changes: list[Change] = []
        for ts, (position, activity, before, _) in zip(timestamps, group, strict=True):
            if before is None:
                after, status = _first_revision(activity, submissions[position], next(ids), ts), CREATED
            else:
                after, status = _next_revision(activity, submissions[position], before, ts), REPLACED
            outcomes[position] = SubmitResult(after, status)
            changes.append((before, after))
        changes_by_session[session_id] = changes
    if changes_by_session:
        record_changes_by_session(tx, changes_by_session)
    if len(named) < len(accepted):
        _store_pooled(tx, [each for each in accepted if each.activity.anonymous], submissions, outcomes)
    results = ((position, outcomes[position]) for position, *_ in named if submissions[position].key)
    idempotency.store_keys(
        tx,
        [
            (submissions[position].key, submissions[position].session_id, result.status, str(result.response.id))
            for position, result in results
            if isinstance(result, SubmitResult)
        ],
    )


def _store_pooled(
    tx: WriteTx, accepted: list[_Accepted], submissions: Sequence[Submission], outcomes: dict[int, SubmitResult | DomainError]
) -> None:
    """Store responses of anonymous activities in the pool."""
    changes: dict[UUID, list[tuple[PooledResponse | None, PooledResponse]]] = defaultdict(list)
    keys = []
    for position, activity, before, pooled in accepted:
        submission = submissions[position]
        after = pooled_response(
            tx, activity, submission.content, participant_id=submission.participant_id, received_us=submission.received_us,
            released=before, pooled=pooled,
        )  # fmt: skip
        status = CREATED if before is None and pooled is None else REPLACED
        outcomes[position] = SubmitResult(after.as_author_reads(), status, is_private=True)
        changes[activity.id].append((pooled, after))
        keys.append((submission.key, submission.session_id, status, str(after.id), submission.participant_id))
    tx.private_commands += len(accepted)
    for each in {each.activity.id: each.activity for each in accepted}.values():
        record_pooled(tx, each, changes[each.id])
    idempotency.store_owned_keys(tx, keys)
