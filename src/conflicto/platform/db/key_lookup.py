"""Find rows by many keys with one text, however many they are: a statement whose text never changes is compiled and planned once.

An `IN` that is spelled out costs more than the rows that it finds: SQLAlchemy writes the place of each key into the text, and every new
length is another statement to the driver and to PostgreSQL. Here the keys are one value, a JSON array, that the database takes apart.
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
    """A join that SQLite may not turn round: it would go through all rows of a session, and through all keys for each."""

    inherit_cache = True


@compiles(_OrderedJoin)
def _compile_ordered_join(join: _OrderedJoin, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - the compiler's own
    usual: str = compiler.visit_join(join, **how)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this one unannotated
    return usual.replace(" JOIN ", " CROSS JOIN ", 1)


class KeyLookup:
    """The rows of `wanted` in which `columns`, of whole numbers, texts, UUIDs or bytes, hold together what one of the keys says."""

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

    def rows(self, tx: ReadTx, keys: Iterable[Sequence[object]], **others: object) -> Sequence[Row[Any]]:
        """Return every row, for `keys` of which none is there twice; `others` are the statement's other parameters."""
        if tx.dialect == "postgresql":
            return tx.all(self._postgres, {"keys": _json([dict(zip(self._places, key, strict=True)) for key in keys]), **others})
        return tx.all(self._sqlite, {"keys": _json(list(keys)), **others})


def _in_array(array: ColumnElement[Any], place: int, wanted: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what SQLite compares with a column: a place of a key, where a UUID stands with dashes and bytes stand as digits."""
    value = array.op("->>")(literal_column(str(place)))
    if isinstance(wanted.type, Uuid16 | LargeBinary):
        return type_coerce(func.unhex(value, literal_column("'-'")), wanted.type)
    return value


def _in_record(value: ColumnElement[Any], wanted: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what PostgreSQL compares with a column."""
    return func.decode(value, literal_column("'hex'")) if isinstance(wanted.type, LargeBinary) else value


def _json(keys: object) -> str:
    return msgspec.json.encode(keys).decode()
