"""What stands in a line of an export: pure functions from the rooms' objects to records and cells."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from conflicto.activities.model import Activity
    from conflicto.participants.model import Participant
    from conflicto.responses.model import Response

SEAT_COLUMNS = ("participant_id", "nickname", "joined_at")

MANY = "many"
"""The response policy whose cells are JSON arrays, even with one answer in them, so that a column has one shape."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode


@dataclass(frozen=True, slots=True)
class Column:
    """One round of one activity."""

    activity_id: UUID
    round: int
    heading: str
    anonymous: bool
    many: bool


def columns_of(activities: Sequence[Activity]) -> list[Column]:
    """Return the table's columns in the order of the activities and rounds; every heading is unique."""
    seen: Counter[str] = Counter()
    found = []
    for activity in activities:
        for nth in range(1, activity.round + 1):
            heading = activity.title or activity.type
            heading += f" (round {nth})" if activity.round > 1 else ""
            seen[heading] += 1
            unique = heading if seen[heading] == 1 else f"{heading} #{seen[heading]}"
            found.append(Column(activity.id, nth, unique, activity.anonymous, activity.response_policy == MANY))
    return found


def seat_rows(columns: Sequence[Column], seats: Iterable[Participant], answers: Iterable[Response]) -> Iterator[list[str]]:
    """Yield a row for each seat, with its answers to activities that are not anonymous; who left has one only if such answers stay."""
    places = {(column.activity_id, column.round): place for place, column in enumerate(columns) if not column.anonymous}
    texts: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for answer in answers:
        place = places.get((answer.activity_id, answer.round))
        if place is not None:
            texts[answer.participant_id][place].append(answer.text or "null")
    for seat in seats:
        given = texts.get(seat.id, {})
        if given or not seat.deleted:
            cells = [cell(given[place], many=column.many) if place in given else "" for place, column in enumerate(columns)]
            yield [str(seat.id), seat.nickname, rfc3339(seat.created_ts), *cells]


def anonymous_rows(columns: Sequence[Column], activity_id: UUID, texts: Iterable[tuple[int, str]]) -> Iterator[list[str]]:
    """Yield a row for each answer (round, JSON text) to an anonymous activity: one cell is filled, and nothing says whose it is."""
    places = {column.round: place for place, column in enumerate(columns) if column.activity_id == activity_id}
    for nth, text in texts:
        cells = [""] * len(columns)
        cells[places[nth]] = cell([text], many=False)
        yield ["", "", "", *cells]


def cell(texts: Sequence[str], *, many: bool) -> str:
    """Return what a table shows of one participant's answers in a round.

    >>> cell(['{"choice":"Curry"}'], many=False), cell(["1.50"], many=False), cell(['[1,2]'], many=False), cell(["1", "2"], many=True)
    ('Curry', '1.50', '[1,2]', '[1,2]')
    """
    if many or len(texts) > 1:
        return f"[{','.join(texts)}]"
    text = texts[0]
    if text.startswith("{"):
        members = list(_members(text).values())
        text = bytes(members[0]).decode() if len(members) == 1 and bytes(members[0])[:1] not in b"[{" else text
    return _string(text) if text.startswith('"') else text


def record(response: Response, activity: Activity, nicknames: Mapping[int, str]) -> dict[str, Any]:
    """Return a response with what it answers; `response_data` is embedded byte for byte; its author is not, if it is anonymous."""
    author = None if activity.anonymous else response.participant_id
    return {
        "id": response.id,
        "session_id": response.session_id,
        "activity_id": response.activity_id,
        "activity_type": activity.type,
        "activity_title": activity.title,
        "round": response.round,
        "participant_id": author,
        "nickname": None if author is None else nicknames.get(author),
        "revision": response.revision,
        "moderation": response.moderation,
        "response_data": msgspec.Raw((response.text or "null").encode()),
        "created_at": rfc3339(response.created_ts),
        "updated_at": rfc3339(response.ts),
        "received_at": rfc3339(response.received_us),
    }
