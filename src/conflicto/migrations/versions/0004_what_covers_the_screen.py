"""Keep what covers a session's screen for now; null: nothing does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("overlay", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "overlay")
