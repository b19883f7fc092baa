"""Index the versions of types that activities store, which each start reads."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_activities_version", "activities", ["type", "type_version", "deleted"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_activities_version", table_name="activities")
