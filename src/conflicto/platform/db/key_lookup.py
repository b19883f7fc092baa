"""Finds rows by many keys with one constant statement, which is compiled and planned once.

An expanded `IN` costs more than the rows that it finds: SQLAlchemy writes a placeholder per key,
and every length is a new statement to the driver and to PostgreSQL. Here the keys are one JSON
array, which the database unpacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import JSON, LargeBinary, Text, and_, bindparam, cast, column, func, literal_column, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import Join

from conflicto.platform.db.tables import Uuid16

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, ColumnElement, Row, Select
    from sqlalchemy.sql.compiler import SQLCompiler

    from conflicto.platform.db.transaction import ReadTx


class _OrderedJoin(Join):
    """A join whose order SQLite may not change.

    Otherwise it would read all rows of a session, and for each row all keys.
    """

    inherit_cache = True


@compiles(_OrderedJoin)
def _compile_ordered_join(join: _OrderedJoin, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - the compiler's own
    sql: str = compiler.visit_join(join, **how)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this one unannotated
    return sql.replace(" JOIN ", " CROSS JOIN ", 1)


class KeyLookup:
    """The rows of `statement` whose `columns` together equal one of the keys.

    Columns hold integers, texts, UUIDs or bytes.
    """

    def __init__(self, statement: Select[Any], *columns: Column[Any]) -> None:
        self._places = [f"k{place}" for place in range(len(columns))]
        keys = bindparam("keys", type_=Text)
        array = func.json_each(keys).table_valued("value")
        agree = and_(*(each == _in_array(array.c.value, nth, each) for nth, each in enumerate(columns)))
        self._sqlite = statement.select_from(_OrderedJoin(array, columns[0].table, agree))
        typed = [
            column(name, Text() if isinstance(each.type, LargeBinary) else each.type)
            for name, each in zip(self._places, columns, strict=True)
        ]
        records = func.json_to_recordset(cast(keys, JSON)).table_valued(*typed).render_derived("key", with_types=True)
        pairs = zip(columns, self._places, strict=True)
        self._postgres = statement.join(records, and_(*(each == _in_record(records.c[name], each) for each, name in pairs)))

    def rows(self, tx: ReadTx, keys: Iterable[Sequence[object]], **parameters: object) -> Sequence[Row[Any]]:
        """Return every row for `keys`, which must be distinct.

        `parameters` are the statement's other parameters.
        """
        if tx.dialect == "postgresql":
            return tx.all(
                self._postgres, {"keys": _json([dict(zip(self._places, key, strict=True)) for key in keys]), **parameters}
            )
        return tx.all(self._sqlite, {"keys": _json(list(keys)), **parameters})


def _in_array(array: ColumnElement[Any], place: int, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the key part to compare with a column in SQLite.

    UUIDs stand there with dashes, and bytes as hex digits.
    """
    value = array.op("->>")(literal_column(str(place)))
    if isinstance(column.type, Uuid16 | LargeBinary):
        return type_coerce(func.unhex(value, literal_column("'-'")), column.type)
    return value


def _in_record(value: ColumnElement[Any], column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the key part to compare with a column in PostgreSQL."""
    return func.decode(value, literal_column("'hex'")) if isinstance(column.type, LargeBinary) else value


def _json(keys: object) -> str:
    return msgspec.json.encode(keys).decode()
