"""Count the rows of a session's answers, so that their number can be limited cheaply."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COUNT = "UPDATE feed_heads SET responses = (SELECT count(*) FROM responses WHERE responses.session_id = feed_heads.session_id)"


def upgrade() -> None:
    op.add_column("feed_heads", sa.Column("responses", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.execute(COUNT)


def downgrade() -> None:
    op.drop_column("feed_heads", "responses")
