"""Tables of sessions: the session, its feed head, audit, links, gaps and idempotency keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from conflicto.platform.db.tables import Uuid16, metadata_obj

IS_OPEN = text("status <> 'completed' AND NOT deleted")
"""Sessions that can be joined. The index of codes serves only queries with exactly this text,
without parameters.
"""

sessions = Table(
    "sessions",
    metadata_obj,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("subtitle", Text),
    Column("description", Text),
    Column("status", String(16), nullable=False),
    Column("join_code", String(10), nullable=False),
    Column("max_participants", Integer),
    Column("locked", Boolean, nullable=False),
    Column("current_activity_id", Uuid16),
    Column("shown_activity_id", Uuid16),
    Column("overlay", String(16)),
    Column("token_version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("updated_ts", BigInteger, nullable=False),
    Column("word_filter", Text),
    Index("ix_sessions_newest", "deleted", "created_ts"),
    Index("ix_sessions_status_newest", "deleted", "status", "created_ts"),
    Index(
        "uq_sessions_live_code",
        "join_code",
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    ),
)

feed_heads = Table(
    "feed_heads",
    metadata_obj,
    Column("session_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", BigInteger, nullable=False),
    Column("ctl", BigInteger, nullable=False),
    Column("participants", Integer, nullable=False),
    Column("participants_ts", BigInteger, nullable=False),
    Column("activities", Integer, nullable=False),
    Column("transitions", Integer, nullable=False),
    Column("responses", BigInteger, nullable=False, server_default=text("0")),
    Column("stored_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("links_ts", BigInteger, nullable=False, server_default=text("0")),
    Column("own_ts", BigInteger, nullable=False, server_default=text("0")),
    Column("pooled", BigInteger, nullable=False, server_default=text("0")),
    postgresql_with={"fillfactor": 50},
)
"""The narrow row that orders a session: `ts` and `ctl` are feed timestamps, the rest are counters.

`responses` counts rows, tombstones and earlier rounds included, and never decreases. `pooled`
counts rows of the pool that become responses or keep a place. `own_ts` is the newest position that
only one author reads. `stored_bytes` is the size of the rows, as in `storage_quota.py`.
"""

links = Table(
    "links",
    metadata_obj,
    Column("id", Uuid16, primary_key=True),
    Column("session_id", BigInteger, nullable=False),
    Column("scope", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
    Column("changed_ts", BigInteger, nullable=False),
    Index("ix_links_session", "session_id", "changed_ts"),
)
"""Grants behind host and screen tokens; `id` is the `jti` of the tokens."""

feed_gaps = Table(
    "feed_gaps",
    metadata_obj,
    Column("session_id", BigInteger, primary_key=True, autoincrement=False),
    Column("after_ts", BigInteger, primary_key=True, autoincrement=False),
    Column("until_ts", BigInteger, nullable=False),
)
"""Positions between the two, both excluded, were issued in an epoch that a restore ended."""

transitions = Table(
    "transitions",
    metadata_obj,
    Column("session_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("actor", Text, nullable=False),
    Column("entity", String(16), nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("from_status", String(16)),
    Column("to_status", String(32), nullable=False),
    Column("reason", Text),
    Column("at_us", BigInteger, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata_obj,
    Column("id", LargeBinary(16), primary_key=True),
    Column("session_id", BigInteger, nullable=False),
    Column("fingerprint", LargeBinary(16), nullable=False),
    Column("status", Integer, nullable=False),
    Column("entity", Text, nullable=False),
    Column("owner", BigInteger),
    Index("ix_idempotency_keys_session_id", "session_id"),
    Index("ix_idempotency_keys_owner", "owner", sqlite_where=text("owner IS NOT NULL"), postgresql_where=text("owner IS NOT NULL")),
)
"""`id` is a digest of (subject, route, key), `fingerprint` one of the body, `entity` the id of the
created row.

`owner` is the participant behind a response to an anonymous activity. The key is erased when the
response is detached.
"""
