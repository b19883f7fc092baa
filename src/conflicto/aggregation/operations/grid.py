"""`grid`: number of points in each cell of a grid, as a histogram of two dimensions.

Cells contain their lower edges, and the last ones both edges. Rows and columns are counted from 1,
rows in the direction in which `y` grows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from conflicto.aggregation.bounded_state import BoundedState
from conflicto.aggregation.config_options import ConfigOption
from conflicto.aggregation.decimals import decimal_units
from conflicto.aggregation.operation import Operation, OperationResult, check_number, check_pointer, whole_number_check
from conflicto.aggregation.pointer import find, find_all, parse
from conflicto.aggregation.values import as_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext

MAX_LINES = 30
"""Columns, and rows."""

MAX_NAME_CHARS = 200
DEFAULT_LINES = 10


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension: the pointer to a coordinate, its range, and the number of equal parts."""

    path: tuple[str, ...]
    low: int | float
    high: int | float
    parts: int

    def part_of(self, value: object) -> int | None:
        """Return the part that holds a point, None if the point lies outside."""
        found = as_number(find(value, self.path))
        if found is None or not self.low <= found <= self.high:
            return None
        low, width = decimal_units(self.low), decimal_units(self.high) - decimal_units(self.low)
        return min(self.parts - 1, (decimal_units(found) - low) * self.parts // width) if width else 0


@dataclass(frozen=True, slots=True)
class GridFold:
    """Reads points; `names` are texts of cells, row by row."""

    columns: Axis
    rows: Axis
    names: tuple[object, ...] = ()

    def read(self, value: object, metadata: ResponseMetadata) -> int | None:  # noqa: ARG002 - Fold's signature
        """Return the number of the point's cell, row by row from 0."""
        column, row = self.columns.part_of(value), self.rows.part_of(value)
        return None if column is None or row is None else row * self.columns.parts + column

    def empty(self) -> GridState:
        """Return an empty state."""
        return GridState(self)


class GridState(BoundedState):
    """The number of responses in each cell."""

    def __init__(self, fold: GridFold) -> None:
        self.answers = 0
        self._fold = fold
        self._counts: Counter[int] = Counter()

    def add(self, read: int) -> None:
        """Count a response."""
        self._change(read, 1)

    def remove(self, read: int) -> None:
        """Remove a counted response."""
        self._change(read, -1)

    def result(self) -> dict[str, Any]:
        """Return the cells with responses, row by row."""
        columns, rows = self._fold.columns.parts, self._fold.rows.parts
        cells = [
            {"column": cell % columns + 1, "row": cell // columns + 1, "name": self._name(cell), "count": count}
            for cell, count in sorted(self._counts.items())
        ]
        return {"op": "grid", "answers": self.answers, "columns": columns, "rows": rows, "cells": cells}

    def dump(self) -> dict[int, int]:
        """Return the number of responses in each cell."""
        return dict(self._counts)

    def merge(self, dump: dict[int, int]) -> None:
        """Add the responses of another state."""
        for cell, count in dump.items():
            self._change(cell, count)

    @property
    def entries(self) -> int:
        """The number of cells with responses."""
        return len(self._counts)

    def _name(self, cell: int) -> str | None:
        name = self._fold.names[cell] if cell < len(self._fold.names) else None
        return name[:MAX_NAME_CHARS] if isinstance(name, str) and name else None

    def _change(self, cell: int, times: int) -> None:
        self.answers += times
        self._counts[cell] += times
        if not self._counts[cell]:
            del self._counts[cell]


def _check_names(value: object) -> str | None:
    if isinstance(value, str):
        return None if parse(value) else "must be a JSON pointer into config, with * for every element of a list"
    fits = isinstance(value, list) and len(value) <= MAX_LINES**2 and all(isinstance(each, str) for each in value)
    return None if fits else f"must be a list of up to {MAX_LINES**2} texts, or a JSON pointer into config"


def _check_together(options: object) -> str | None:
    given: Mapping[str, Any] = options if isinstance(options, dict) else {}
    for axis in ("x", "y"):
        low, high = as_number(given.get(f"{axis}_min", 0)), as_number(given.get(f"{axis}_max", 1))
        if low is not None and high is not None and low >= high:
            return f"needs an `{axis}_min` below its `{axis}_max`; without a value they are 0 and 1"
    return None


def _axis(options: Mapping[str, Any], name: str, parts: str) -> Axis:
    path = parse(options.get(name, f"/{name}")) or ()
    return Axis(path, options.get(f"{name}_min", 0), options.get(f"{name}_max", 1), options.get(parts, DEFAULT_LINES))


def _build(options: Mapping[str, Any], context: RoundContext) -> GridFold:
    names = options.get("names", ())
    found = find_all(context.config, parse(names) or ()) if isinstance(names, str) else names
    return GridFold(_axis(options, "x", "columns"), _axis(options, "y", "rows"), tuple(found[: MAX_LINES**2]))


class GridCell(BaseModel):
    """Number of responses in a cell; `name` is null for a cell without a name."""

    column: int
    row: int
    name: str | None
    count: int


class GridResult(OperationResult):
    """Cells with responses, row by row; rows and columns are counted from 1."""

    op: Literal["grid"]
    columns: int
    rows: int
    cells: list[GridCell]


_LINES = ConfigOption(whole_number_check(1, MAX_LINES))
_LIMIT = ConfigOption(check_number)

OPERATION = Operation(
    _build,
    GridResult,
    {
        "x": check_pointer, "y": check_pointer, "columns": _LINES, "rows": _LINES, "names": _check_names,
        "x_min": _LIMIT, "x_max": _LIMIT, "y_min": _LIMIT, "y_max": _LIMIT,
    },
    check_together=_check_together,
    config_options=frozenset({"names"}),
    answer_options={"x": "", "y": ""},
)  # fmt: skip
