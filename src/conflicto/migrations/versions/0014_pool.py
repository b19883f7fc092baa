"""Keep answers of anonymous activities in a pool until they are released with others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from conflicto.platform.db.tables import Uuid16

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ALTERS = (3, 53)
"""First release of SQLite that changes a column in place."""

OPEN = sa.text("status = 'active' AND anonymous")
OWNED = sa.text("owner IS NOT NULL")


def upgrade() -> None:
    _pool()
    _author(may_be_null=True)
    for name in ("own_ts", "pooled"):
        op.add_column("feed_heads", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("activity_rounds", sa.Column("release_us", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("idempotency_keys", sa.Column("owner", sa.BigInteger(), nullable=True))
    op.create_index("ix_idempotency_keys_owner", "idempotency_keys", ["owner"], sqlite_where=OWNED, postgresql_where=OWNED)
    op.create_index("ix_activities_pooling", "activities", ["session_id"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("ix_activities_pooling", "activities")
    op.drop_index("ix_idempotency_keys_owner", "idempotency_keys")
    op.drop_column("idempotency_keys", "owner")
    op.drop_column("activity_rounds", "release_us")
    for name in ("own_ts", "pooled"):
        op.drop_column("feed_heads", name)
    op.execute("UPDATE responses SET participant_id = 0, slot = id WHERE participant_id IS NULL")
    _author(may_be_null=False)
    op.drop_table("pooled_responses")


def _author(*, may_be_null: bool) -> None:
    """Allow null in `responses.participant_id`, or not. SQLite before 3.53 copies the table."""
    if op.get_bind().dialect.name == "sqlite" and tuple(op.get_bind().dialect.server_version_info or ()) < ALTERS:
        with op.batch_alter_table("responses") as responses:
            responses.alter_column("participant_id", existing_type=sa.BigInteger(), nullable=may_be_null)
    else:
        op.execute(f"ALTER TABLE responses ALTER COLUMN participant_id {'DROP' if may_be_null else 'SET'} NOT NULL")


def _pool() -> None:
    op.create_table(
        "pooled_responses",
        sa.Column("id", Uuid16(length=16), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("activity_id", Uuid16(length=16), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("slot", Uuid16(length=16), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("created_ts", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("is_spent", sa.Boolean(), nullable=False),
        sa.Column("moderation", sa.String(length=8), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("response_text", sa.Text(), nullable=True),
        sa.Column("masked_text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pooled_responses")),
    )
    names = ["participant_id", "activity_id", "round", "slot"]
    op.create_index("uq_pooled_responses_slot", "pooled_responses", names, unique=True)
    op.create_index("ix_pooled_responses_round", "pooled_responses", ["activity_id", "round"])
    op.create_index("ix_pooled_responses_own", "pooled_responses", ["session_id", "ts"])
