"""What other rooms and the edge may ask about responses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from conflicto.activities.queries import counts_by_round, total_answers
from conflicto.platform.json_contains import contains, parse
from conflicto.platform.problems import NotFound
from conflicto.responses import store
from conflicto.responses.errors import ScanTooLong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import Response

activity_feed = store.activity_feed
session_feed = store.session_feed
own_feed = store.own_feed
own_head = store.own_head
own_responses = store.mine
every_response = store.scan
responses_of_seats = store.of_seats
texts_in_order = store.texts_in_order
live_answers = store.live_answers
count_live = store.count_live

LONGEST_SCAN = 200_000
"""Rows that a `contains` filter reads on SQLite, about a second's work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFilter:
    """Which of an activity's responses: of a round, of a participant, containing a JSON value (gated text)."""

    nth: int | None = None
    participant_id: int | None = None
    contains: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything is wanted."""
        return (self.nth, self.participant_id, self.contains) == (None, None, None)


def response_by_id(tx: ReadTx, response_id: UUID, *, activity_id: UUID | None = None) -> Response:
    """Return a live response, of `activity_id` if that is given.

    Raises:
        NotFound: there is none, it was deleted, or it belongs to another activity.
    """
    response = store.find_many(tx, [response_id]).get(response_id)
    if response is None or response.deleted or (activity_id is not None and response.activity_id != activity_id):
        raise NotFound
    return response


def response_page(
    tx: ReadTx, activity_id: UUID, wanted: ResponseFilter, *, limit: int, offset: int
) -> tuple[list[Response], int | None]:
    """Return up to `limit + 1` live responses in feed order, and the total (None when filtered).

    Raises:
        ScanTooLong: on SQLite, `contains` read its fill before the page was full.
    """
    total = total_answers(counts_by_round(tx, activity_id)) if wanted.is_empty else None
    if wanted.contains is not None and tx.dialect != "postgresql":
        return list(islice(_matching(tx, activity_id, wanted), offset, offset + limit + 1)), total
    page = store.page(
        tx, activity_id, nth=wanted.nth, participant_id=wanted.participant_id, contains=wanted.contains,
        limit=limit + 1, offset=offset,
    )  # fmt: skip
    return page, total


def _matching(tx: ReadTx, activity_id: UUID, wanted: ResponseFilter) -> Iterator[Response]:
    part = parse(wanted.contains or "null")
    for read, response in enumerate(store.scan(tx, activity_id, nth=wanted.nth, participant_id=wanted.participant_id)):
        if read >= LONGEST_SCAN:
            raise ScanTooLong
        if contains(parse(response.text or "null"), part):
            yield response


def has_answers(tx: ReadTx, participant_id: int) -> bool:
    """Whether a participant's answers are still there, be they gone or not."""
    return bool(store.live_of(tx, participant_id=participant_id))
