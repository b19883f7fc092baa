"""Queries about activities for other packages and the HTTP layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities import store
from conflicto.activities.store import (
    activities_by_id,
    activities_changed,
    activities_in_order,
    activity_bytes,
    all_activities,
    all_counts,
    anonymous_ids,
    counts_by_round,
    counts_of_rounds,
    has_deleted_activities,
    last_release_us,
    pooling_activities,
    recounted_activities,
    stored_counts,
    stored_versions,
    timed_activities,
    typed_activities,
)
from conflicto.platform.problems import NotFound
from conflicto.platform.row_batch import RowBatch
from conflicto.sessions.feed_heads.store import read_head

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from conflicto.activities.model import Activity, ActivityStatus, Content, Counts
    from conflicto.platform.db.transaction import ReadTx

__all__ = [
    "activities_by_id",
    "activities_changed",
    "activities_in_order",
    "activities_with_contents",
    "activity_by_id",
    "activity_bytes",
    "activity_page",
    "activity_with_content",
    "all_activities",
    "all_counts",
    "anonymous_ids",
    "count_responses",
    "counts_by_round",
    "counts_of_rounds",
    "has_deleted_activities",
    "last_release_us",
    "pooling_activities",
    "recounted_activities",
    "session_counts",
    "stored_counts",
    "stored_versions",
    "timed_activities",
    "typed_activities",
    "with_contents",
]

MAX_CONTENTS_PER_QUERY = 16
"""Activities whose JSON one query reads, up to 512 KiB each."""


def activity_by_id(tx: ReadTx, activity_id: UUID, *, session_id: int | None = None) -> Activity:
    """Return an activity, of `session_id` if given.

    Raises:
        NotFound: the activity does not exist, is deleted, or belongs to another session.
    """
    activity = store.find(tx, activity_id)
    if activity is None or (session_id is not None and activity.session_id != session_id):
        raise NotFound
    return activity


def activity_with_content(tx: ReadTx, activity_id: UUID) -> tuple[Activity, Content]:
    """Return an activity and its JSON; raises as `activity_by_id` does."""
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
    """Return up to `limit + 1` activities with their JSON, in order, and the total.

    The total is None if the list is filtered. The page is cut once its JSON exceeds
    `max_characters`.
    """
    page = store.page(tx, session_id, visible_only=visible_only, status=status, limit=limit + 1, offset=offset, after=after)
    head = read_head(tx, session_id)
    total = None if visible_only or status else head.counts["activities"]
    found: list[tuple[Activity, Content]] = []
    for start in range(0, len(page), MAX_CONTENTS_PER_QUERY):
        found += with_contents(tx, page[start : start + MAX_CONTENTS_PER_QUERY])
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
    """Return a session's numbers of activities, participants and live answers."""
    head, live = read_head(tx, session_id), {each.id for each in store.activities_in_order(tx, session_id)}
    response_count = sum(each.live for (activity_id, _), each in store.all_counts(tx, session_id).items() if activity_id in live)
    return {"activities": len(live), "participants": head.counts["participants"], "responses": response_count}


def count_responses(counts: dict[int, Counts]) -> int:
    """Return the number of live answers in all rounds."""
    return sum(each.live for each in counts.values())
