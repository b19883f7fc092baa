"""Count the bytes that a session takes, so that they can be bounded without looking."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = {
    "responses": (500, ("response_text", "masked_text")),
    "pooled_responses": (500, ("response_text", "masked_text")),
    "idempotency_keys": (250, ()),
    "participants": (500, ()),
    "transitions": (250, ("actor", "reason")),
    "activities": (600, ("title", "config_text", "secret_text", "aggregate_text", "scopes_text")),
    "activity_rounds": (250, ()),
}
"""Bytes of a row, and the columns of its texts."""


def upgrade() -> None:
    op.add_column("feed_heads", sa.Column("stored_bytes", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.execute(f"UPDATE feed_heads SET stored_bytes = {' + '.join(_of_table(table) for table in TABLES)}")  # noqa: S608 - names of ours


def _of_table(table: str) -> str:
    row, texts = TABLES[table]
    cost = " + ".join([str(row), *(f"coalesce(octet_length({text}), 0)" for text in texts)])
    return f"(SELECT coalesce(sum({cost}), 0) FROM {table} WHERE {table}.session_id = feed_heads.session_id)"  # noqa: S608 - as above


def downgrade() -> None:
    op.drop_column("feed_heads", "stored_bytes")
