"""What other rooms and the edge may ask about responses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from conflicto.activities.model import ActivityStatus
from conflicto.activities.queries import activities_in_order, count_responses, counts_by_round
from conflicto.participants.model import MAX_LEAVERS_READ, NO_RESERVED_PLACES, ReservedPlaces
from conflicto.participants.queries import left_seats
from conflicto.platform.json_contains import contains, count_values, parse
from conflicto.platform.problems import NotFound
from conflicto.platform.row_batch import RowBatch
from conflicto.platform.strict_json import RESPONSE_LIMITS, compact
from conflicto.responses import store
from conflicto.responses.errors import PatternTooLarge, ScanTooLong
from conflicto.responses.model import Moderation
from conflicto.responses.pool import store as pool
from conflicto.responses.pool.store import filled_rounds, pooled_authors, pooled_changes
from conflicto.responses.store import (
    activity_feed,
    character_count,
    count_live,
    has_deleted_responses,
    live_responses,
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
    "activity_feed",
    "character_count",
    "count_live",
    "filled_rounds",
    "has_deleted_responses",
    "has_responses",
    "held_places",
    "is_hidden_from_start",
    "live_responses",
    "own_feed",
    "own_head",
    "own_response",
    "own_responses",
    "parse_pattern",
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
"""Own answers whose JSON is read in one query, each up to 32 KiB."""

MAX_PATTERN_VALUES = 32
"""Values of a `contains` filter, objects and arrays included: comparing costs up to the product of both sizes."""

MAX_SCANNED_ROWS = 200_000
MAX_SCANNED_CHARACTERS = 50_000_000
MAX_COMPARISONS = 1_000_000
"""Work of one `contains` filter on SQLite, about half a second: rows that it reads, characters of their JSON, values that it compares."""

COMPARISONS_PER_DEADLINE_CHECK = 10_000
"""Values compared between two looks at the clock, a few milliseconds' work: one row may take longer than the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFilter:
    """Which of an activity's responses: of a round, of a participant, containing a JSON value (gated text)."""

    nth: int | None = None
    participant_id: int | None = None
    contains: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the filter selects all responses."""
        return (self.nth, self.participant_id, self.contains) == (None, None, None)


def response_by_id(tx: ReadTx, response_id: UUID, *, activity_id: UUID | None = None) -> ParticipantResponse:
    """Return a live response, of `activity_id` if that is given.

    Raises:
        NotFound: there is none, it was deleted, or it belongs to another activity.
    """
    response = store.find_many(tx, [response_id]).get(response_id)
    if response is None or response.deleted or (activity_id is not None and response.activity_id != activity_id):
        raise NotFound
    return response


def parse_pattern(text: str) -> str:
    """Return the gated text of a `contains` filter.

    Raises:
        JsonInvalid: it is no JSON that an answer could hold.
        PatternTooLarge: it has more values than are looked for.
    """
    gated = compact(text.encode("utf-8", "surrogatepass"), RESPONSE_LIMITS).decode()
    if count_values(parse(gated)) > MAX_PATTERN_VALUES:
        raise PatternTooLarge
    return gated


def response_page(
    tx: ReadTx, activity_id: UUID, wanted: ResponseFilter, *, limit: int, offset: int = 0, after: int = 0, max_characters: int
) -> tuple[RowBatch[ParticipantResponse], int | None]:
    """Return up to `limit + 1` live responses after a position, in feed order, and the total (None when filtered).

    Once those that were read have more than `max_characters` of JSON, no more are read.

    Raises:
        ScanTooLong: `contains` did as much work as it may before the page was full.
    """
    total = count_responses(counts_by_round(tx, activity_id)) if wanted.is_empty else None
    if wanted.contains is not None and tx.dialect != "postgresql":
        matching = islice(_scan_matching(tx, activity_id, wanted, after), offset, offset + limit + 1)
        found = list(_until_full(matching, max_characters))
    else:
        found = store.page(
            tx, activity_id, nth=wanted.nth, participant_id=wanted.participant_id, contains=wanted.contains,
            limit=limit + 1, offset=offset, after=after, max_characters=max_characters,
        )  # fmt: skip
    return RowBatch(found, is_cut=len(found) <= limit and sum(map(character_count, found)) > max_characters), total


def _until_full(found: Iterable[ParticipantResponse], max_characters: int) -> Iterator[ParticipantResponse]:
    for response in found:
        yield response
        max_characters -= character_count(response)
        if max_characters < 0:
            break


def _scan_matching(tx: ReadTx, activity_id: UUID, wanted: ResponseFilter, after: int) -> Iterator[ParticipantResponse]:
    part, scan = parse(wanted.contains or "null"), _ScanBudget(tx.deadline)
    for response in scan_responses(tx, activity_id, nth=wanted.nth, participant_id=wanted.participant_id, after=after):
        text = response.text or "null"
        scan.count_row(len(text))
        if contains(parse(text), part, scan.count_comparisons):
            yield response


class _ScanBudget:
    """Work that one filter has done. It ends with `ScanTooLong` at its bounds, and with `Unavailable` at the deadline."""

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


def held_places(tx: ReadTx, session_id: int) -> ReservedPlaces:
    """Return who left a session and keeps a place until the rounds are over in which they hold an answer.

    Whoever left while an anonymous round was open keeps one until it is over, answered or not.
    """
    rounds = [each for each in activities_in_order(tx, session_id) if each.status is ActivityStatus.ACTIVE]
    began_ts = min((each.started_ts or 0 for each in rounds), default=None)
    left = {} if began_ts is None else left_seats(tx, session_id, began_ts, limit=MAX_LEAVERS_READ + 1)
    if not left:
        return NO_RESERVED_PLACES
    if len(left) > MAX_LEAVERS_READ:
        return ReservedPlaces(is_full=True)
    told = {who for each in rounds if not each.anonymous for who in store.participants_with_response(tx, each.id, each.round, left)}
    anonymous = min((each.started_ts or 0 for each in rounds if each.anonymous), default=None)
    untold = {who for who, left_ts in left.items() if anonymous is not None and left_ts > anonymous}
    return ReservedPlaces(frozenset(told), frozenset(untold))


def own_response(tx: ReadTx, response_id: UUID) -> ParticipantResponse | None:
    """Return an answer as its author reads it, None if there is none: as it waits in the pool, else as it was released."""
    waiting = pool.find_many(tx, [response_id]).get(response_id)
    if waiting is not None and not waiting.deleted:
        return waiting.as_author_reads()
    released = store.find_many(tx, [response_id]).get(response_id)
    return None if released is None or released.deleted else released


def own_responses(
    tx: ReadTx, participant_id: int, *, activity_id: UUID | None, limit: int, offset: int = 0, after: int = 0, max_characters: int
) -> RowBatch[ParticipantResponse]:
    """Return a participant's live answers after a position in the order of their newest changes, those in the pool included.

    Once those that were read have more than `max_characters` of JSON, no more are read.
    """
    waiting = _pooled_of_participant(tx, participant_id)
    places = store.own_live_timestamps(
        tx, participant_id, activity_id=activity_id, limit=limit + offset + len(waiting), after=after
    )
    places = {key: ts for key, ts in places.items() if key not in waiting} | {
        each.id: each.ts
        for each in waiting.values()
        if each.ts > after and not each.deleted and activity_id in {None, each.activity_id}
    }
    wanted = sorted(places, key=places.__getitem__)[offset : offset + limit]
    found: list[ParticipantResponse] = []
    for nth in range(0, len(wanted), BODIES_PER_QUERY):
        part = wanted[nth : nth + BODIES_PER_QUERY]
        released = store.find_many(tx, [key for key in part if key not in waiting])
        found += [waiting.get(key) or released[key] for key in part]
        if sum(map(character_count, found)) > max_characters:
            break
    return RowBatch(found, is_cut=len(found) < len(wanted))


def own_feed(
    tx: ReadTx,
    participant_id: int,
    *,
    after: int,
    upto: int,
    limit: int,
    excluded_activities: Collection[UUID],
    max_characters: int,
) -> list[ParticipantResponse]:
    """Return a participant's own answers with positions in (after, upto], in order, without those of `closed` activities.

    Once those that were read have more than `enough` characters, none that come later follow.
    """
    waiting = _pooled_of_participant(tx, participant_id)
    wanted = limit + len(waiting)
    released = store.own_feed(
        tx,
        participant_id,
        after=after,
        upto=upto,
        limit=wanted,
        excluded_activities=excluded_activities,
        max_characters=max_characters,
    )
    if len(released) < wanted and sum(map(character_count, released)) > max_characters:
        upto = released[-1].ts
    found = [each for each in released if each.id not in waiting]
    found += [
        each
        for each in waiting.values()
        if after < each.ts <= upto
        and each.activity_id not in excluded_activities
        and not (after == 0 and is_hidden_from_start(each))
    ]
    return sorted(found, key=_ts_of)[:limit]


def own_head(tx: ReadTx, participant_id: int) -> int:
    """Return the position of a participant's newest answer, 0 if there is none."""
    return max([store.own_head(tx, participant_id), *(row.ts for row in pool.responses_of_participant(tx, participant_id))])


def is_hidden_from_start(response: ParticipantResponse) -> bool:
    """Return whether a feed from 0 leaves out one of the reader's own responses."""
    return response.deleted or response.moderation is Moderation.HIDDEN


def _pooled_of_participant(tx: ReadTx, participant_id: int) -> dict[UUID, ParticipantResponse]:
    return {row.id: row.as_author_reads() for row in pool.responses_of_participant(tx, participant_id) if not row.is_spent}


def _ts_of(response: ParticipantResponse) -> int:
    return response.ts
