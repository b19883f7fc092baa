"""Records of JSON Lines: an answer, or a participant with all answers, byte for byte as sent."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conflicto.activities.model import Activity
    from conflicto.participants.model import Participant
    from conflicto.responses.model import ParticipantResponse


def response_record(response: ParticipantResponse, activity: Activity, seats: Mapping[int, Participant]) -> dict[str, Any]:
    """Return the record of a response; it has no author if the activity is anonymous."""
    author = None if activity.anonymous else seats.get(response.participant_id or 0)
    return {
        "id": response.id,
        "session_id": response.session_id,
        "activity_id": response.activity_id,
        "activity_type": activity.type,
        "activity_type_version": activity.type_version,
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
    activities: Iterable[Activity], seats: Iterable[Participant], responses: Iterable[ParticipantResponse]
) -> Iterator[dict[str, Any]]:
    """Yield the records of the seats that `seat_rows` yields, with their answers in feed order."""
    activities_by_id = {activity.id: activity for activity in activities if not activity.anonymous}
    by_seat: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for response in responses:
        if response.activity_id in activities_by_id and response.participant_id is not None:
            by_seat[response.participant_id].append(
                _embedded_response(activities_by_id[response.activity_id], response.round, response.text)
            )
    for seat in seats:
        if seat.id in by_seat or not seat.deleted:
            yield _seat_record(by_seat.get(seat.id, []), seat)


def anonymous_record(activity: Activity, round_number: int, text: str) -> dict[str, Any]:
    """Return the record of an answer to an anonymous activity, without a participant."""
    return _seat_record([_embedded_response(activity, round_number, text)])


def _seat_record(responses: list[dict[str, Any]], seat: Participant | None = None) -> dict[str, Any]:
    return {
        "participant_id": seat and seat.id,
        "nickname": seat and seat.nickname,
        "joined_at": seat and rfc3339(seat.created_ts),
        "scripted": seat and seat.scripted,
        "answers": responses,
    }


def _embedded_response(activity: Activity, round_number: int, text: str | None) -> dict[str, Any]:
    data = msgspec.Raw((text or "null").encode())
    return {"activity_id": activity.id, "activity_title": activity.title, "round": round_number, "response_data": data}
