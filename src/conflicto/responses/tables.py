"""Tables of responses: `responses` in the feed, `pooled_responses` before their release.

On PostgreSQL a migration adds `response_data`, a JSONB column generated from `response_text`, with
a GIN index (`jsonb_path_ops`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from conflicto.platform.db.tables import Uuid16, metadata_obj

responses = Table(
    "responses",
    metadata_obj,
    Column("id", Uuid16, primary_key=True),
    Column("session_id", BigInteger, nullable=False),
    Column("activity_id", Uuid16, nullable=False),
    Column("participant_id", BigInteger),
    Column("round", Integer, nullable=False),
    Column("slot", Uuid16, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("moderation", String(8), nullable=False),
    Column("was_visible", Boolean, nullable=False),
    Column("response_text", Text),
    Column("masked_text", Text),
    Index("uq_responses_slot", "participant_id", "activity_id", "round", "slot", unique=True),
    Index("uq_responses_feed", "session_id", "ts", unique=True),
    Index("ix_responses_activity_feed", "activity_id", "ts"),
    Index(
        "ix_responses_newest_live",
        "activity_id",
        "round",
        "ts",
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
)

pooled_responses = Table(
    "pooled_responses",
    metadata_obj,
    Column("id", Uuid16, primary_key=True),
    Column("session_id", BigInteger, nullable=False),
    Column("activity_id", Uuid16, nullable=False),
    Column("participant_id", BigInteger, nullable=False),
    Column("round", Integer, nullable=False),
    Column("slot", Uuid16, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("is_spent", Boolean, nullable=False),
    Column("moderation", String(8), nullable=False),
    Column("due_us", BigInteger),
    Column("response_text", Text),
    Column("masked_text", Text),
    Index("uq_pooled_responses_slot", "participant_id", "activity_id", "round", "slot", unique=True),
    Index("ix_pooled_responses_round", "activity_id", "round"),
    Index("ix_pooled_responses_own", "session_id", "ts"),
)
