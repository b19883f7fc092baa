"""Let join codes have up to 10 letters. SQLite keeps texts of any length, and an earlier program reads the longer column as well."""

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
    """Keep the longer column: shortened, the codes that it holds would lead to sessions that they are not of."""
