"""Counts of response rows over the whole database. They read every row: for checks only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from conflicto.responses.model import Moderation
from conflicto.responses.tables import responses
from conflicto.sessions.storage_quota import RESPONSE_BYTES

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.platform.db.transaction import ReadTx

_RECOUNT = (
    select(
        responses.c.activity_id,
        responses.c.round,
        func.count().label("live"),
        func.count(case((responses.c.moderation == Moderation.VISIBLE.value, 1))).label("visible"),
    )
    .where(~responses.c.deleted)
    .group_by(responses.c.activity_id, responses.c.round)
)
_ROWS_OF_SESSIONS = select(responses.c.session_id, func.count().label("stored")).group_by(responses.c.session_id)
_BYTES = select(
    responses.c.session_id,
    func.sum(
        RESPONSE_BYTES
        + func.coalesce(func.octet_length(responses.c.response_text), 0)
        + func.coalesce(func.octet_length(responses.c.masked_text), 0)
    ).label("stored"),
).group_by(responses.c.session_id)
_NEWEST_TIMESTAMPS = select(responses.c.session_id, func.max(responses.c.ts).label("ts")).group_by(responses.c.session_id)


def recounted_rounds(tx: ReadTx) -> dict[tuple[UUID, int], tuple[int, int]]:
    """Count the live and the visible responses of every round of the whole database."""
    return {(row.activity_id, row.round): (row.live, row.visible) for row in tx.all(_RECOUNT)}


def rows_by_session(tx: ReadTx) -> dict[int, int]:
    """Count the rows of each session, tombstones included."""
    return {row.session_id: row.stored for row in tx.all(_ROWS_OF_SESSIONS)}


def bytes_by_session(tx: ReadTx) -> dict[int, int]:
    """Return the stored bytes of each session's responses."""
    return {row.session_id: int(row.stored) for row in tx.all(_BYTES)}


def newest_timestamps(tx: ReadTx) -> dict[int, int]:
    """Return the newest feed timestamp of each session's responses, µs since 1970 UTC."""
    return {row.session_id: row.ts for row in tx.all(_NEWEST_TIMESTAMPS)}
