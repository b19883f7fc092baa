"""The first schema: sessions, feed heads, activities, rounds, participants and responses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from conflicto.platform.db import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ALL = (
    "responses", "seat_links", "participants", "activity_rounds", "activities",
    "idempotency_keys", "transitions", "feed_heads", "sessions", "counters", "meta",
)  # fmt: skip


def upgrade() -> None:
    for create in (_platform, _sessions, _activities, _participants, _responses):
        create()
    if op.get_bind().dialect.name == "postgresql":
        _postgres_json()


def downgrade() -> None:
    for name in ALL:
        op.drop_table(name)


def _postgres_json() -> None:
    """Add JSONB columns that PostgreSQL generates from the text, so that the two cannot differ."""
    op.execute("ALTER TABLE responses ADD COLUMN response_data jsonb GENERATED ALWAYS AS (response_text::jsonb) STORED")
    op.execute("CREATE INDEX ix_responses_response_data ON responses USING gin (response_data jsonb_path_ops)")
    for name in ("config", "secret", "aggregate"):
        op.execute(f"ALTER TABLE activities ADD COLUMN {name} jsonb GENERATED ALWAYS AS ({name}_text::jsonb) STORED")


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("join_code", sa.String(length=8), nullable=False),
        sa.Column("max_participants", sa.Integer(), nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("current_activity_id", tables.Uuid16(length=16), nullable=True),
        sa.Column("shown_activity_id", tables.Uuid16(length=16), nullable=True),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("created_ts", sa.BigInteger(), nullable=False),
        sa.Column("updated_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_newest", "sessions", ["deleted", "created_ts"], unique=False)
    op.create_index("ix_sessions_status_newest", "sessions", ["deleted", "status", "created_ts"], unique=False)
    op.create_index(
        "uq_sessions_live_code",
        "sessions",
        ["join_code"],
        unique=True,
        sqlite_where=sa.text("status <> 'completed' AND NOT deleted"),
        postgresql_where=sa.text("status <> 'completed' AND NOT deleted"),
    )
    op.create_table(
        "feed_heads",
        sa.Column("session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("ctl", sa.BigInteger(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.Column("participants_ts", sa.BigInteger(), nullable=False),
        sa.Column("activities", sa.Integer(), nullable=False),
        sa.Column("transitions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_feed_heads")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "transitions",
        sa.Column("session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("entity", sa.String(length=16), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("from_status", sa.String(length=16), nullable=True),
        sa.Column("to_status", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "number", name=op.f("pk_transitions")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_session_id", "idempotency_keys", ["session_id"], unique=False)


def _activities() -> None:
    op.create_table(
        "activities",
        sa.Column("id", tables.Uuid16(length=16), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("config_text", sa.Text(), nullable=False),
        sa.Column("secret_text", sa.Text(), nullable=True),
        sa.Column("aggregate_text", sa.Text(), nullable=True),
        sa.Column("order_index", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("response_policy", sa.String(length=16), nullable=False),
        sa.Column("results_visibility", sa.String(length=16), nullable=False),
        sa.Column("responses_visibility", sa.String(length=16), nullable=False),
        sa.Column("moderation", sa.String(length=16), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("started_ts", sa.BigInteger(), nullable=True),
        sa.Column("ends_us", sa.BigInteger(), nullable=True),
        sa.Column("results_revealed", sa.Boolean(), nullable=False),
        sa.Column("secret_revealed", sa.Boolean(), nullable=False),
        sa.Column("was_revealed", sa.Boolean(), nullable=False),
        sa.Column("published_ts", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("created_ts", sa.BigInteger(), nullable=False),
        sa.Column("updated_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    op.create_index(
        "ix_activities_due",
        "activities",
        ["ends_us"],
        unique=False,
        sqlite_where=sa.text("status = 'active' AND ends_us IS NOT NULL"),
        postgresql_where=sa.text("status = 'active' AND ends_us IS NOT NULL"),
    )
    op.create_index("ix_activities_feed", "activities", ["session_id", "updated_ts"], unique=True)
    op.create_index("ix_activities_order", "activities", ["session_id", "order_index", "created_ts"], unique=False)
    op.create_table(
        "activity_rounds",
        sa.Column("activity_id", tables.Uuid16(length=16), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("live_last_ts", sa.BigInteger(), nullable=True),
        sa.Column("live_changed_ts", sa.BigInteger(), nullable=False),
        sa.Column("visible", sa.Integer(), nullable=False),
        sa.Column("visible_last_ts", sa.BigInteger(), nullable=True),
        sa.Column("visible_changed_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("activity_id", "round", name=op.f("pk_activity_rounds")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("ix_activity_rounds_session_id", "activity_rounds", ["session_id"], unique=False)


def _participants() -> None:
    op.create_table(
        "participants",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("nickname_key", sa.Text(), nullable=True),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("created_ts", sa.BigInteger(), nullable=False),
        sa.Column("updated_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
    )
    op.create_index(
        "ix_participants_dead_tokens",
        "participants",
        ["session_id"],
        unique=False,
        sqlite_where=sa.text("token_version > 1"),
        postgresql_where=sa.text("token_version > 1"),
    )
    op.create_index("ix_participants_feed", "participants", ["session_id", "updated_ts"], unique=True)
    op.create_index("ix_participants_joined", "participants", ["session_id", "deleted", "created_ts"], unique=False)
    op.create_index("uq_participants_nickname", "participants", ["session_id", "nickname_key"], unique=True)
    op.create_table(
        "seat_links",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_links")),
    )
    op.create_index("ix_seat_links_session_id", "seat_links", ["session_id"], unique=False)


def _responses() -> None:
    op.create_table(
        "responses",
        sa.Column("id", tables.Uuid16(length=16), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("activity_id", tables.Uuid16(length=16), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("slot", tables.Uuid16(length=16), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("created_ts", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("moderation", sa.String(length=8), nullable=False),
        sa.Column("was_visible", sa.Boolean(), nullable=False),
        sa.Column("response_text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
    )
    op.create_index("ix_responses_activity_feed", "responses", ["activity_id", "ts"], unique=False)
    op.create_index(
        "ix_responses_newest_live",
        "responses",
        ["activity_id", "round", "ts"],
        unique=False,
        sqlite_where=sa.text("NOT deleted"),
        postgresql_where=sa.text("NOT deleted"),
    )
    op.create_index("uq_responses_feed", "responses", ["session_id", "ts"], unique=True)
    op.create_index("uq_responses_slot", "responses", ["participant_id", "activity_id", "round", "slot"], unique=True)


def _platform() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
