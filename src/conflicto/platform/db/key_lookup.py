"""Finds rows by many keys with one constant statement, which is compiled and planned once.

An expanded `IN` costs more than the rows that it finds: SQLAlchemy writes a placeholder per key,
and every length is a new statement to the driver and to PostgreSQL. Here the keys are one JSON
array, which the database unpacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.db.tables import value_kind

if TYPE_CHECKING:
    from sqlalchemy import Column, Select


class KeyLookup:
    """The rows of `statement` whose `columns` together equal one of the keys.

    `Dialect.find_by_keys` reads them.

    Columns hold integers, texts, UUIDs or bytes. `kinds` are those of the columns (`value_kind`),
    `places` names of a key's parts.
    """

    def __init__(self, statement: Select[Any], *columns: Column[Any]) -> None:
        self.statement = statement
        self.columns = columns
        self.kinds = [value_kind(column) for column in columns]
        self.places = [f"k{place}" for place in range(len(columns))]
