"""SQLAlchemy metadata of all tables, column types common to both databases, and shared tables."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from conflicto.platform.db.dialects.registry import DIALECTS

metadata_obj = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Uuid16(TypeDecorator[UUID]):
    """A UUID, in the column type of the database."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type of the dialect."""
        return dialect.type_descriptor(DIALECTS[dialect.name].uuid_type)


def value_kind(column: Column[Any]) -> str:
    """Return the kind of a column's values, for conversions.

    It is `uuid`, `bytes`, `bool`, or `plain` for numbers and texts.
    """
    if isinstance(column.type, Uuid16):
        return "uuid"
    if isinstance(column.type, LargeBinary):
        return "bytes"
    return "bool" if isinstance(column.type, Boolean) else "plain"


metadata_table = Table(
    "meta",
    metadata_obj,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Metadata of the database itself: `epoch`, `issuer` (once it differs from the epoch) and
`admin_token_hash`. PostgreSQL also has `server`, where the epoch began, and `signing_key` without
CONFLICTO_SECRET_KEY."""

counters = Table(
    "counters",
    metadata_obj,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Totals that belong to no session, updated in the transactions that change them. Reads never
count."""
