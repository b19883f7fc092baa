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

SEAT_COLUMNS = ("participant_id", "nickname", "joined_at", "scripted")

RESPONSE_COLUMNS = (
    "activity", "type", "round", "participant_id", "nickname", "answer", "moderation", "revision", "received_at", "updated_at", "id",
    "scripted",
)  # fmt: skip

MANY = "many"
"""The response policy whose cells are JSON arrays, even with one answer in them, so that a column has one shape."""

LONGEST_HEADING = 200
"""Characters, as many as a title may have."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode


class Number(str):
    """A cell that is a JSON number, digit for digit as it was sent; every other cell is text."""

    __slots__ = ()


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


def name_of(activity: Activity, config: str) -> str:
    """Return what people call an activity: its title, else the first text in its config, which is the question, else its type."""
    if activity.title:
        return activity.title
    texts = (bytes(value).decode() for value in _members(config).values()) if config.startswith("{") else iter(())
    return next((said for text in texts if text.startswith('"') and (said := _string(text).strip())), activity.type)[
        :LONGEST_HEADING
    ]


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
            yield [str(seat.id), seat.nickname, rfc3339(seat.created_ts), truth(seat.scripted), *cells]


def anonymous_rows(columns: Sequence[Column], activity_id: UUID, texts: Iterable[tuple[int, str]]) -> Iterator[list[str]]:
    """Yield a row for each answer (round, JSON text) to an anonymous activity: one cell is filled, and nothing says whose it is."""
    places = {column.round: place for place, column in enumerate(columns) if column.activity_id == activity_id}
    for nth, text in texts:
        cells = [""] * len(columns)
        cells[places[nth]] = cell([text], many=False)
        yield [*[""] * len(SEAT_COLUMNS), *cells]


def response_row(response: Response, activity: Activity, seats: Mapping[int, Participant]) -> list[str]:
    """Return an answer as a row under `RESPONSE_COLUMNS`; that of an anonymous activity has neither author, instants nor id.

    Nor does it say whether a rehearsal gave it: in a small room that alone could name the others.
    """
    head = [activity.title or activity.type, activity.type, Number(response.round)]
    shown = cell([response.text or "null"], many=False)
    if activity.anonymous:
        return [*head, "", "", shown, response.moderation, "", "", "", "", ""]
    author = seats.get(response.participant_id)
    nickname, scripted = (author.nickname, truth(author.scripted)) if author else ("", "")
    return [
        *head, str(response.participant_id), nickname, shown, response.moderation, Number(response.revision),
        rfc3339(response.received_us), rfc3339(response.ts), str(response.id), scripted,
    ]  # fmt: skip


def truth(value: bool) -> str:  # noqa: FBT001 - it is the value
    """Return yes or no as JSON writes it, for every spreadsheet in every language."""
    return "true" if value else "false"


def cell(texts: Sequence[str], *, many: bool) -> str:
    """Return what a table shows of one participant's answers in a round.

    One value stands as it is, and an object with one member as that member; a list of plain values becomes `a; b`. Any other is JSON.

    >>> cell(['{"choice":"Curry"}'], many=False), cell(["1.50"], many=False), cell(['{"words":["a","b"]}'], many=False)
    ('Curry', '1.50', 'a; b')
    >>> cell(['[1,{}]'], many=False), cell(["1", "2"], many=True)
    ('[1,{}]', '[1,2]')
    """
    if many or len(texts) > 1:
        return f"[{','.join(texts)}]"
    text = texts[0]
    if text.startswith("{"):
        members = list(_members(text).values())
        shown = _readable(bytes(members[0]).decode()) if len(members) == 1 else None
    else:
        shown = _readable(text)
    return text if shown is None else shown


def _readable(text: str) -> str | None:
    """Return one plain value, or several of a list in a row; None if it is not plain."""
    if not text.startswith(("{", "[")):
        return _plain(text)
    parts = [bytes(each).decode() for each in _elements(text)] if text.startswith("[") else []
    return "; ".join(map(_plain, parts)) if parts and not any(part.startswith(("{", "[")) for part in parts) else None


def _plain(text: str) -> str:
    if text.startswith('"'):
        return _string(text)
    return text if text in {"true", "false", "null"} else Number(text)


def record(response: Response, activity: Activity, seats: Mapping[int, Participant]) -> dict[str, Any]:
    """Return a response with what it answers; `response_data` is embedded byte for byte; its author is not, if it is anonymous."""
    author = None if activity.anonymous else seats.get(response.participant_id)
    return {
        "id": response.id,
        "session_id": response.session_id,
        "activity_id": response.activity_id,
        "activity_type": activity.type,
        "activity_title": activity.title,
        "round": response.round,
        "participant_id": None if activity.anonymous else response.participant_id,
        "nickname": author and author.nickname,
        "scripted": author and author.scripted,
        "revision": response.revision,
        "moderation": response.moderation,
        "response_data": msgspec.Raw((response.text or "null").encode()),
        "created_at": rfc3339(response.created_ts),
        "updated_at": rfc3339(response.ts),
        "received_at": rfc3339(response.received_us),
    }


def seat_records(
    activities: Iterable[Activity], seats: Iterable[Participant], answers: Iterable[Response]
) -> Iterator[dict[str, Any]]:
    """Yield what `seat_rows` says of each seat as a record, its answers byte for byte in the order of the feed."""
    named = {activity.id: activity for activity in activities if not activity.anonymous}
    given: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for answer in answers:
        if answer.activity_id in named:
            given[answer.participant_id].append(_answer(named[answer.activity_id], answer.round, answer.text))
    for seat in seats:
        if seat.id in given or not seat.deleted:
            yield _seat_record(given.get(seat.id, []), seat)


def apart_record(activity: Activity, nth: int, text: str) -> dict[str, Any]:
    """Return an answer to an anonymous activity as the record of nobody."""
    return _seat_record([_answer(activity, nth, text)])


def _seat_record(answers: list[dict[str, Any]], seat: Participant | None = None) -> dict[str, Any]:
    return {
        "participant_id": seat and seat.id,
        "nickname": seat and seat.nickname,
        "joined_at": seat and rfc3339(seat.created_ts),
        "scripted": seat and seat.scripted,
        "answers": answers,
    }


def _answer(activity: Activity, nth: int, text: str | None) -> dict[str, Any]:
    data = msgspec.Raw((text or "null").encode())
    return {"activity_id": activity.id, "activity_title": activity.title, "round": nth, "response_data": data}
