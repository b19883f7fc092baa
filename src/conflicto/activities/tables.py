"""Tables of activities with their JSON, and of each round's counts.

On PostgreSQL the migration adds generated JSONB columns beside the texts.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, false, text

from conflicto.platform.db.tables import Uuid16, metadata_obj

activities = Table(
    "activities",
    metadata_obj,
    Column("id", Uuid16, primary_key=True),
    Column("session_id", BigInteger, nullable=False),
    Column("type", String(64), nullable=False),
    Column("title", Text),
    Column("config_text", Text, nullable=False),
    Column("secret_text", Text),
    Column("aggregate_text", Text),
    Column("scopes_text", Text),
    Column("order_index", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("response_policy", String(16), nullable=False),
    Column("results_visibility", String(16), nullable=False),
    Column("responses_visibility", String(16), nullable=False),
    Column("moderation", String(16), nullable=False),
    Column("anonymous", Boolean, nullable=False),
    Column("duration_seconds", Integer),
    Column("round", Integer, nullable=False),
    Column("started_ts", BigInteger),
    Column("ends_us", BigInteger),
    Column("results_revealed", Boolean, nullable=False),
    Column("secret_revealed", Boolean, nullable=False),
    Column("was_revealed", Boolean, nullable=False),
    Column("published_ts", BigInteger),
    Column("revision", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("updated_ts", BigInteger, nullable=False),
    Column("focus_response_id", Uuid16),
    Column("min_group", Integer, nullable=False, server_default=text("0")),
    Column("type_version", String(17)),
    Index("ix_activities_order", "session_id", "order_index", "created_ts"),
    Index("ix_activities_version", "type", "type_version", "deleted"),
    Index("ix_activities_feed", "session_id", "updated_ts", unique=True),
    Index(
        "ix_activities_due",
        "ends_us",
        sqlite_where=text("status = 'active' AND ends_us IS NOT NULL"),
        postgresql_where=text("status = 'active' AND ends_us IS NOT NULL"),
    ),
    Index(
        "ix_activities_pooling",
        "session_id",
        sqlite_where=text("status = 'active' AND anonymous"),
        postgresql_where=text("status = 'active' AND anonymous"),
    ),
)

activity_rounds = Table(
    "activity_rounds",
    metadata_obj,
    Column("activity_id", Uuid16, primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("session_id", BigInteger, nullable=False),
    Column("live", Integer, nullable=False),
    Column("live_last_ts", BigInteger),
    Column("live_changed_ts", BigInteger, nullable=False),
    Column("visible", Integer, nullable=False),
    Column("visible_last_ts", BigInteger),
    Column("visible_changed_ts", BigInteger, nullable=False),
    Column("started_ts", BigInteger),
    Column("duration_seconds", Integer),
    Column("was_revealed", Boolean, nullable=False, server_default=false()),
    Column("release_us", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_activity_rounds_session_id", "session_id"),
    postgresql_with={"fillfactor": 50},
)
