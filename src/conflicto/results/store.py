"""Rows of segments: counted parts of large rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select

from conflicto.results.tables import tally_segments

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.platform.db.transaction import ReadTx, WriteTx


class RoundKey(NamedTuple):
    """The key of a round."""

    session_id: int
    activity_id: UUID
    round_number: int


class Segment(NamedTuple):
    """Part of a round with timestamps in (after, through], and its number of live responses."""

    after: int
    through: int
    answers: int


_OF_ROUND = (
    tally_segments.c.activity_id == bindparam("activity_id"),
    tally_segments.c.round == bindparam("round_number"),
)
_SEGMENTS = (
    select(tally_segments.c.after_ts, tally_segments.c.upto_ts, tally_segments.c.answers)
    .where(*_OF_ROUND, tally_segments.c.basis == bindparam("basis"))
    .order_by(tally_segments.c.upto_ts)
)
_STATE = select(tally_segments.c.state).where(
    *_OF_ROUND,
    tally_segments.c.basis == bindparam("basis"),
    tally_segments.c.after_ts == bindparam("after"),
    tally_segments.c.upto_ts == bindparam("through"),
    tally_segments.c.answers == bindparam("answers"),
)
_DELETE_OVERLAPPING = delete(tally_segments).where(
    *_OF_ROUND,
    or_(
        tally_segments.c.basis != bindparam("basis"),
        (tally_segments.c.after_ts < bindparam("through")) & (tally_segments.c.upto_ts > bindparam("after")),
    ),
)


def stored_segments(tx: ReadTx, round_key: RoundKey, basis: bytes) -> list[Segment]:
    """Return the segments of a round in order, without overlaps; `basis` is the inputs' digest."""
    rows = tx.all(_SEGMENTS, {"activity_id": round_key.activity_id, "round_number": round_key.round_number, "basis": basis})
    return [Segment._make(row) for row in rows]


def segment_state(tx: ReadTx, round_key: RoundKey, basis: bytes, segment: Segment) -> bytes | None:
    """Return the dump of a segment, None if it was replaced."""
    state: bytes | None = tx.scalar(
        _STATE, {"activity_id": round_key.activity_id, "round_number": round_key.round_number, "basis": basis, **segment._asdict()}
    )
    return state


def save_segment(tx: WriteTx, round_key: RoundKey, basis: bytes, segment: Segment, state: bytes) -> None:
    """Store a segment, and delete those that it overlaps or that have other inputs."""
    place = {
        "activity_id": round_key.activity_id,
        "round_number": round_key.round_number,
        "basis": basis,
        "after": segment.after,
        "through": segment.through,
    }
    tx.write(_DELETE_OVERLAPPING, place)
    row = {
        "activity_id": round_key.activity_id, "round": round_key.round_number, "upto_ts": segment.through, "after_ts": segment.after,
        "session_id": round_key.session_id,
        "basis": basis, "answers": segment.answers, "state": state,
    }  # fmt: skip
    tx.write(insert(tally_segments), row)


def purge(tx: WriteTx, session_id: int, limit: int) -> int:  # noqa: ARG001 - there are a few dozen at most
    """Delete the segments of a deleted session and return their number."""
    return tx.write(delete(tally_segments).where(tally_segments.c.session_id == session_id))
