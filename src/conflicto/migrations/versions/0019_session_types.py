"""Store activity types that hosts install for one session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_types",
        sa.Column("session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.String(17), nullable=False),
        sa.Column("own_version", sa.String(17), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("installed_us", sa.BigInteger(), nullable=False),
        sa.Column("pack", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "name"),
    )
    op.create_index("ix_session_types_version", "session_types", ["version"], unique=False)


def downgrade() -> None:
    op.drop_table("session_types")
