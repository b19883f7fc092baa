"""Take answers: a whole group of phones in one transaction.

State, deadline, policy, moderation and earlier answers are read after the session's head row is locked, so no answer slips in after a
close that was acknowledged before, and none is refused that came in time.
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
from conflicto.responses.commands.keep import keep_all
from conflicto.responses.errors import ActivityNotOpen, AlreadyAnswered
from conflicto.responses.model import NO_SLOT, Moderation, Response, Written, moderation_of
from conflicto.sessions import idempotency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.transaction import WriteTx
    from conflicto.responses.capacity import Capacity
    from conflicto.responses.commands.keep import Change
    from conflicto.sessions.idempotency import Key

CREATED = 201
REPLACED = 200


@dataclass(frozen=True, slots=True)
class Submission:
    """What a participant sends to an activity, and a key if they want to be able to repeat themselves."""

    session_id: int
    activity_id: UUID
    participant_id: int
    written: Written
    received_us: int
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored response and the status that its sender hears: 201 for a new one, 200 for a further revision."""

    response: Response
    status: int


class _Accepted(NamedTuple):
    """A submission that will be stored, by its place among those that came, and the row that it revises, if any."""

    place: int
    activity: Activity
    before: Response | None


def submit_many(tx: WriteTx, submissions: Sequence[Submission], *, capacity: Capacity | None = None) -> list[Receipt | DomainError]:
    """Store answers in the order of arrival and return one outcome for each; nothing is written for a refused one. No `capacity`: no caps.

    The caller (the writer) sees to it that no two of them share a participant and activity, or an idempotency key.

    Outcomes: `Receipt`, or NotFound, SeatGone, ActivityNotOpen, AlreadyAnswered, AnsweredTooOften, AnswersFull, KeyReused.
    """
    activities = activities_by_id(tx, {submission.activity_id for submission in submissions})
    outcomes = _replayed(tx, submissions, activities)
    present = present_ids(tx, {submission.participant_id for submission in submissions})
    by_activity: dict[UUID, list[tuple[int, Submission]]] = defaultdict(list)
    for place, submission in enumerate(submissions):
        if place not in outcomes:
            activity = activities.get(submission.activity_id)
            refusal = _refusal(tx, submission, activity, present)
            if refusal:
                outcomes[place] = refusal
            else:
                by_activity[submission.activity_id].append((place, submission))
    earlier = _earlier(tx, activities, by_activity)
    accepted: list[_Accepted] = []
    for activity_id, group in by_activity.items():
        accepted += _answered(tx, activities[activity_id], group, earlier, capacity, outcomes)
    _store(tx, sorted(accepted, key=itemgetter(0)), submissions, outcomes)
    return [outcomes[place] for place in range(len(submissions))]


def _replayed(tx: WriteTx, submissions: Sequence[Submission], activities: dict[UUID, Activity]) -> dict[int, Receipt | DomainError]:
    known = idempotency.replays(tx, [submission.key for submission in submissions])
    earlier = {place: known[each.key.id] for place, each in enumerate(submissions) if each.key and each.key.id in known}
    ids = {UUID(found.entity) for found in earlier.values() if isinstance(found, idempotency.Replay)}
    rows = store.find_many(tx, ids) if ids else {}
    outcomes: dict[int, Receipt | DomainError] = {}
    for place, found in earlier.items():
        activity = activities.get(submissions[place].activity_id)
        if not isinstance(found, idempotency.Replay):
            outcomes[place] = found
        elif activity is None or UUID(found.entity) not in rows:
            outcomes[place] = NotFound()
        else:
            outcomes[place] = Receipt(rows[UUID(found.entity)], found.status)
    return outcomes


def _refusal(tx: WriteTx, submission: Submission, activity: Activity | None, present: set[int]) -> DomainError | None:
    if activity is None or activity.session_id != submission.session_id or not activity.is_visible:
        return NotFound()
    if submission.participant_id not in present:
        return SeatGone()
    if not is_open(activity, at_us=tx.passed(submission.session_id)):
        return ActivityNotOpen()
    return None


