"""Take seats: a whole group of phones in one transaction, exactly as many as there are places, each name once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.participants import store
from conflicto.participants.errors import NicknameRefused, NicknameTaken, SeatGone, SessionFull, SessionLocked
from conflicto.participants.events import ParticipantChanged
from conflicto.participants.model import MOST_PARTICIPANTS, Participant
from conflicto.participants.nickname import Nickname, decent, suggestions
from conflicto.platform.ids import public_id
from conflicto.platform.problems import DomainError, NotFound
from conflicto.sessions import idempotency
from conflicto.sessions.errors import CodeUnknown
from conflicto.sessions.model import Session, SessionStatus
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.transaction import WriteTx
    from conflicto.sessions.idempotency import Key

CREATED = 201

FIRST_VERSION = 1
"""Token version of a seat whose phone is still the one that joined."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A phone that wants a seat; `code` is normalised. The seats of a rehearsal are `scripted`."""

    session_id: int
    code: str
    nickname: Nickname
    key: Key | None = None
    scripted: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat that was given, now or to an earlier request with the same key."""

    participant: Participant
    session: Session
    status: int


def join_many(tx: WriteTx, requests: Sequence[JoinRequest]) -> list[Seat | DomainError]:
    """Give seats in the order of arrival and return one outcome for each request; nothing is written for a refused one.

    Outcomes: `Seat`, or CodeUnknown (also for sessions that are over), SessionLocked, SessionFull, NicknameTaken, KeyReused, SeatGone.
    """
    outcomes: dict[int, Seat | DomainError] = _replayed(tx, requests)
    waiting: dict[int, list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        if place not in outcomes:
            waiting[request.session_id].append(place)
    given: list[tuple[int, Seat]] = []
    for session_id, places in waiting.items():
        given += _seat_session(tx, session_id, [(place, requests[place]) for place in places], outcomes)
    if given:
        store.add_many(tx, [seat.participant for _, seat in given])
        made = ((requests[place].key, seat.session.id, CREATED, str(seat.participant.id)) for place, seat in given)
        idempotency.remember(tx, made)
        for _, seat in given:
            tx.emit(ParticipantChanged(seat.participant))
    return [outcomes[place] for place in range(len(requests))]


def _replayed(tx: WriteTx, requests: Sequence[JoinRequest]) -> dict[int, Seat | DomainError]:
    known = idempotency.replays(tx, [request.key for request in requests])
    outcomes: dict[int, Seat | DomainError] = {}
    for place, request in enumerate(requests):
        earlier = known.get(request.key.id) if request.key else None
        if isinstance(earlier, idempotency.Replay):
            outcomes[place] = _same_seat(tx, request, earlier)
        elif earlier is not None:
            outcomes[place] = earlier
    return outcomes


def _same_seat(tx: WriteTx, request: JoinRequest, earlier: idempotency.Replay) -> Seat | DomainError:
    participant = store.find_many(tx, [int(earlier.entity)]).get(int(earlier.entity))
    if participant is None or participant.token_version != FIRST_VERSION:
        return SeatGone()  # the seat was left, or belongs to another phone now
    return Seat(participant, session_by_id(tx, request.session_id), earlier.status)


def _seat_session(
    tx: WriteTx, session_id: int, asked: list[tuple[int, JoinRequest]], outcomes: dict[int, Seat | DomainError]
) -> list[tuple[int, Seat]]:
    try:
        session = session_by_id(tx, session_id)
    except NotFound:
        outcomes.update((place, CodeUnknown()) for place, _ in asked)
        return []
    taken = store.taken_keys(tx, session_id, {request.nickname.key for _, request in asked})
    given = []
    for place, request in asked:
        refusal = _refusal(tx, session, request, taken)
        if refusal:
            outcomes[place] = refusal
            continue
        taken.add(request.nickname.key)
        seat = Seat(_seated(tx, session_id, request), session, CREATED)
        outcomes[place] = seat
        given.append((place, seat))
    return given


def _refusal(tx: WriteTx, session: Session, request: JoinRequest, taken: set[str]) -> DomainError | None:
    if session.status is SessionStatus.COMPLETED or session.join_code != request.code:
        return CodeUnknown()
    if session.locked:
        return SessionLocked()
    if tx.head(session.id).counts["participants"] >= (session.max_participants or MOST_PARTICIPANTS):
        return SessionFull()
    return _name_refusal(tx, session, request.nickname, taken)


def _name_refusal(tx: WriteTx, session: Session, nickname: Nickname, taken: set[str]) -> DomainError | None:
    def is_taken(key: str) -> bool:
        return key in taken or bool(store.taken_keys(tx, session.id, [key]))

    if session.word_filter.refuses(nickname.text):
        return NicknameRefused(extensions={"suggestions": decent(nickname, session.word_filter, is_taken)})
    if nickname.key in taken:
        return NicknameTaken(extensions={"suggestions": suggestions(nickname, is_taken)})
    return None


def _seated(tx: WriteTx, session_id: int, request: JoinRequest) -> Participant:
    head = tx.head(session_id)
    now = head.stamp(tx.now_us, control=False)
    head.count("participants", 1)
    head.counts["participants_ts"] = now
    return Participant(
        id=public_id(), session_id=session_id, nickname=request.nickname.text, nickname_key=request.nickname.key,
        token_version=FIRST_VERSION, last_seen_us=tx.now_us, revision=1, deleted=False, scripted=request.scripted, created_ts=now,
        updated_ts=now,
    )  # fmt: skip
