"""Allocation of a total over the values of an object or list, so that sampled sums are valid."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.json_schema.flattening import flatten
from conflicto.activity_types.json_schema.keywords import decimal_of, exact_sum, values_below
from conflicto.activity_types.json_schema.members import member_steps, replace_at
from conflicto.activity_types.json_schema.subset import SUM_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.activity_types.json_schema.subset import Schema

FINE_STEPS = 1_000
"""Steps of a total whose values need not be whole."""


@dataclass(frozen=True, slots=True)
class StepRange:
    """Allowed values as multiples of a step, from `low` to `high` steps; None: no upper limit."""

    low: int
    high: int | None


def fit_sum(root: Schema, part: Schema, value: Any, weights: Sequence[float]) -> None:  # noqa: ANN401 - a list or an object
    """Change the numbers of an object or list in place, so that their sum fits its schema.

    `weights` has one weight for each value. Nothing changes if the sum fits, or if no values give
    a sum that does.
    """
    total = wanted_total(part, value)
    if total is None or not value:
        return
    pointer = part.get(SUM_OF, "")
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    schemas = [_number_schema(root, part, key, pointer) for key in keys]
    step = step_of(schemas, total)
    units = total / step
    found = allocate(int(units), weights, [step_range(each, step) for each in schemas]) if units.denominator == 1 else None
    for key, steps in zip(keys, found or (), strict=False):
        value[key] = replace_at(value[key], pointer, _number(steps * step))


def wanted_total(part: Schema, value: Any) -> Fraction | None:  # noqa: ANN401 - any JSON
    """Return the sum that a schema requires of a value, None if its sum fits."""
    now = exact_sum(values_below(value, part.get(SUM_OF, "")))
    if "x-sum" in part:
        return Fraction(decimal_of(part["x-sum"]))
    if "x-max-sum" in part and now > decimal_of(part["x-max-sum"]):
        return Fraction(decimal_of(part["x-max-sum"]))
    if "x-min-sum" in part and now < decimal_of(part["x-min-sum"]):
        return Fraction(decimal_of(part["x-min-sum"]))
    return None


def step_of(schemas: Sequence[Schema], total: Fraction) -> Fraction:
    """Return the step of the values: the first one given, 1 for integers, else a fine one."""
    steps = [Fraction(decimal_of(each["multipleOf"])) for each in schemas if each.get("multipleOf")]
    is_whole = any(each.get("type") == "integer" for each in schemas)
    return next(iter(steps), Fraction(1) if is_whole else abs(total) / FINE_STEPS or Fraction(1))


def step_range(schema: Schema, step: Fraction) -> StepRange:
    """Return the range of a number's schema in steps; without a minimum it begins at 0."""
    low, high = _bound(schema, "inimum", step), _bound(schema, "aximum", step)
    least = 0 if low is None else ceil(low)
    greatest = None if high is None else floor(high)
    if low is not None and low == least and schema.get("exclusiveMinimum") is not None:
        least += 1
    if high is not None and greatest is not None and high == greatest and schema.get("exclusiveMaximum") is not None:
        greatest -= 1
    return StepRange(least, greatest)


def allocate(total: int, weights: Sequence[float], ranges: Sequence[StepRange]) -> list[int] | None:
    """Return steps that add up to `total`, roughly by weight; None if the ranges forbid it."""
    found = [each.low for each in ranges]
    left = total - sum(found)
    while left > 0:
        free = [place for place, each in enumerate(ranges) if each.high is None or found[place] < each.high]
        if not free:
            return None
        mass = sum(weights[place] for place in free)
        for place in sorted(free, key=lambda place: -weights[place]):
            wanted = max(1, min(left, round(left * weights[place] / mass) if mass else 1))
            room = ranges[place].high
            given = min(left, wanted if room is None else min(wanted, room - found[place]))
            found[place] += given
            left -= given
    return found if left == 0 else None


def _number_schema(root: Schema, part: Schema, key: str | int, pointer: str) -> Schema:
    """Return the schema of the number that counts towards a sum, below one value."""
    below = part.get("items", {}) if isinstance(key, int) else part.get("properties", {}).get(key, part.get("additionalProperties"))
    return schema_below(root, below if isinstance(below, dict) else {}, pointer)


def schema_below(root: Schema, given: Schema, pointer: str) -> Schema:
    """Return the flat schema at a JSON pointer of object members, empty for an unknown member."""
    found = flatten(root, given)
    for step in member_steps(pointer):
        found = flatten(root, found.get("properties", {}).get(step, {}))
    return found


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _bound(schema: Schema, ending: str, step: Fraction) -> Fraction | None:
    """Return `minimum` or `exclusiveMinimum`, and so on, in steps."""
    letter = "m" + ending
    value = schema.get(letter, schema.get("exclusiveM" + ending))
    return None if value is None else Fraction(decimal_of(value)) / step
