"""PostgreSQL's jsonb `@>` in Python, for the database that has none.

`contains` follows `JsonbDeepContains` of PostgreSQL's jsonb_util.c, quirks included; a test compares the two.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_Number = int | float | Decimal

# jsonb keeps numbers as decimals: as floats, 0.1 and 0.10000000000000000001 would be one and the same.
parse = msgspec.json.Decoder(float_hook=Decimal).decode


def count_values(value: object) -> int:
    """Return how many values a parsed JSON value holds, itself included.

    >>> values_in({"a": [1, 2], "b": None})
    5
    """
    if isinstance(value, dict):
        return 1 + sum(map(count_values, value.values()))
    return 1 + sum(map(count_values, value)) if isinstance(value, list) else 1


def _unlimited(_: int) -> None:
    """Let the comparison go on."""


def contains(container: object, contained: object, spend: Callable[[int], None] = _unlimited) -> bool:
    """Return whether `container @> contained`.

    An object contains another if it has every one of its members, containers compared by containment and scalars by
    equality. An array contains another if every element of that one is in it, whatever the order and number. Numbers are
    compared numerically, and a boolean is none. At the top alone, an array also contains a scalar that is an element.

    Both sides are parsed JSON within the limits of the gate; by `parse`, where fractions are to be compared as exactly
    as PostgreSQL does. Costs up to the product of both sizes. `spend` is told of comparisons before they are made, and
    may raise what ends them.
    """
    matcher = _Matcher(spend)
    if isinstance(container, list) and not isinstance(contained, (dict, list)):
        return matcher.has_element(container, contained)
    return matcher.matches(container, contained)


class _Matcher:
    __slots__ = ("_spend",)

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._spend = spend

    def matches(self, have: object, want: object) -> bool:
        if isinstance(want, dict):
            self._spend(1 + len(want))
            return isinstance(have, dict) and all(key in have and self.matches(have[key], value) for key, value in want.items())
        if isinstance(want, list):
            return isinstance(have, list) and all(self.has_element(have, element) for element in want)
        return _same_scalar(have, want)

    def has_element(self, have: list[object], want: object) -> bool:
        self._spend(1 + len(have))
        if isinstance(want, (dict, list)):
            return any(self.matches(element, want) for element in have)
        return any(_same_scalar(element, want) for element in have)


def _same_scalar(have: object, want: object) -> bool:
    if isinstance(have, bool) or isinstance(want, bool):
        return have is want
    if isinstance(have, _Number) and isinstance(want, _Number):
        return have == want
    return type(have) is type(want) and have == want
