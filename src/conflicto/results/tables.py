"""The table of the results room: what is already counted of large rounds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from conflicto.platform.db.tables import Uuid16, metadata_obj

tally_segments = Table(
    "tally_segments",
    metadata_obj,
    Column("activity_id", Uuid16, primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("upto_ts", BigInteger, primary_key=True, autoincrement=False),
    Column("after_ts", BigInteger, nullable=False),
    Column("session_id", BigInteger, nullable=False),
    Column("basis", LargeBinary(16), nullable=False),
    Column("answers", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Index("ix_tally_segments_session_id", "session_id"),
)
"""`basis` is a digest of what the state was made from beside the answers; `answers` is how many were counted."""
