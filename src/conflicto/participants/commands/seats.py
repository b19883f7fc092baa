"""Commands on seats: add, rename, move, remove, restore."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.participants import store
from conflicto.participants.errors import NicknameRefused, NicknameTaken, SeatLinkInvalid
from conflicto.participants.events import ParticipantChanged, ParticipantRemoved
from conflicto.participants.model import FIRST_VERSION, SEAT_LINK_LIFETIME_S, Participant
from conflicto.participants.nickname import Nickname, allowed_suggestions, suggestions
from conflicto.participants.queries import link_digest, participant_by_id
from conflicto.platform.ids import public_id
from conflicto.platform.instants import US_PER_S
from conflicto.sessions.model import require_open
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.storage_quota import PARTICIPANT_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.transaction import WriteTx


def new_seat(tx: WriteTx, session_id: int, nickname: Nickname, *, scripted: bool) -> Participant:
    """Return a new participant, already counted. `add_seats` stores them."""
    head = tx.head(session_id)
    now = head.next_ts(tx.now_us, control=False)
    head.add_count("participants", 1)
    head.add_count("stored_bytes", PARTICIPANT_BYTES)
    head.counts["participants_ts"] = now
    return Participant(
        id=public_id(), session_id=session_id, nickname=nickname.text, nickname_key=nickname.key, token_version=FIRST_VERSION,
        last_seen_us=tx.now_us, revision=1, deleted=False, scripted=scripted, created_ts=now, updated_ts=now,
    )  # fmt: skip


def add_seats(tx: WriteTx, participants: Sequence[Participant]) -> None:
    """Store new participants, in one statement."""
    store.add_many(tx, participants)
    for each in participants:
        tx.emit(ParticipantChanged(each))


def restore_seat(tx: WriteTx, participant: Participant, nickname: Nickname) -> Participant:
    """Return a participant who left to their seat, under a nickname that is free."""
    head = tx.head(participant.session_id)
    now = head.next_ts(tx.now_us, control=False)
    head.add_count("participants", 1)
    head.counts["participants_ts"] = now
    restored = replace(
        participant, nickname=nickname.text, nickname_key=nickname.key, deleted=False, last_seen_us=tx.now_us,
        revision=participant.revision + 1, updated_ts=now,
    )  # fmt: skip
    store.save(tx, restored)
    tx.emit(ParticipantChanged(restored))
    return restored


def rename(tx: WriteTx, participant_id: int, nickname: Nickname, *, by_host: bool = False) -> Participant:
    """Rename a participant; hosts bypass the word filter.

    Raises:
        NicknameRefused: the session's word filter rejects the name.
        NicknameTaken: another participant has the name.
        SessionCompleted: the session is over.
    """
    participant = participant_by_id(tx, participant_id)
    session = session_by_id(tx, participant.session_id)
    require_open(session)
    if (participant.nickname, participant.nickname_key) == (nickname.text, nickname.key):
        return participant

    def is_taken(key: str) -> bool:
        return bool(store.taken_keys(tx, session.id, [key]))

    if not by_host and session.word_filter.refuses(nickname.text):
        raise NicknameRefused(extensions={"suggestions": allowed_suggestions(nickname, session.word_filter, is_taken)})
    if nickname.key != participant.nickname_key and is_taken(nickname.key):
        raise NicknameTaken(extensions={"suggestions": suggestions(nickname, is_taken)})
    return _save_change(tx, replace(participant, nickname=nickname.text, nickname_key=nickname.key))


def remove(tx: WriteTx, participant_id: int, *, erase_responses: bool, forget: bool) -> None:
    """Remove a participant: frees name and place, invalidates tokens and links.

    `forget` also erases the name.
    """
    participant = participant_by_id(tx, participant_id)
    head = tx.head(participant.session_id)
    head.add_count("participants", -1)
    removed = replace(
        participant,
        nickname="" if forget else participant.nickname,
        nickname_key=None,
        token_version=participant.token_version + 1,
        deleted=True,
    )
    saved = _save_change(tx, removed)
    head.counts["participants_ts"] = saved.updated_ts
    store.remove_links(tx, participant_id)
    tx.emit(ParticipantRemoved(participant.session_id, participant_id, erase_responses, participant.scripted))


def remove_many(tx: WriteTx, session_id: int, seats: Sequence[Participant]) -> None:
    """Remove participants as `remove` does; their names and answers stay stored."""
    if not seats:
        return
    head = tx.head(session_id)
    stamps = head.next_ts_range(tx.now_us, len(seats))
    removed = [
        replace(
            each, nickname_key=None, token_version=each.token_version + 1, deleted=True, revision=each.revision + 1, updated_ts=ts
        )
        for ts, each in zip(stamps, seats, strict=True)
    ]
    store.save_many(tx, removed)
    store.remove_links_of(tx, [each.id for each in removed])
    head.add_count("participants", -len(removed))
    head.counts["participants_ts"] = removed[-1].updated_ts
    for each in removed:
        tx.emit(ParticipantChanged(each))
        tx.emit(ParticipantRemoved(session_id, each.id, erase_responses=False, is_scripted=each.scripted))


def erase_scripted(tx: WriteTx, session_id: int, limit: int) -> int:
    """Erase up to `limit` scripted participants with their answers, and return their number.

    Participants whom the host removed before are included.
    """
    seats = store.scripted_seats(tx, session_id, limit=limit)
    for each in seats:
        if each.deleted:
            _save_change(tx, replace(each, nickname=""))
            tx.emit(ParticipantRemoved(session_id, each.id, erase_responses=True, is_scripted=True))
        else:
            remove(tx, each.id, erase_responses=True, forget=True)
    return len(seats)


def link_seat(tx: WriteTx, participant_id: int, secret: str) -> int:
    """Store a link with `secret` and return its expiry in µs; it replaces an earlier link."""
    participant = participant_by_id(tx, participant_id)
    expires_us = tx.now_us + SEAT_LINK_LIFETIME_S * US_PER_S
    store.remove_links(tx, participant_id)
    store.add_link(tx, link_digest(secret), participant, expires_us)
    return expires_us


def redeem_seat(tx: WriteTx, secret: str) -> Participant:
    """Move a seat to the holder of a link; the link and older tokens of the seat become invalid.

    Raises:
        SeatLinkInvalid: the link is unknown, used or expired.
    """
    link = store.find_link(tx, link_digest(secret))
    if link is None or link[2] <= tx.now_us:
        raise SeatLinkInvalid
    participant = participant_by_id(tx, link[1])
    store.remove_links(tx, participant.id)
    return _save_change(tx, replace(participant, token_version=participant.token_version + 1))


def save_last_seen(tx: WriteTx, seen: dict[int, int]) -> None:
    """Store when participants were last seen (id → wall µs)."""
    store.save_seen(tx, seen)


def _save_change(tx: WriteTx, participant: Participant) -> Participant:
    stamp = tx.next_ts(participant.session_id, control=False)
    saved = replace(participant, revision=participant.revision + 1, updated_ts=stamp)
    store.save(tx, saved)
    tx.emit(ParticipantChanged(saved))
    return saved
