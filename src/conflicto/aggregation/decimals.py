"""Exact sums and quotients of numbers, by the decimal value of their texts: 0.1 is a tenth."""

from __future__ import annotations

from decimal import Decimal
from sys import float_info
from typing import Any

from conflicto.aggregation.number_counts import json_number

DECIMALS = 340
"""Decimal places of a unit. The shortest text of a double has at most 324."""

UNITS = 10**DECIMALS
"""Units in 1. In units, every double and integer is an integer of at most 650 digits."""

MAX_FLOAT = int(float_info.max)


def decimal_units(value: float) -> int:
    """Return a number in units."""
    return value * UNITS if isinstance(value, int) else int(Decimal(repr(value)).scaleb(DECIMALS))


def rounded_quotient(numerator: int, denominator: int) -> Any:  # noqa: ANN401 - a number as JSON holds it
    """Return a quotient as an integer if it is one, else as the nearest double.

    The result is None if no double holds it, or for a denominator of 0.
    """
    if not denominator or abs(numerator) > MAX_FLOAT * abs(denominator):
        return None
    whole, rest = divmod(numerator, denominator)
    return numerator / denominator if rest else json_number(whole)
