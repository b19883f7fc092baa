"""Allow join codes of up to 10 letters.

SQLite stores texts of any length, and an earlier program can read the longer column.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("sessions", "join_code", existing_type=sa.String(length=8), type_=sa.String(length=10))


def downgrade() -> None:
    """Keep the longer column: shortened codes would lead to other sessions."""
