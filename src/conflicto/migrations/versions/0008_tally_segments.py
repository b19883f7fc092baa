"""Keep what is already counted of large rounds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from conflicto.platform.db import tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tally_segments",
        sa.Column("activity_id", tables.Uuid16(length=16), primary_key=True),
        sa.Column("round", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("upto_ts", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("after_ts", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.LargeBinary(16), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_tally_segments_session_id", "tally_segments", ["session_id"])


def downgrade() -> None:
    op.drop_table("tally_segments")
