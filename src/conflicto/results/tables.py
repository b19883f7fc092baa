"""Table of the results package: the segments of large rounds that are already counted."""

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
"""`state` is the dump of a tally. `basis` is the digest of its inputs, and `answers` the number of
responses counted in it."""
