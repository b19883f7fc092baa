"""Submission of responses: a group in one transaction.

State, deadline, policy, moderation and earlier responses are read after the session's head row is
locked. So no response is stored after an acknowledged close, and none in time is rejected.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from conflicto.activities.lifecycle import is_open
from conflicto.activities.model import ResponsePolicy
from conflicto.activities.queries import activities_by_id
from conflicto.participants.errors import SeatGone
from conflicto.participants.queries import present_ids
from conflicto.platform.ids import ordered_uuids
from conflicto.platform.problems import DomainError, NotFound
from conflicto.responses import store
from conflicto.responses.commands.admission import admissions
from conflicto.responses.commands.pool import pooled_response, record_pooled
from conflicto.responses.commands.record import record_changes_by_session
from conflicto.responses.errors import ActivityNotOpen, ValidationOutdated
from conflicto.responses.model import NO_SLOT, Moderation, ParticipantResponse, ResponseContent, initial_moderation
from conflicto.responses.pool import store as pool
from conflicto.sessions.idempotency import store as idempotency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.activities.model import Activity
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.capacity import ResponseCapacity
    from conflicto.responses.commands.admission import Earlier
    from conflicto.responses.commands.record import Change
    from conflicto.responses.pool.model import PooledResponse
    from conflicto.sessions.idempotency.store import Key

CREATED = 201
REPLACED = 200

_participant_id = attrgetter("participant_id")


class Submission(NamedTuple):
    """A response sent to an activity, with an optional idempotency key.

    `received_us` is the time of receipt, µs since 1970 UTC.
    """

    session_id: int
    activity_id: UUID
    participant_id: int
    content: ResponseContent
    received_us: int
    key: idempotency.Key | None = None


class SubmitResult(NamedTuple):
    """A stored response and its HTTP status: 201 for a new one, 200 for a new revision.

    `is_private`: it belongs to an anonymous activity, so only its author may learn of the request.
    """

    response: ParticipantResponse
    status: int
    is_private: bool = False


Outcome = SubmitResult | DomainError


class _Accepted(NamedTuple):
    """An accepted submission, with its position in the group and the responses that it revises."""

    position: int
    submission: Submission
    activity: Activity
    earlier: Earlier


def submit_many(tx: WriteTx, submissions: Sequence[Submission], *, capacity: ResponseCapacity | None = None) -> list[Outcome]:
    """Store responses in the order of arrival and return one outcome for each.

    Nothing is written for a rejected one. Without `capacity`, rows are not limited. The writer
    ensures that no two of them share a participant and activity, or an idempotency key.

    Outcomes: `SubmitResult`, or one of these errors: NotFound, SeatGone, ActivityNotOpen,
    AlreadyAnswered, AnsweredTooOften, AnswersFull, StorageFull, KeyReused, ValidationOutdated.
    """
    activities = _find_activities(tx, submissions)
    outcomes = _replays_and_refusals(tx, submissions, activities)
    authors: dict[int, list[int]] = defaultdict(list)
    for submission, outcome in zip(submissions, outcomes, strict=True):
        if outcome is None:
            authors[submission.activity_id.int].append(submission.participant_id)
    gates = admissions(tx, [(activities[each], authors[each]) for each in authors], capacity)
    named: list[_Accepted] = []
    anonymous: list[_Accepted] = []
    for position, submission in enumerate(submissions):
        if outcomes[position] is None:
            gate = gates[submission.activity_id.int]
            admitted = gate.admit(submission.participant_id)
            if isinstance(admitted, DomainError):
                outcomes[position] = admitted
            else:
                accepted = anonymous if gate.activity.anonymous else named
                accepted.append(_Accepted(position, submission, gate.activity, admitted))
    results = _store_named(tx, named) if named else []
    if anonymous:
        results += _store_pooled(tx, anonymous)
    for position, result in results:
        outcomes[position] = result
    return [outcome for outcome in outcomes if outcome is not None]


def _find_activities(tx: WriteTx, submissions: Sequence[Submission]) -> dict[int, Activity]:
    """Return the activities by the number of their id.

    Hashing a UUID is a call of its own, and each submission is looked up several times.
    """
    ids: dict[int, UUID] = {}
    for submission in submissions:
        ids[submission.activity_id.int] = submission.activity_id
    found: dict[int, Activity] = {}
    for activity_id, activity in activities_by_id(tx, ids.values()).items():
        found[activity_id.int] = activity
    return found


def _replays_and_refusals(tx: WriteTx, submissions: Sequence[Submission], activities: dict[int, Activity]) -> list[Outcome | None]:
    """Return the outcomes that need no change of the database, and None for all others."""
    replays = _find_replays(tx, submissions, activities)
    present = present_ids(tx, set(map(_participant_id, submissions)))
    outcomes: list[Outcome | None] = []
    for submission in submissions:
        outcome = replays.get(submission.key.id) if submission.key else None
        if outcome is None:
            outcome = _refusal(tx, submission, activities.get(submission.activity_id.int), present)
        outcomes.append(outcome)
    return outcomes


def _find_replays(tx: WriteTx, submissions: Sequence[Submission], activities: dict[int, Activity]) -> dict[bytes, Outcome]:
    """Return the outcomes of submissions that were made before, by the id of their key."""
    keyed = {submission.key.id: submission for submission in submissions if submission.key}
    if not keyed:
        return {}
    replays = idempotency.find_replays(tx, [submission.key for submission in keyed.values()])
    ids = {UUID(found.entity) for found in replays.values() if isinstance(found, idempotency.Replay)}
    rows = store.find_many(tx, ids) if ids else {}
    if ids and any(activity.anonymous for activity in activities.values()):
        rows |= {each.id: each.as_author_reads() for each in pool.find_many(tx, ids).values()}
    outcomes: dict[bytes, Outcome] = {}
    for key_id, found in replays.items():
        activity = activities.get(keyed[key_id].activity_id.int)
        if not isinstance(found, idempotency.Replay):
            outcomes[key_id] = found
        elif activity is None or UUID(found.entity) not in rows:
            outcomes[key_id] = NotFound()
        else:
            outcomes[key_id] = SubmitResult(rows[UUID(found.entity)], found.status, activity.anonymous)
            tx.private_commands += activity.anonymous
    return outcomes


def _refusal(tx: WriteTx, submission: Submission, activity: Activity | None, present: set[int]) -> DomainError | None:
    if activity is None or activity.session_id != submission.session_id or not activity.is_visible:
        return NotFound()
    if submission.participant_id not in present:
        return SeatGone()
    if not is_open(activity, at_us=tx.effective_now(submission.session_id)):
        return ActivityNotOpen()
    if submission.content.revision not in (activity.revision, None):
        return ValidationOutdated(activity)
    return None


def _store_named(tx: WriteTx, accepted: Sequence[_Accepted]) -> list[tuple[int, SubmitResult]]:
    """Store responses and return their results by position."""
    by_session: dict[int, list[_Accepted]] = defaultdict(list)
    for each in accepted:
        by_session[each.activity.session_id].append(each)
    changes_by_session: dict[int, list[Change]] = {}
    results: list[tuple[int, SubmitResult]] = []
    keys: list[tuple[Key | None, int, int, str]] = []
    for session_id, group in by_session.items():
        timestamps = tx.head(session_id).next_ts_range(tx.now_us, len(group))
        ids = ordered_uuids(tx.now_us, len(group))
        changes = changes_by_session[session_id] = []
        for ts, (position, submission, activity, earlier) in zip(timestamps, group, strict=True):
            before = earlier.released
            if before is None:
                after, status = _first_revision(activity, submission, next(ids), ts), CREATED
            else:
                after, status = _next_revision(activity, submission, before, ts), REPLACED
            results.append((position, SubmitResult(after, status)))
            changes.append((before, after))
            if submission.key:
                keys.append((submission.key, session_id, status, str(after.id)))
    record_changes_by_session(tx, changes_by_session)
    if keys:
        idempotency.store_keys(tx, keys)
    return results


def _store_pooled(tx: WriteTx, accepted: Sequence[_Accepted]) -> list[tuple[int, SubmitResult]]:
    """Store responses of anonymous activities in the pool, and return their results by position."""
    changes: dict[UUID, list[tuple[PooledResponse | None, PooledResponse]]] = defaultdict(list)
    results: list[tuple[int, SubmitResult]] = []
    keys = []
    for position, submission, activity, (released, pooled) in accepted:
        after = pooled_response(
            tx, activity, submission.content, participant_id=submission.participant_id, received_us=submission.received_us,
            released=released, pooled=pooled,
        )  # fmt: skip
        status = CREATED if released is None and pooled is None else REPLACED
        results.append((position, SubmitResult(after.as_author_reads(), status, is_private=True)))
        changes[activity.id].append((pooled, after))
        keys.append((submission.key, submission.session_id, status, str(after.id), submission.participant_id))
    tx.private_commands += len(accepted)
    for each in {each.activity.id: each.activity for each in accepted}.values():
        record_pooled(tx, each, changes[each.id])
    idempotency.store_owned_keys(tx, keys)
    return results


def _next_revision(activity: Activity, submission: Submission, before: ParticipantResponse, ts: int) -> ParticipantResponse:
    text, masked, is_held, _ = submission.content
    moderation = initial_moderation(activity, before, is_held=is_held)
    return replace(
        before, ts=ts, received_us=submission.received_us, revision=before.revision + 1, deleted=False, moderation=moderation,
        was_visible=before.was_visible or moderation is Moderation.VISIBLE, text=text, masked=masked,
    )  # fmt: skip


def _first_revision(activity: Activity, submission: Submission, new_id: UUID, ts: int) -> ParticipantResponse:
    text, masked, is_held, _ = submission.content
    moderation = initial_moderation(activity, None, is_held=is_held)
    is_many = activity.response_policy is ResponsePolicy.MANY
    return ParticipantResponse(
        id=new_id, session_id=activity.session_id, activity_id=activity.id, participant_id=submission.participant_id,
        round=activity.round, slot=new_id if is_many else NO_SLOT, ts=ts, created_ts=ts, received_us=submission.received_us,
        revision=1, deleted=False, moderation=moderation, was_visible=moderation is Moderation.VISIBLE, text=text, masked=masked,
    )  # fmt: skip
