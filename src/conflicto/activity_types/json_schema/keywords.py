"""Implementations of the own keywords that compare values with each other: uniqueness and sums."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from operator import eq, ge, le
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.json_schema.members import value_at
from conflicto.activity_types.json_schema.subset import SUM_OF, SUMS, UNIQUE, Schema
from conflicto.platform.normalization import normalized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DECIMAL_DIGITS = 700
"""Digits that hold any sum of doubles exactly: 308 before the point and 340 behind it."""

_EXACT = Context(prec=DECIMAL_DIGITS, traps=[Inexact])

_SUM_RULES: dict[str, tuple[Callable[[Decimal, Decimal], bool], str]] = {
    "x-sum": (eq, "must add up to {}"),
    "x-min-sum": (ge, "must add up to at least {}"),
    "x-max-sum": (le, "must add up to at most {}"),
}


class UniqueKeyword:
    """Keyword `x-unique`: values must differ in the text or number at a pointer into each.

    It applies to the elements of a list and to the values of an object.
    """

    def __init__(self, parent_schema: Schema, value: str, schema_path: list[str | int]) -> None:
        del parent_schema, schema_path
        self._pointer = value

    def validate(self, instance: Any) -> None:  # noqa: ANN401 - any JSON
        found = [value for value in values_below(instance, self._pointer) if isinstance(value, str | int | float)]
        if len({normalized("NFC", value) if isinstance(value, str) else value for value in found}) < len(found):
            message = "has duplicate items"
            raise ValueError(message)


class SumKeyword:
    """Keywords `x-sum`, `x-min-sum` and `x-max-sum`: a limit to the sum of numbers.

    The numbers are the elements of a list or the values of an object. With `x-sum-of`, they are the
    numbers at that pointer into each. Other values count as 0. Sums are exact in decimal. A limit
    that is still a pointer into a config checks nothing.
    """

    def __init__(self, parent_schema: Schema, value: Any, schema_path: list[str | int]) -> None:  # noqa: ANN401 - number or pointer
        self._pointer = parent_schema.get(SUM_OF, "")
        self._limit = decimal_of(value) if _is_number(value) else None
        self._fits, message = _SUM_RULES[str(schema_path[-1])]
        self._message = message.format(value)

    def validate(self, instance: Any) -> None:  # noqa: ANN401 - any JSON
        if self._limit is None or not isinstance(instance, list | dict):
            return
        if not self._fits(exact_sum(values_below(instance, self._pointer)), self._limit):
            raise ValueError(self._message)


KEYWORD_CLASSES: dict[str, type] = {UNIQUE: UniqueKeyword, **dict.fromkeys(SUMS, SumKeyword)}
"""Own keywords that the library calls back, with their implementations."""


def values_below(value: Any, pointer: str) -> list[Any]:  # noqa: ANN401 - any JSON
    """Return the value at a pointer into each element of a list or value of an object."""
    if not isinstance(value, list | dict):
        return []
    each = value.values() if isinstance(value, dict) else value
    return [value_at(inner, pointer) for inner in each] if pointer else list(each)


def exact_sum(values: Iterable[object]) -> Decimal:
    """Return the exact decimal sum of the numbers among some values."""
    total, fractions = 0, Decimal(0)
    for value in values:
        if isinstance(value, float):
            fractions = _EXACT.add(fractions, decimal_of(value))
        elif _is_number(value):
            total += value  # type: ignore[operator] # an integer
    return _EXACT.add(fractions, Decimal(total))


def decimal_of(value: float) -> Decimal:
    """Return the decimal value of a number's shortest text, so 0.1 is a tenth."""
    return Decimal(repr(value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
