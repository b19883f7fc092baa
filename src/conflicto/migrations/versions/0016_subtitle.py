"""Give sessions a subtitle."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("subtitle", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "subtitle")
