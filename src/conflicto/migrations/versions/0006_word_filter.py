"""Keep the word filter of a session, and the masked text of an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("word_filter", sa.Text(), nullable=True))
    op.add_column("responses", sa.Column("masked_text", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("responses", "masked_text")
    op.drop_column("sessions", "word_filter")
