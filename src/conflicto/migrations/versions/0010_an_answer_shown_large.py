"""Keep which answer the host shows large; null: none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from conflicto.platform.db.tables import Uuid16

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activities", sa.Column("focus_response_id", Uuid16, nullable=True))


def downgrade() -> None:
    op.drop_column("activities", "focus_response_id")
