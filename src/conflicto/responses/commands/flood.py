"""Removal of a flood of participants, in small transactions between which others commit."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from conflicto.activities.queries import anonymous_ids
from conflicto.participants.commands.seats import remove_many
from conflicto.participants.queries import flooding_seats, removed_of_flood
from conflicto.responses import store
from conflicto.responses.commands.change import delete_responses
from conflicto.sessions.commands import record_transition
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from conflicto.participants.model import FloodFilter
    from conflicto.platform.db.transaction import WriteTx

MAX_STEP_SEATS, MAX_STEP_RESPONSES = 25, 100
"""Bounds of one transaction, so that other commits run in between."""

MAX_IDS = 1_000
"""Maximum participants in one SQL statement."""


class Cleared(NamedTuple):
    """Numbers of removed seats and deleted responses."""

    seats: int
    responses: int


NOTHING_CLEARED = Cleared(0, 0)


def clear_flood(tx: WriteTx, session_id: int, flood: FloodFilter, *, erase_responses: bool) -> Cleared:
    """Remove some participants of a flood, with their responses if `erase_responses` is set.

    Call it until it returns `NOTHING_CLEARED`; it may be interrupted between two calls. A step with
    too many responses deletes responses only, and a later step removes their authors. Without
    participants left, it deletes responses that an earlier removal did not delete.

    Released responses of anonymous activities stay: they are never looked up by author.
    """
    session_by_id(tx, session_id)
    seats = flooding_seats(tx, session_id, flood, limit=MAX_STEP_SEATS)
    if not seats:
        return Cleared(0, _delete_remaining(tx, session_id, flood)) if erase_responses else NOTHING_CLEARED
    responses = []
    if erase_responses:
        anonymous = anonymous_ids(tx, session_id)
        responses = store.some_of_participants(
            tx, [seat.id for seat in seats], limit=MAX_STEP_RESPONSES + 1, excluded_activities=anonymous
        )
    if len(responses) > MAX_STEP_RESPONSES:
        return Cleared(0, delete_responses(tx, session_id, sorted(responses[:MAX_STEP_RESPONSES], key=attrgetter("ts"))))
    delete_responses(tx, session_id, sorted(responses, key=attrgetter("ts")))
    remove_many(tx, session_id, seats)
    return Cleared(len(seats), len(responses))


def _delete_remaining(tx: WriteTx, session_id: int, flood: FloodFilter) -> int:
    removed, anonymous = removed_of_flood(tx, session_id, flood), anonymous_ids(tx, session_id)
    for first in range(0, len(removed), MAX_IDS):
        responses = store.some_of_participants(
            tx, removed[first : first + MAX_IDS], limit=MAX_STEP_RESPONSES, excluded_activities=anonymous
        )
        if responses:
            return delete_responses(tx, session_id, sorted(responses, key=attrgetter("ts")))
    return 0


def record_cleared(tx: WriteTx, session_id: int, seats: int, *, actor: str) -> None:
    """Record in the audit log how many participants a host removed."""
    moved, reason = (None, "flood-removed"), f"{seats} participants"
    record_transition(tx, session_id, actor=actor, entity="session", entity_id=str(session_id), moved=moved, reason=reason)
