"""PostgreSQL's jsonb `@>` in Python, for the database that has none.

`contains` follows `JsonbDeepContains` of PostgreSQL's jsonb_util.c, quirks included; a test compares the two.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

_Number = int | float | Decimal

# jsonb keeps numbers as decimals: as floats, 0.1 and 0.10000000000000000001 would be one and the same.
parse = msgspec.json.Decoder(float_hook=Decimal).decode


def contains(container: object, contained: object) -> bool:
    """Return whether `container @> contained`.

    An object contains another if it has every one of its members, containers compared by containment and scalars by
    equality. An array contains another if every element of that one is in it, whatever the order and number. Numbers are
    compared numerically, and a boolean is none. At the top alone, an array also contains a scalar that is an element.

    Both sides are parsed JSON within the limits of the gate; by `parse`, where fractions are to be compared as exactly
    as PostgreSQL does. Costs up to the product of both sizes.
    """
    if isinstance(container, list) and not isinstance(contained, (dict, list)):
        return _has_scalar(container, contained)
    return _matches(container, contained)


def _matches(have: object, want: object) -> bool:
    if isinstance(want, dict):
        return isinstance(have, dict) and all(key in have and _matches(have[key], value) for key, value in want.items())
    if isinstance(want, list):
        return isinstance(have, list) and all(_has_element(have, element) for element in want)
    return _same_scalar(have, want)


def _has_element(have: list[object], want: object) -> bool:
    if isinstance(want, (dict, list)):
        return any(_matches(element, want) for element in have)
    return _has_scalar(have, want)


def _has_scalar(have: list[object], want: object) -> bool:
    return any(_same_scalar(element, want) for element in have)


def _same_scalar(have: object, want: object) -> bool:
    if isinstance(have, bool) or isinstance(want, bool):
        return have is want
    if isinstance(have, _Number) and isinstance(want, _Number):
        return have == want
    return type(have) is type(want) and have == want
