"""Admission of submissions to one activity: its policy, and the limits of what is stored.

Each policy has a class. A class decides about the submissions of one group, in order of arrival.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from conflicto.activities.model import ResponsePolicy
from conflicto.responses import store
from conflicto.responses.errors import AlreadyAnswered
from conflicto.responses.pool import store as pool
from conflicto.sessions.errors import StorageFull
from conflicto.sessions.storage_quota import is_full

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from conflicto.activities.model import Activity
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.platform.problems import DomainError
    from conflicto.responses.capacity import ResponseCapacity
    from conflicto.responses.model import ParticipantResponse
    from conflicto.responses.pool.model import PooledResponse


class Earlier(NamedTuple):
    """Earlier response of a participant in the round, released and pooled."""

    released: ParticipantResponse | None = None
    pooled: PooledResponse | None = None


NOTHING = Earlier()


class ManyResponses:
    """Admission under the policy `many`: every submission is a new response."""

    limits_participant = True

    def __init__(self, tx: WriteTx, activity: Activity, capacity: ResponseCapacity | None) -> None:
        self.activity = activity
        self._head = tx.head(activity.session_id)
        self._capacity = capacity
        self._is_full = is_full(self._head)

    def admit(self, participant_id: int) -> Earlier | DomainError:
        """Count a new row and return the earlier response that it revises, or return an error."""
        return self._admit_new(participant_id) or NOTHING

    def _admit_new(self, participant_id: int) -> DomainError | None:
        if self._is_full:
            return StorageFull()
        counts = self._head.counts
        if self._capacity is not None:
            rejection = self._capacity.reserve(
                self.activity,
                participant_id,
                session_rows=counts["responses"] + counts["pooled"],
                limits_participant=self.limits_participant,
            )
            if rejection is not None:
                return rejection
        self._head.add_count("pooled" if self.activity.anonymous else "responses", 1)
        return None


class OneResponse(ManyResponses):
    """Admission under the policy `one`: a later submission is a new revision.

    `earlier` holds the earlier responses by participant. A released response that its author
    withdrew is final.
    """

    limits_participant = False

    def __init__(self, tx: WriteTx, activity: Activity, capacity: ResponseCapacity | None, earlier: Mapping[int, Earlier]) -> None:
        super().__init__(tx, activity, capacity)
        self._earlier = earlier
        self._is_reserve_full = is_full(self._head, in_reserve=True)

    def admit(self, participant_id: int) -> Earlier | DomainError:
        """Count a new row and return the earlier response that it revises, or return an error."""
        earlier = self._earlier.get(participant_id)
        if earlier is None:
            return self._admit_new(participant_id) or NOTHING
        if self._is_reserve_full:
            return StorageFull()
        return AlreadyAnswered() if self._is_final(earlier) else earlier

    def _is_final(self, earlier: Earlier) -> bool:
        return earlier.pooled is not None and earlier.pooled.is_spent


class FirstResponse(OneResponse):
    """Admission under the policy `first`: a live response is final as well."""

    def _is_final(self, earlier: Earlier) -> bool:
        released, pooled = earlier
        is_live = (released is not None and not released.deleted) or (pooled is not None and not pooled.deleted)
        return is_live or super()._is_final(earlier)


def admissions(
    tx: WriteTx, authors: Sequence[tuple[Activity, Sequence[int]]], capacity: ResponseCapacity | None
) -> dict[int, ManyResponses]:
    """Return the admission to each activity, by the number of its id, for its `authors`."""
    earlier = _find_earlier(tx, authors)
    found: dict[int, ManyResponses] = {}
    for activity, participants in authors:
        if activity.response_policy is ResponsePolicy.MANY:
            if capacity is not None:
                capacity.refresh(tx, activity, participants)
            found[activity.id.int] = ManyResponses(tx, activity, capacity)
        else:
            policy = FirstResponse if activity.response_policy is ResponsePolicy.FIRST else OneResponse
            found[activity.id.int] = policy(tx, activity, capacity, earlier[activity.id])
    return found


def _find_earlier(tx: WriteTx, authors: Sequence[tuple[Activity, Sequence[int]]]) -> dict[UUID, dict[int, Earlier]]:
    """Return the earlier responses to activities with a single one, by activity and participant."""
    named: list[tuple[int, UUID, int]] = []
    anonymous: list[tuple[int, UUID, int]] = []
    for activity, participants in authors:
        if activity.response_policy is not ResponsePolicy.MANY:
            keys = [(each, activity.id, activity.round) for each in participants]
            named += keys
            if activity.anonymous:
                anonymous += keys
    earlier: dict[UUID, dict[int, Earlier]] = defaultdict(dict)
    for (author, activity_id), released in (store.find_single_responses(tx, named) if named else {}).items():
        earlier[activity_id][author] = Earlier(released)
    for (author, activity_id), pooled in (pool.find_by_slots(tx, anonymous) if anonymous else {}).items():
        earlier[activity_id][author] = earlier[activity_id].get(author, NOTHING)._replace(pooled=pooled)
    return earlier
