"""Queries of joining: the places that are reserved for people who left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.model import ActivityStatus
from conflicto.activities.queries import activities_in_order
from conflicto.joining.model import NO_RESERVED_PLACES, ReservedPlaces
from conflicto.participants.queries import left_seats
from conflicto.responses.queries import participants_with_response

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx

MAX_LEAVERS_READ = 5_000
"""People who left during open rounds and are checked one by one; beyond it, all places count as
taken.
"""


def reserved_places(tx: ReadTx, session_id: int) -> ReservedPlaces:
    """Return the places of a session that are reserved for people who left.

    A place is reserved until the open rounds with a response of that person are over. People who
    left during an open anonymous round keep theirs until it is over, with or without a response.
    """
    rounds = [each for each in activities_in_order(tx, session_id) if each.status is ActivityStatus.ACTIVE]
    began_ts = min((each.started_ts or 0 for each in rounds), default=None)
    left = {} if began_ts is None else left_seats(tx, session_id, began_ts, limit=MAX_LEAVERS_READ + 1)
    if not left:
        return NO_RESERVED_PLACES
    if len(left) > MAX_LEAVERS_READ:
        return ReservedPlaces(is_full=True)
    counted = {
        participant_id
        for each in rounds
        if not each.anonymous
        for participant_id in participants_with_response(tx, each.id, each.round, left)
    }
    anonymous_ts = min((each.started_ts or 0 for each in rounds if each.anonymous), default=None)
    uncounted = {participant_id for participant_id, left_ts in left.items() if anonymous_ts is not None and left_ts > anonymous_ts}
    return ReservedPlaces(frozenset(counted), frozenset(uncounted))
