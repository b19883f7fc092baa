"""Keep beside an activity's config which of its properties are hidden from whom; null: none is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activities", sa.Column("scopes_text", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("activities", "scopes_text")
