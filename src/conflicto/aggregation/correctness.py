"""Rules by which an answer matches the correct value in an activity's secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.aggregation.choices import name_of
from conflicto.aggregation.decimals import UNITS, decimal_units
from conflicto.aggregation.pointer import MISSING, find
from conflicto.aggregation.values import MAX_ELEMENTS, as_number, canonical

if TYPE_CHECKING:
    from collections.abc import Callable

EQUAL, DISTANCE = "equal", "distance"


@dataclass(frozen=True, slots=True)
class CorrectValue:
    """A correct value, `MISSING` without one, and how the value at `path` of an answer matches it.

    `tolerance` is a distance, or with the rule `share` a difference of parts from 0 to 1.
    """

    value: object
    rule: str = EQUAL
    tolerance: int | float | None = None
    path: tuple[str, ...] = ()

    def is_met(self, answer: object) -> bool:
        """Return whether an answer is correct."""
        given = find(answer, self.path)
        if given is MISSING or self.value is MISSING:
            return False
        return _RULES[self.rule](given, self.value, self.tolerance)


def _is_equal(given: object, correct: object, tolerance: float | None) -> bool:
    """Compare numbers within the tolerance, arrays as sets, and all else as JSON values."""
    if isinstance(given, list) and isinstance(correct, list):
        return len(given) <= MAX_ELEMENTS and set(map(canonical, given)) == set(map(canonical, correct))
    numbers = as_number(given), as_number(correct)
    if tolerance is not None and None not in numbers:
        return _is_near(given, correct, tolerance)
    return canonical(given) == canonical(correct)


def _has_largest(given: object, correct: object, tolerance: float | None) -> bool:  # noqa: ARG001 - a rule's signature
    """Compare the names of the largest number with the correct name, or names."""
    amounts = _amounts(given)
    largest = max(amounts.values(), default=0)
    wanted = {name_of(each) for each in (correct if isinstance(correct, list) else [correct])}
    return largest > 0 and {name for name, amount in amounts.items() if amount == largest} == wanted


def _has_shares(given: object, correct: object, tolerance: float | None) -> bool:
    """Compare each number's part of the sum with its correct part."""
    ours, theirs = _amounts(given), _amounts(correct)
    our_sum, their_sum = sum(ours.values()), sum(theirs.values())
    if our_sum <= 0 or their_sum <= 0:
        return False
    allowed = decimal_units(tolerance or 0) * our_sum * their_sum
    return all(
        abs(ours.get(name, 0) * their_sum - theirs.get(name, 0) * our_sum) * UNITS <= allowed
        for name in ours.keys() | theirs.keys()
    )


def _is_near(given: object, correct: object, tolerance: float | None) -> bool:
    """Compare the Euclidean distance with the tolerance, over the numbers of the correct value."""
    squared = squared_distance(given, correct)
    return squared is not None and squared <= decimal_units(tolerance or 0) ** 2


def squared_distance(given: object, correct: object) -> int | None:
    """Return the square of the Euclidean distance, in squared units.

    The result is None if the correct value has no numbers, or the answer lacks one of them.
    """
    ours, theirs = _amounts(given), _amounts(correct)
    if not theirs or not theirs.keys() <= ours.keys():
        return None
    return sum((ours[name] - amount) ** 2 for name, amount in theirs.items())


def _amounts(value: object) -> dict[str, int]:
    """Return the numbers of an object by name, or of a list by place, in units.

    A number alone has the empty name. The result is empty for too many members.
    """
    members: Any = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {"": value}
    if len(members) > MAX_ELEMENTS:
        return {}
    found = {name_of(name): as_number(each) for name, each in members.items()}
    return {str(name): decimal_units(each) for name, each in found.items() if each is not None}


_RULES: dict[str, Callable[[object, object, float | None], bool]] = {
    EQUAL: _is_equal, "largest": _has_largest, "share": _has_shares, DISTANCE: _is_near,
}  # fmt: skip

RULES = tuple(_RULES)
