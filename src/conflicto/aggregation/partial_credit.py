"""Points for answers that are right in part. They are exact, whole, and rounded down."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

from conflicto.aggregation.correctness import CorrectValue, squared_distance
from conflicto.aggregation.decimals import decimal_units
from conflicto.aggregation.pointer import MISSING, find
from conflicto.aggregation.values import MAX_ELEMENTS, canonical, elements

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSENESS, ELEMENTS, MEMBERS = "closeness", "elements", "members"


def partial_points(partial: str, target: CorrectValue, answer: object, points: int) -> int:
    """Return the points of an answer, from 0 to `points`."""
    given = find(answer, target.path)
    if given is MISSING or target.value is MISSING:
        return 0
    return _RULES[partial](given, target, points)


def _by_closeness(given: object, target: CorrectValue, points: int) -> int:
    """Let points fall in a line from all at the correct value to none at the tolerance."""
    squared, tolerance = squared_distance(given, target.value), decimal_units(target.tolerance or 0)
    if squared is None or squared > tolerance**2:
        return 0
    # The points lost are the least whole number that is not below points * distance / tolerance.
    parts = -(-squared * points**2 // tolerance**2) if tolerance else 0
    return points - (isqrt(parts - 1) + 1 if parts else 0)


def _by_elements(given: object, target: CorrectValue, points: int) -> int:
    """Give each right element its part, and let each wrong one take a part back."""
    given_elements = elements(given)
    if given_elements is None:
        return 0
    ours, theirs = set(map(canonical, given_elements)), set(map(canonical, elements(target.value) or ()))
    right, wrong = len(ours & theirs), len(ours - theirs)
    return points * max(0, right - wrong) // len(theirs) if theirs else points * (not ours)


def _by_members(given: object, target: CorrectValue, points: int) -> int:
    """Give each right member of an object, or place of a list, its part."""
    ours, theirs = _members(given), _members(target.value)
    if ours is None or theirs is None or not theirs:
        return points * (canonical(given) == canonical(target.value))
    right = sum(
        name in ours and CorrectValue(value, tolerance=target.tolerance).is_met(ours[name]) for name, value in theirs.items()
    )
    return points * right // len(ours.keys() | theirs.keys())


def _members(value: object) -> dict[Any, object] | None:
    """Return the members of an object, or the elements of a list by place; None for others."""
    if not isinstance(value, dict | list) or len(value) > MAX_ELEMENTS:
        return None
    return value if isinstance(value, dict) else dict(enumerate(value))


_RULES: dict[str, Callable[[object, CorrectValue, int], int]] = {
    CLOSENESS: _by_closeness, ELEMENTS: _by_elements, MEMBERS: _by_members,
}  # fmt: skip

PARTIALS = tuple(_RULES)
