"""Joins: a group of requests in one transaction, within the seat limit, each nickname once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conflicto.joining.model import NO_RESERVED_PLACES, ReservedPlaces
from conflicto.joining.queries import reserved_places
from conflicto.participants.commands.seats import add_seats, new_seat, restore_seat
from conflicto.participants.errors import NicknameRefused, NicknameTaken, SeatGone, SessionFull, SessionLocked
from conflicto.participants.model import MAX_PARTICIPANTS, Participant
from conflicto.participants.nickname import Nickname, allowed_suggestions, suggestions
from conflicto.participants.queries import find_ever, seat_of, taken_keys
from conflicto.platform.problems import DomainError, NotFound
from conflicto.sessions.errors import CodeUnknown, StorageFull
from conflicto.sessions.idempotency import store as idempotency
from conflicto.sessions.model import Session, SessionStatus
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.storage_quota import is_full

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.transaction import WriteTx

CREATED = 201


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A request for a seat; `code` is normalized. Seats of a rehearsal are `scripted`."""

    session_id: int
    code: str
    nickname: Nickname
    key: idempotency.Key | None = None
    scripted: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat that was taken now, or by an earlier request with the same key."""

    participant: Participant
    session: Session
    status: int


class _ReservedPlacesCache:
    """Reserved places by session, read once per group, as one read covers up to 5,000 people."""

    def __init__(self, tx: WriteTx) -> None:
        self._tx = tx
        self._read: dict[int, ReservedPlaces] = {}

    def get(self, session_id: int) -> ReservedPlaces:
        if session_id not in self._read:
            self._read[session_id] = reserved_places(self._tx, session_id)
        return self._read[session_id]

    def release(self, participant: Participant) -> None:
        reserved = self.get(participant.session_id)
        self._read[participant.session_id] = replace(reserved, counted=reserved.counted - {participant.id})


def join_many(tx: WriteTx, requests: Sequence[JoinRequest]) -> list[Seat | DomainError]:
    """Assign seats in order of arrival and return one outcome per request.

    Rejected requests write nothing.

    Outcomes: `Seat`, CodeUnknown (also for completed sessions), SessionLocked, SessionFull,
    StorageFull, NicknameTaken, NicknameRefused, KeyReused, SeatGone.
    """
    reserved_cache = _ReservedPlacesCache(tx)
    outcomes: dict[int, Seat | DomainError] = _replayed(tx, requests, reserved_cache)
    by_session: dict[int, list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        if place not in outcomes:
            by_session[request.session_id].append(place)
    new_seats: list[tuple[int, Seat]] = []
    for session_id, indexes in by_session.items():
        new_seats += _seat_session(tx, session_id, [(place, requests[place]) for place in indexes], outcomes, reserved_cache)
    if new_seats:
        add_seats(tx, [seat.participant for _, seat in new_seats])
        keys = ((requests[place].key, seat.session.id, CREATED, str(seat.participant.id)) for place, seat in new_seats)
        idempotency.store_keys(tx, keys)
    return [outcomes[place] for place in range(len(requests))]


def _replayed(tx: WriteTx, requests: Sequence[JoinRequest], reserved_cache: _ReservedPlacesCache) -> dict[int, Seat | DomainError]:
    known = idempotency.find_replays(tx, [request.key for request in requests])
    outcomes: dict[int, Seat | DomainError] = {}
    for place, request in enumerate(requests):
        earlier = known.get(request.key.id) if request.key else None
        if isinstance(earlier, idempotency.Replay):
            seat, version = seat_of(earlier)
            outcomes[place] = found = _replayed_seat(tx, request, (seat, version, earlier.status), reserved_cache)
            if request.key and isinstance(found, Seat) and found.participant.token_version != version:
                known[request.key.id] = idempotency.replace_entity(tx, request.key, f"{seat}:{found.participant.token_version}")
        elif earlier is not None:
            outcomes[place] = earlier
    return outcomes


def _replayed_seat(
    tx: WriteTx, request: JoinRequest, earlier: tuple[int, int, int], reserved_cache: _ReservedPlacesCache
) -> Seat | DomainError:
    """Return the seat of an earlier request with the same key.

    The seat is restored if its place is reserved.
    """
    seat, version, status = earlier
    participant = find_ever(tx, seat)
    if participant is None:
        return SeatGone()
    session = session_by_id(tx, request.session_id)
    if not participant.deleted and participant.token_version == version:
        return Seat(participant, session, status)
    if not participant.deleted or participant.token_version != version + 1 or not _has_reserved_place(participant, reserved_cache):
        return SeatGone()  # it was moved to another phone, or its place is not reserved
    if session.status is SessionStatus.COMPLETED or session.locked:
        return SessionLocked() if session.locked else SeatGone()
    refusal = _name_refusal(tx, session, request.nickname, taken_keys(tx, session.id, {request.nickname.key}))
    return refusal or Seat(_restore_seat(tx, participant, request.nickname, reserved_cache), session, status)


def _has_reserved_place(participant: Participant, reserved_cache: _ReservedPlacesCache) -> bool:
    """Return whether a participant who left may return.

    They may not while an anonymous round is open, where they could answer twice.
    """
    reserved = reserved_cache.get(participant.session_id)
    return participant.id in reserved.counted and participant.id not in reserved.uncounted


def _restore_seat(tx: WriteTx, participant: Participant, nickname: Nickname, reserved_cache: _ReservedPlacesCache) -> Participant:
    reserved_cache.release(participant)
    return restore_seat(tx, participant, nickname)


def _seat_session(
    tx: WriteTx,
    session_id: int,
    numbered_requests: list[tuple[int, JoinRequest]],
    outcomes: dict[int, Seat | DomainError],
    reserved_cache: _ReservedPlacesCache,
) -> list[tuple[int, Seat]]:
    try:
        session = session_by_id(tx, session_id)
    except NotFound:
        outcomes.update((place, CodeUnknown()) for place, _ in numbered_requests)
        return []
    taken = taken_keys(tx, session_id, {request.nickname.key for _, request in numbered_requests})
    reserved = reserved_cache.get(session_id) if session.max_participants else NO_RESERVED_PLACES
    new_seats = []
    for place, request in numbered_requests:
        refusal = _refusal(tx, session, request, taken, reserved)
        if refusal:
            outcomes[place] = refusal
            continue
        taken.add(request.nickname.key)
        seat = Seat(new_seat(tx, session_id, request.nickname, scripted=request.scripted), session, CREATED)
        outcomes[place] = seat
        new_seats.append((place, seat))
    return new_seats


def _refusal(tx: WriteTx, session: Session, request: JoinRequest, taken: set[str], reserved: ReservedPlaces) -> DomainError | None:
    if session.status is SessionStatus.COMPLETED or session.join_code != request.code:
        return CodeUnknown()
    if session.locked:
        return SessionLocked()
    if reserved.is_full or tx.head(session.id).counts["participants"] + reserved.count >= (
        session.max_participants or MAX_PARTICIPANTS
    ):
        return SessionFull()
    if is_full(tx.head(session.id)):
        return StorageFull()
    return _name_refusal(tx, session, request.nickname, taken)


def _name_refusal(tx: WriteTx, session: Session, nickname: Nickname, taken: set[str]) -> DomainError | None:
    def is_taken(key: str) -> bool:
        return key in taken or bool(taken_keys(tx, session.id, [key]))

    if session.word_filter.refuses(nickname.text):
        return NicknameRefused(extensions={"suggestions": allowed_suggestions(nickname, session.word_filter, is_taken)})
    if nickname.key in taken:
        return NicknameTaken(extensions={"suggestions": suggestions(nickname, is_taken)})
    return None
