"""Table of types for one session."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from conflicto.platform.db.tables import metadata_obj

session_types = Table(
    "session_types",
    metadata_obj,
    Column("session_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(64), primary_key=True),
    Column("version", String(17), nullable=False),
    Column("own_version", String(17), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("installed_us", BigInteger, nullable=False),
    Column("pack", LargeBinary, nullable=False),
    Index("ix_session_types_version", "version"),
)
"""`pack` is the archive. A session has one version of a type."""
