"""PostgreSQL's jsonb operator `@>` in Python, for SQLite.

`contains` follows `JsonbDeepContains` of PostgreSQL's jsonb_util.c exactly; a test compares both.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_Number = int | float | Decimal

# jsonb stores numbers as decimals: as floats, 0.1 and 0.10000000000000000001 would be equal.
parse = msgspec.json.Decoder(float_hook=Decimal).decode


def count_values(value: object) -> int:
    """Return the number of values in a parsed JSON value, itself included.

    >>> count_values({"a": [1, 2], "b": None})
    5
    """
    if isinstance(value, dict):
        return 1 + sum(map(count_values, value.values()))
    return 1 + sum(map(count_values, value)) if isinstance(value, list) else 1


def _unlimited(_: int) -> None:
    """Do not limit the comparison."""


def contains(container: object, contained: object, spend: Callable[[int], None] = _unlimited) -> bool:
    """Return whether `container @> contained`.

    An object contains another if it has all of its members. Containers are compared by containment,
    scalars by equality. An array contains another if it has all of its elements, in any order and
    number. Numbers are compared numerically, and a boolean is not a number. At the top level, an
    array also contains a scalar that is one of its elements.

    Both sides are parsed JSON within the limits of `strict_json`. Use `parse` to compare fractions
    as exactly as PostgreSQL. The cost is at most the product of both sizes. `spend` is called with
    the number of comparisons before they are made; it may raise to end them.
    """
    matcher = _Matcher(spend)
    if isinstance(container, list) and not isinstance(contained, (dict, list)):
        return matcher.has_element(container, contained)
    return matcher.matches(container, contained)


class _Matcher:
    __slots__ = ("_spend",)

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._spend = spend

    def matches(self, value: object, pattern: object) -> bool:
        if isinstance(pattern, dict):
            self._spend(1 + len(pattern))
            return isinstance(value, dict) and all(
                key in value and self.matches(value[key], member) for key, member in pattern.items()
            )
        if isinstance(pattern, list):
            return isinstance(value, list) and all(self.has_element(value, element) for element in pattern)
        return _same_scalar(value, pattern)

    def has_element(self, values: list[object], pattern: object) -> bool:
        self._spend(1 + len(values))
        if isinstance(pattern, (dict, list)):
            return any(self.matches(element, pattern) for element in values)
        return any(_same_scalar(element, pattern) for element in values)


def _same_scalar(value: object, pattern: object) -> bool:
    if isinstance(value, bool) or isinstance(pattern, bool):
        return value is pattern
    if isinstance(value, _Number) and isinstance(pattern, _Number):
        return value == pattern
    return type(value) is type(pattern) and value == pattern
