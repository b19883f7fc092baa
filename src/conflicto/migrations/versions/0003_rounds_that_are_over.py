"""Keep the start, duration and reveal of finished rounds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activity_rounds", sa.Column("started_ts", sa.BigInteger(), nullable=True))
    op.add_column("activity_rounds", sa.Column("duration_seconds", sa.Integer(), nullable=True))
    op.add_column("activity_rounds", sa.Column("was_revealed", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for name in ("was_revealed", "duration_seconds", "started_ts"):
        op.drop_column("activity_rounds", name)
