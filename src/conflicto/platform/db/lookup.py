"""Find rows by many keys with one text, however many they are: a statement whose text never changes is compiled and planned once.

An `IN` that is spelled out costs more than the rows that it finds: SQLAlchemy writes the place of each key into the text, and every new
length is another statement to the driver and to PostgreSQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Text, bindparam, cast, func, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Row, Select

    from conflicto.platform.db.transaction import ReadTx

_POSTGRES_BYTES = r'"\\x%s"'
_SQLITE_BYTES = '"%s"'
"""How bytes stand in an array of PostgreSQL, and in SQLite's JSON for its `unhex`."""


class Lookup:
    """The rows of `wanted` whose `column`, of whole numbers or of bytes, is one of the keys that are given when it is asked."""

    def __init__(self, wanted: Select[Any], column: ColumnElement[Any]) -> None:
        self._is_bytes = isinstance(column.type, LargeBinary)
        keys = bindparam("keys", type_=Text)
        listed = func.json_each(keys).table_valued("value").c.value
        self._sqlite = wanted.where(column.in_(select(func.unhex(listed) if self._is_bytes else listed)))
        array = ARRAY(LargeBinary if self._is_bytes else BigInteger)
        self._postgres = wanted.where(column == func.any(cast(keys, array)))

    def rows(self, tx: ReadTx, keys: Iterable[int] | Iterable[bytes], **others: object) -> Sequence[Row[Any]]:
        """Return every row; `others` are the statement's other parameters."""
        if tx.dialect == "postgresql":
            return tx.all(self._postgres, {"keys": "{" + self._joined(keys, _POSTGRES_BYTES) + "}", **others})
        return tx.all(self._sqlite, {"keys": "[" + self._joined(keys, _SQLITE_BYTES) + "]", **others})

    def _joined(self, keys: Iterable[Any], form: str) -> str:
        return ",".join([form % key.hex() for key in keys] if self._is_bytes else map(str, keys))
