"""Keep which positions of a feed belong to a future that a restore took back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_gaps",
        sa.Column("session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("after_ts", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_ts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "after_ts", name=op.f("pk_feed_gaps")),
    )


def downgrade() -> None:
    op.drop_table("feed_gaps")