def _earlier(
    tx: WriteTx, activities: dict[UUID, Activity], by_activity: dict[UUID, list[tuple[int, Submission]]]
) -> dict[tuple[int, UUID], Response]:
    """Return what the senders answered before, by participant and activity, where they may have one answer."""
    wanted = [
        (submission.participant_id, activity_id, activities[activity_id].round)
        for activity_id, group in by_activity.items()
        if activities[activity_id].response_policy is not ResponsePolicy.MANY
        for _, submission in group
    ]
    return store.of_participants(tx, wanted) if wanted else {}


def _answered(
    tx: WriteTx,
    activity: Activity,
    group: list[tuple[int, Submission]],
    earlier: dict[tuple[int, UUID], Response],
    capacity: Capacity | None,
    outcomes: dict[int, Receipt | DomainError],
) -> list[_Accepted]:
    """Decide by the policy which submissions are stored and count new rows; timestamps are drawn later, in the order of arrival."""
    many = activity.response_policy is ResponsePolicy.MANY
    if many and capacity:
        capacity.count(tx, activity, [submission.participant_id for _, submission in group])
    head = tx.head(activity.session_id)
    accepted: list[_Accepted] = []
    for place, submission in group:
        before = earlier.get((submission.participant_id, activity.id))
        refusal = None
        if before is None and capacity:
            refusal = capacity.refusal(activity, submission.participant_id, of_session=head.counts["responses"], many=many)
        elif before and not before.deleted and activity.response_policy is ResponsePolicy.FIRST:
            refusal = AlreadyAnswered()
        if refusal:
            outcomes[place] = refusal
        else:
            accepted.append(_Accepted(place, activity, before))
            head.count("responses", before is None)
    return accepted


def _revision(activity: Activity, submission: Submission, before: Response, ts: int) -> Response:
    text, masked, held = submission.written
    moderation = moderation_of(activity, before, held=held)
    return replace(
        before, ts=ts, received_us=submission.received_us, revision=before.revision + 1, deleted=False, moderation=moderation,
        was_visible=before.was_visible or moderation is Moderation.VISIBLE, text=text, masked=masked,
    )  # fmt: skip


def _new(activity: Activity, submission: Submission, new_id: UUID, ts: int) -> Response:
    text, masked, held = submission.written
    moderation = moderation_of(activity, None, held=held)
    many = activity.response_policy is ResponsePolicy.MANY
    return Response(
        id=new_id, session_id=activity.session_id, activity_id=activity.id, participant_id=submission.participant_id,
        round=activity.round, slot=new_id if many else NO_SLOT, ts=ts, created_ts=ts, received_us=submission.received_us,
        revision=1, deleted=False, moderation=moderation, was_visible=moderation is Moderation.VISIBLE, text=text, masked=masked,
    )  # fmt: skip


def _store(
    tx: WriteTx, accepted: list[_Accepted], submissions: Sequence[Submission], outcomes: dict[int, Receipt | DomainError]
) -> None:
    by_session: dict[int, list[_Accepted]] = defaultdict(list)
    for each in accepted:
        by_session[each.activity.session_id].append(each)
    kept: dict[int, list[Change]] = {}
    for session_id, group in by_session.items():
        stamps = tx.head(session_id).stamps(tx.now_us, len(group))
        ids = ordered_uuids(tx.now_us, len(group))
        changes: list[Change] = []
        for ts, (place, activity, before) in zip(stamps, group, strict=True):
            if before is None:
                after, status = _new(activity, submissions[place], next(ids), ts), CREATED
            else:
                after, status = _revision(activity, submissions[place], before, ts), REPLACED
            outcomes[place] = Receipt(after, status)
            changes.append((before, after))
        kept[session_id] = changes
    if kept:
        keep_all(tx, kept)
    receipts = ((place, outcomes[place]) for place, _, _ in accepted if submissions[place].key)
    idempotency.remember(
        tx,
        [
            (submissions[place].key, submissions[place].session_id, receipt.status, str(receipt.response.id))
            for place, receipt in receipts
            if isinstance(receipt, Receipt)
        ],
    )
