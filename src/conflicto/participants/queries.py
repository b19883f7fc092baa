"""Queries about participants for other packages and the HTTP layer."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from conflicto.participants import store
from conflicto.participants.errors import NamesHidden, SeatLinkInvalid
from conflicto.participants.model import FIRST_VERSION, MAX_SHOWN_NAMES
from conflicto.participants.store import (
    departed_ids,
    erased_ids,
    every_seat,
    find_ever,
    flood_size,
    flooding_seats,
    has_deleted_participants,
    has_participants,
    left_seats,
    moved_seats,
    participant_bytes,
    participants_changed,
    present_ids,
    present_seats,
    recounted_seats,
    removed_of_flood,
    scripted_ids,
    scripted_seats,
    taken_keys,
)
from conflicto.platform.problems import NotFound
from conflicto.sessions.errors import CodeUnknown, KeyReused
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.idempotency.store import find_replay
from conflicto.sessions.queries import session_by_code, session_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.participants.model import Participant
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.platform.problems import DomainError
    from conflicto.sessions.idempotency.store import Key, Replay

__all__ = [
    "departed_ids",
    "erased_ids",
    "every_seat",
    "find_ever",
    "flood_size",
    "flooding_seats",
    "has_deleted_participants",
    "has_participants",
    "left_seats",
    "link_digest",
    "moved_seats",
    "participant_by_id",
    "participant_bytes",
    "participant_page",
    "participants_changed",
    "present_ids",
    "present_seats",
    "recounted_seats",
    "removed_of_flood",
    "scripted_ids",
    "scripted_seats",
    "seat_of",
    "session_of_link",
    "sessions_to_join",
    "shown_names",
    "taken_keys",
]


def link_digest(secret: str) -> bytes:
    """Return the stored digest of a seat link's secret."""
    return blake2b(secret.encode(), digest_size=16).digest()


def participant_by_id(tx: ReadTx, participant_id: int, *, session_id: int | None = None) -> Participant:
    """Return a participant, of `session_id` if given.

    Raises:
        NotFound: the participant does not exist, left, or is in another session.
    """
    participant = store.present_seats(tx, [participant_id]).get(participant_id)
    if participant is None or (session_id is not None and participant.session_id != session_id):
        raise NotFound
    return participant


def participant_page(tx: ReadTx, session_id: int, *, limit: int, offset: int = 0, after: int = 0) -> tuple[list[Participant], int]:
    """Return up to `limit + 1` participants in joining order after a position, and the total."""
    head = read_head(tx, session_id)
    return store.joined(tx, session_id, limit=limit + 1, offset=offset, after=after), head.counts["participants"]


def shown_names(tx: ReadTx, session_id: int, *, for_host: bool) -> list[str]:
    """Return up to `MAX_SHOWN_NAMES` nicknames as the screen shows them, newest first.

    Raises:
        NamesHidden: the caller is a screen, and no host shows the names.
    """
    session = session_by_id(tx, session_id)
    if not (for_host or session.shows_names):
        raise NamesHidden
    return [session.word_filter.mask_name(name) for name in store.newest_names(tx, session_id, limit=MAX_SHOWN_NAMES)]


def sessions_to_join(tx: ReadTx, requests: Sequence[tuple[str, Key | None]]) -> list[int | DomainError]:
    """Return for each `(code, key)` the session that the code opens.

    It may also be the session that an earlier request with the key joined: a replay outlives the
    code. Outcomes: the session's id; CodeUnknown (no such code, and no seat for the key); KeyReused
    (the key came with another body before). Each code is looked up once.
    """
    opened = {code: _opened(tx, code) for code in {code for code, _ in requests}}
    return [opened[code] or _seated_before(tx, key) for code, key in requests]


def _opened(tx: ReadTx, code: str) -> int | None:
    try:
        return session_by_code(tx, code).id
    except CodeUnknown:
        return None


def _seated_before(tx: ReadTx, key: Key | None) -> int | DomainError:
    try:
        earlier = find_replay(tx, key)
    except KeyReused as error:
        return error
    seat = store.find_ever(tx, seat_of(earlier)[0]) if earlier else None
    return seat.session_id if seat else CodeUnknown()


def seat_of(earlier: Replay) -> tuple[int, int]:
    """Return the participant and token version of an earlier join."""
    seat, _, version = earlier.entity.partition(":")
    return int(seat), int(version or FIRST_VERSION)


def session_of_link(tx: ReadTx, secret: str) -> int:
    """Return the session of a seat link.

    Raises:
        SeatLinkInvalid: the link is unknown or used, or its session is gone.
    """
    link = store.find_link(tx, link_digest(secret))
    try:
        session = session_by_id(tx, link[0]) if link else None
    except NotFound:
        session = None
    if session is None:
        raise SeatLinkInvalid
    return session.id
