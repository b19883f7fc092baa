"""Keep the links behind host and screen tokens.

Earlier tokens belong to one link for each session and role.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from alembic import op

from conflicto.platform.clock import Clock
from conflicto.platform.db.tables import Uuid16

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LIFE_US = 180 * 86_400 * 1_000_000

SCOPES = ((1, "owner"), (2, "screen"))
"""The first field of such links' ids, and their scope: every host could do as much as an owner."""


def upgrade() -> None:
    links = op.create_table(
        "links",
        sa.Column("id", Uuid16, primary_key=True),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("creator", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.Column("changed_ts", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_links_session", "links", ["session_id", "changed_ts"])
    op.add_column("feed_heads", sa.Column("links_ts", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    now_us, sessions = Clock().wall_us(), op.get_bind().execute(sa.text("SELECT id FROM sessions")).scalars()
    op.bulk_insert(links, [row for session_id in sessions for row in _earlier(session_id, now_us)])


def _earlier(session_id: int, now_us: int) -> list[dict[str, object]]:
    return [
        {
            "id": UUID(fields=(first, 0, 0x8000, 0x80, 0, session_id)), "session_id": session_id, "scope": scope, "name": "",
            "creator": "system", "created_us": now_us, "expires_us": now_us + LIFE_US, "revoked_us": None, "changed_ts": 0,
        }
        for first, scope in SCOPES
    ]  # fmt: skip


def downgrade() -> None:
    op.drop_column("feed_heads", "links_ts")
    op.drop_table("links")
