"""What other rooms and the edge may ask about activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities import store
from conflicto.platform.problems import NotFound
from conflicto.platform.row_batch import RowBatch
from conflicto.sessions.feed_heads import read_head

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from conflicto.activities.model import Activity, ActivityStatus, Content, Counts
    from conflicto.platform.db.transaction import ReadTx

CONTENTS_AT_ONCE = 16
"""Activities whose JSON is read in one query, each up to 512 KiB."""

timed_activities = store.timed
pooling_activities = store.pooling
anonymous_ids = store.anonymous_ids
newest_tick = store.newest_tick
activities_by_id = store.find_many
activities_changed = store.changed_since
all_activities = store.everything
all_counts = store.rounds
counts_by_round = store.rounds_of
counts_of_rounds = store.some_rounds
activities_in_order = store.live
has_deleted_activities = store.has_deleted
kept_counts = store.kept_counts
recounted_activities = store.recount
activity_bytes = store.recounted_bytes


def activity_by_id(tx: ReadTx, activity_id: UUID, *, session_id: int | None = None) -> Activity:
    """Return an activity, of `session_id` if that is given.

    Raises:
        NotFound: there is none, it is deleted, or it belongs to another session.
    """
    activity = store.find(tx, activity_id)
    if activity is None or (session_id is not None and activity.session_id != session_id):
        raise NotFound
    return activity


def activity_with_content(tx: ReadTx, activity_id: UUID) -> tuple[Activity, Content]:
    """Return an activity and its JSON; `NotFound` as for `activity_by_id`."""
    activity = activity_by_id(tx, activity_id)
    return activity, store.contents(tx, [activity_id])[activity_id]


def activity_page(  # noqa: PLR0913 - filters, a part
    tx: ReadTx,
    session_id: int,
    *,
    visible_only: bool,
    status: ActivityStatus | None,
    limit: int,
    offset: int = 0,
    after: tuple[int, int] | None = None,
    max_characters: int,
) -> tuple[RowBatch[tuple[Activity, Content]], int | None]:
    """Return up to `limit + 1` activities with their JSON, in order, and the total (None when filtered).

    Once those that were read have more than `max_characters` of JSON, no more are read.
    """
    page = store.page(tx, session_id, visible_only=visible_only, status=status, limit=limit + 1, offset=offset, after=after)
    head = read_head(tx, session_id)
    total = None if visible_only or status else head.counts["activities"]
    found: list[tuple[Activity, Content]] = []
    for nth in range(0, len(page), CONTENTS_AT_ONCE):
        found += with_contents(tx, page[nth : nth + CONTENTS_AT_ONCE])
        if sum(content.characters for _, content in found) > max_characters:
            break
    return RowBatch(found, is_cut=len(found) < len(page)), total


def with_contents(tx: ReadTx, activities: Sequence[Activity]) -> list[tuple[Activity, Content]]:
    """Pair activities with their JSON, in one query."""
    contents = store.contents(tx, [activity.id for activity in activities])
    return [(activity, contents[activity.id]) for activity in activities]


def activities_with_contents(tx: ReadTx, ids: Sequence[UUID]) -> list[tuple[Activity, Content]]:
    """Return activities by id with their JSON in one snapshot, deleted ones included."""
    return with_contents(tx, store.find_ever(tx, ids))


def session_counts(tx: ReadTx, session_id: int) -> dict[str, int]:
    """Count what a session holds now: activities, participants and live answers, from its counters."""
    head, live = read_head(tx, session_id), {each.id for each in store.live(tx, session_id)}
    answers = sum(each.live for (activity_id, _), each in store.rounds(tx, session_id).items() if activity_id in live)
    return {"activities": len(live), "participants": head.counts["participants"], "responses": answers}


def total_answers(counts: dict[int, Counts]) -> int:
    """Return the live answers of all rounds together."""
    return sum(each.live for each in counts.values())
