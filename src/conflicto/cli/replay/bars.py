"""Bar charts in text: pure functions from counts of values (JSON texts) to lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_BARS = 24
"""More distinct values would fill the terminal; the rest is counted together."""

BLOCKS = " ▏▎▍▌▋▊▉█"
"""Eighths of a character cell."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the chart."""

    label: str
    count: int


def bars(counts: Mapping[str, int], *, labels: Mapping[str, str], bins: Sequence[float]) -> list[Bar]:
    """Return a bar per value, numbers first and in order; with `bins` (lower bounds) a bar per bin.

    Empty bins are included. Values outside all bins have bars of their own: the bars' counts always
    add up to the values'.
    """
    left = dict(counts)
    result = []
    for low, high in pairwise([*bins, float("inf")]) if bins else ():
        inside = [value for value in left if low <= _number(value) < high]
        result.append(Bar(_range(low, high), sum(left.pop(value) for value in inside)))
    ordered = sorted(left, key=lambda value: (_number(value), value))
    result += [Bar(_label(value, labels), left[value]) for value in ordered[:MAX_BARS]]
    if ordered[MAX_BARS:]:
        result.append(Bar("others", sum(left[value] for value in ordered[MAX_BARS:])))
    return result


def draw_bar(bar: Bar, *, longest: int, width: int) -> str:
    """Return a bar's blocks; the count `longest` takes `width` cells, and non-zero is visible."""
    eighths = max(round(bar.count / longest * width * 8), 1) if bar.count else 0
    whole, rest = divmod(eighths, 8)
    return BLOCKS[8] * whole + BLOCKS[rest].strip()


def _number(value: str) -> float:
    """Return the value to sort by; strings come after numbers."""
    try:
        return float(value)
    except ValueError:
        return float("inf")


def _label(value: str, labels: Mapping[str, str]) -> str:
    plain = json.loads(value)
    text = plain if isinstance(plain, str) else value
    return labels.get(text, text)


def _range(low: float, high: float) -> str:
    return f"{low:g} and more" if high == float("inf") else f"{low:g} to under {high:g}"
