"""Queries of responses for other packages and the HTTP layer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from conflicto.activities.queries import count_responses, counts_by_round
from conflicto.platform.json_contains import contains, count_values, parse
from conflicto.platform.problems import NotFound
from conflicto.platform.row_batch import RowBatch
from conflicto.platform.strict_json import RESPONSE_LIMITS, compact
from conflicto.responses import store
from conflicto.responses.errors import PatternTooLarge, ScanTooLong
from conflicto.responses.model import Moderation
from conflicto.responses.pool import store as pool
from conflicto.responses.pool.store import activities_with_waiting, pooled_authors, pooled_changes
from conflicto.responses.store import (
    activity_feed,
    character_count,
    count_live,
    has_deleted_responses,
    live_responses,
    participants_with_response,
    responses_of_participants,
    scan_responses,
    session_feed,
    texts_in_order,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from uuid import UUID

    from conflicto.platform.db.cancellation import Deadline
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse

__all__ = [
    "ResponseFilter",
    "activities_with_waiting",
    "activity_feed",
    "character_count",
    "count_live",
    "has_deleted_responses",
    "has_responses",
    "is_hidden_from_start",
    "live_responses",
    "own_feed",
    "own_head",
    "own_response",
    "own_responses",
    "parse_pattern",
    "participants_with_response",
    "pooled_authors",
    "pooled_changes",
    "response_by_id",
    "response_page",
    "responses_of_participants",
    "scan_responses",
    "session_feed",
    "texts_in_order",
]

BODIES_PER_QUERY = 16
"""Own responses whose JSON one query reads, each up to 32 KiB."""

MAX_PATTERN_VALUES = 32
"""Maximum values in a `contains` filter, objects and arrays included.

A comparison takes up to the product of both sizes.
"""

MAX_SCANNED_ROWS = 200_000
MAX_SCANNED_CHARACTERS = 50_000_000
MAX_COMPARISONS = 1_000_000
"""Bounds of one `contains` filter without JSONB, about half a second of work.

They limit the rows it reads, the characters of their JSON, and the values it compares.
"""

COMPARISONS_PER_DEADLINE_CHECK = 10_000
"""Values compared between two checks of the deadline, a few milliseconds of work.

One row may take longer than the deadline.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFilter:
    """Filter of an activity's responses by round, participant and contained JSON value; None: any.

    `contains` is compact JSON text.
    """

    round_number: int | None = None
    participant_id: int | None = None
    contains: str | None = None

    @property
    def is_empty(self) -> bool:
        """True if the filter selects all responses."""
        return (self.round_number, self.participant_id, self.contains) == (None, None, None)


def response_by_id(tx: ReadTx, response_id: UUID, *, activity_id: UUID | None = None) -> ParticipantResponse:
    """Return a live response, of `activity_id` if that is given.

    Raises:
        NotFound: it does not exist, was deleted, or belongs to another activity.
    """
    response = store.find_many(tx, [response_id]).get(response_id)
    if response is None or response.deleted or (activity_id is not None and response.activity_id != activity_id):
        raise NotFound
    return response


def parse_pattern(text: str) -> str:
    """Return the compact JSON text of a `contains` filter.

    Raises:
        JsonInvalid: it is not JSON, or exceeds the limits of responses.
        PatternTooLarge: it has more than `MAX_PATTERN_VALUES` values.
    """
    compacted = compact(text.encode("utf-8", "surrogatepass"), RESPONSE_LIMITS).decode()
    if count_values(parse(compacted)) > MAX_PATTERN_VALUES:
        raise PatternTooLarge
    return compacted


def response_page(
    tx: ReadTx,
    activity_id: UUID,
    response_filter: ResponseFilter,
    *,
    limit: int,
    offset: int = 0,
    after: int = 0,
    max_characters: int,
) -> tuple[RowBatch[ParticipantResponse], int | None]:
    """Return a page of live responses in feed order, and the total (None when filtered).

    The page holds up to `limit + 1` responses with timestamps greater than `after`. It ends early
    with the response that exceeds `max_characters` of JSON.

    Raises:
        ScanTooLong: `contains` reached its limit of work before the page was full.
    """
    total = count_responses(counts_by_round(tx, activity_id)) if response_filter.is_empty else None
    if response_filter.contains is not None and not tx.dialect.has_jsonb:
        matching = islice(_scan_matching(tx, activity_id, response_filter, after), offset, offset + limit + 1)
        found = list(_until_full(matching, max_characters))
    else:
        found = store.page(
            tx, activity_id, round_number=response_filter.round_number, participant_id=response_filter.participant_id,
            contains=response_filter.contains, limit=limit + 1, offset=offset, after=after, max_characters=max_characters,
        )  # fmt: skip
    return RowBatch(found, is_cut=len(found) <= limit and sum(map(character_count, found)) > max_characters), total


def _until_full(found: Iterable[ParticipantResponse], max_characters: int) -> Iterator[ParticipantResponse]:
    for response in found:
        yield response
        max_characters -= character_count(response)
        if max_characters < 0:
            break


