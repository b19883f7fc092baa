"""Removal of a flood of participants, in small transactions, so that other commits do not wait."""

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
"""Participants in one statement."""


class Cleared(NamedTuple):
    """Numbers of removed seats and deleted responses."""

    seats: int
    responses: int


NOTHING_CLEARED = Cleared(0, 0)


def clear_flood(tx: WriteTx, session_id: int, flood: FloodFilter, *, erase_responses: bool) -> Cleared:
    """Remove some of a flood as a host removes one; those whose answers are to go leave with the last of them.

    Answers to anonymous activities are never found by their author: what was released of them stays.

    When nobody of it is here any more, answers go that an earlier removal kept. Whoever calls this again until nothing goes has removed
    all, and may stop or be killed anywhere.
    """
    session_by_id(tx, session_id)
    seats = flooding_seats(tx, session_id, flood, limit=MAX_STEP_SEATS)
    if not seats:
        return Cleared(0, _delete_remaining(tx, session_id, flood)) if erase_responses else NOTHING_CLEARED
    answers = []
    if erase_responses:
        closed = anonymous_ids(tx, session_id)
        answers = store.some_of_participants(
            tx, [seat.id for seat in seats], limit=MAX_STEP_RESPONSES + 1, excluded_activities=closed
        )
    if len(answers) > MAX_STEP_RESPONSES:
        return Cleared(0, delete_responses(tx, session_id, sorted(answers[:MAX_STEP_RESPONSES], key=attrgetter("ts"))))
    delete_responses(tx, session_id, sorted(answers, key=attrgetter("ts")))
    remove_many(tx, session_id, seats)
    return Cleared(len(seats), len(answers))


def _delete_remaining(tx: WriteTx, session_id: int, flood: FloodFilter) -> int:
    removed, closed = removed_of_flood(tx, session_id, flood), anonymous_ids(tx, session_id)
    for first in range(0, len(removed), MAX_IDS):
        answers = store.some_of_participants(
            tx, removed[first : first + MAX_IDS], limit=MAX_STEP_RESPONSES, excluded_activities=closed
        )
        if answers:
            return delete_responses(tx, session_id, sorted(answers, key=attrgetter("ts")))
    return 0


def record_cleared(tx: WriteTx, session_id: int, seats: int, *, actor: str) -> None:
    """Tell the audit how many a host removed."""
    moved, reason = (None, "flood-removed"), f"{seats} participants"
    record_transition(tx, session_id, actor=actor, entity="session", entity_id=str(session_id), moved=moved, reason=reason)
