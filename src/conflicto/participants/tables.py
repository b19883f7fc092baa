"""Tables of participants: seats, and links that move a seat to another phone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, false, text

from conflicto.platform.db.tables import metadata_obj

participants = Table(
    "participants",
    metadata_obj,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", BigInteger, nullable=False),
    Column("nickname", Text, nullable=False),
    Column("nickname_key", Text),
    Column("token_version", Integer, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("scripted", Boolean, nullable=False, server_default=false()),
    Column("created_ts", BigInteger, nullable=False),
    Column("updated_ts", BigInteger, nullable=False),
    Index("uq_participants_nickname", "session_id", "nickname_key", unique=True),
    Index("ix_participants_feed", "session_id", "updated_ts", unique=True),
    Index("ix_participants_joined", "session_id", "deleted", "created_ts"),
    Index(
        "ix_participants_dead_tokens",
        "session_id",
        sqlite_where=text("token_version > 1"),
        postgresql_where=text("token_version > 1"),
    ),
)

seat_links = Table(
    "seat_links",
    metadata_obj,
    Column("id", LargeBinary(16), primary_key=True),
    Column("session_id", BigInteger, nullable=False),
    Column("participant_id", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Index("ix_seat_links_session_id", "session_id"),
)
"""Table of seat links; `id` is a digest of the link's secret."""