def _scan_matching(tx: ReadTx, activity_id: UUID, response_filter: ResponseFilter, after: int) -> Iterator[ParticipantResponse]:
    pattern, budget = parse(response_filter.contains or "null"), _ScanBudget(tx.deadline)
    for response in scan_responses(
        tx, activity_id, round_number=response_filter.round_number, participant_id=response_filter.participant_id, after=after
    ):
        text = response.text or "null"
        budget.count_row(len(text))
        if contains(parse(text), pattern, budget.count_comparisons):
            yield response


class _ScanBudget:
    """Remaining work of one `contains` filter.

    It raises `ScanTooLong` beyond its bounds, and `Unavailable` after the deadline.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._rows_left = MAX_SCANNED_ROWS
        self._characters_left = MAX_SCANNED_CHARACTERS
        self._comparisons_left = MAX_COMPARISONS
        self._unchecked = 0

    def count_row(self, characters: int) -> None:
        self._rows_left -= 1
        self._characters_left -= characters
        if min(self._rows_left, self._characters_left) < 0:
            raise ScanTooLong

    def count_comparisons(self, values: int) -> None:
        self._comparisons_left -= values
        if self._comparisons_left < 0:
            raise ScanTooLong
        self._unchecked += values
        if self._unchecked >= COMPARISONS_PER_DEADLINE_CHECK:
            self._unchecked = 0
            self._deadline.check()


def has_responses(tx: ReadTx, participant_id: int) -> bool:
    """Return whether live responses of a participant exist."""
    return bool(store.live_rows(tx, participant_id=participant_id))


def own_response(tx: ReadTx, response_id: UUID) -> ParticipantResponse | None:
    """Return a live response as its author reads it, or None.

    A pooled revision comes before the released one.
    """
    pooled = pool.find_many(tx, [response_id]).get(response_id)
    if pooled is not None and not pooled.deleted:
        return pooled.as_author_reads()
    released = store.find_many(tx, [response_id]).get(response_id)
    return None if released is None or released.deleted else released


def own_responses(
    tx: ReadTx, participant_id: int, *, activity_id: UUID | None, limit: int, offset: int = 0, after: int = 0, max_characters: int
) -> RowBatch[ParticipantResponse]:
    """Return a participant's live responses in the order of their newest changes.

    Pooled ones are included. Only responses with timestamps greater than `after` are read. The
    batch ends early after the query in which they exceed `max_characters` of JSON.
    """
    pooled = _pooled_of_participant(tx, participant_id)
    timestamps = store.own_live_timestamps(
        tx, participant_id, activity_id=activity_id, limit=limit + offset + len(pooled), after=after
    )
    timestamps = {key: ts for key, ts in timestamps.items() if key not in pooled} | {
        each.id: each.ts
        for each in pooled.values()
        if each.ts > after and not each.deleted and activity_id in {None, each.activity_id}
    }
    ids = sorted(timestamps, key=timestamps.__getitem__)[offset : offset + limit]
    found: list[ParticipantResponse] = []
    for first in range(0, len(ids), BODIES_PER_QUERY):
        part = ids[first : first + BODIES_PER_QUERY]
        released = store.find_many(tx, [key for key in part if key not in pooled])
        found += [pooled.get(key) or released[key] for key in part]
        if sum(map(character_count, found)) > max_characters:
            break
    return RowBatch(found, is_cut=len(found) < len(ids))


def own_feed(
    tx: ReadTx,
    participant_id: int,
    *,
    after: int,
    through: int,
    limit: int,
    excluded_activities: Collection[UUID],
    max_characters: int,
) -> list[ParticipantResponse]:
    """Return a participant's own responses with timestamps in (after, through], in order.

    Responses to `excluded_activities` are left out. The list ends early with the released response
    that exceeds `max_characters` of JSON.
    """
    pooled = _pooled_of_participant(tx, participant_id)
    max_released = limit + len(pooled)
    released = store.own_feed(
        tx,
        participant_id,
        after=after,
        through=through,
        limit=max_released,
        excluded_activities=excluded_activities,
        max_characters=max_characters,
    )
    if len(released) < max_released and sum(map(character_count, released)) > max_characters:
        through = released[-1].ts
    found = [each for each in released if each.id not in pooled]
    found += [
        each
        for each in pooled.values()
        if after < each.ts <= through
        and each.activity_id not in excluded_activities
        and not (after == 0 and is_hidden_from_start(each))
    ]
    return sorted(found, key=_timestamp)[:limit]


def own_head(tx: ReadTx, participant_id: int) -> int:
    """Return the timestamp of a participant's newest response, pooled ones included, or 0."""
    return max([store.own_head(tx, participant_id), *(row.ts for row in pool.responses_of_participant(tx, participant_id))])


def is_hidden_from_start(response: ParticipantResponse) -> bool:
    """Return whether a feed read from 0 leaves out this response of the reader."""
    return response.deleted or response.moderation is Moderation.HIDDEN


def _pooled_of_participant(tx: ReadTx, participant_id: int) -> dict[UUID, ParticipantResponse]:
    return {row.id: row.as_author_reads() for row in pool.responses_of_participant(tx, participant_id) if not row.is_spent}


def _timestamp(response: ParticipantResponse) -> int:
    return response.ts
