"""Sampling of values that fit a schema, with the biases of a group of people.

A group favours some options, numbers near a center, and some phrases. These biases depend on the
seed, each single choice on the caller's random generator. The same seed yields the same biases.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, inf, log10
from random import Random
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.json_schema.flattening import flatten, merge
from conflicto.activity_types.json_schema.members import replace_at, value_at
from conflicto.activity_types.json_schema.subset import UNIQUE
from conflicto.activity_types.response_generator.allocation import fit_sum, schema_below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflicto.activity_types.json_schema.subset import Schema

MAX_RANGE = 1_000_000
"""Widest range that is sampled; the limits of a wider one are no hint at likely answers."""

MAX_ITEMS = 3
"""Items of a list without a limit."""

OPTIONAL_PROBABILITY = 0.7
TRUE_PROBABILITY = 0.6
FULL_RANKING_PROBABILITY = 0.85
FIRST_BRANCH_PROBABILITY = 0.3
RELATIVE_SIGMA = 0.2
OUTLIER_WEIGHT = 0.03

FORMATS = {
    "date": "2026-03-14", "date-time": "2026-03-14T09:30:00Z", "time": "09:30:00Z", "email": "guest@example.org", "uri": "https://example.org/",
}  # fmt: skip


class NothingToSample(Exception):
    """No value is possible now: all phrases are used, or there is no target yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingHints:
    """Hints that a schema does not contain.

    `phrases`: likely texts. `has_many_phrases`: whether there are enough to use each only once.
    `center`: number around which answers lie (None: unknown). `typical`: center where the schema
    has no range. `ranking_paths`: paths of lists whose order matters. `consensus`: agreement, from
    1 up.
    """

    phrases: Sequence[str]
    has_many_phrases: bool = True
    center: float | None = None
    typical: float = 50.0
    ranking_paths: frozenset[str] = frozenset()
    consensus: float = 1.0


class ResponseSampler:
    """Sampler of answers to one activity.

    `targets` are ids of answers that others may refer to; the caller keeps them up to date.
    """

    def __init__(self, schema: Schema, hints: SamplingHints, seed: int) -> None:
        self._root = schema
        self._hints = hints
        self._rng = Random(seed)  # noqa: S311 - biases, not secrets
        self._weights: dict[str, list[float]] = {}
        self._centers: dict[str, float] = {}
        self._phrases = list(hints.phrases)
        self._rng.shuffle(self._phrases)
        self._unused_phrases = list(self._phrases)
        self.targets: list[str] = []
        self._by_type: dict[str, Callable[[Schema, str, Random], Any]] = {
            "object": self._object, "array": self._array, "string": self._string, "integer": self._number, "number": self._number,
            "boolean": lambda _part, _at, rng: rng.random() < TRUE_PROBABILITY, "null": lambda _part, _at, _rng: None,
        }  # fmt: skip

    def sample(self, rng: Random) -> Any:  # noqa: ANN401 - any JSON
        """Return a sampled value. Most values are valid, but only a validator can decide.

        Raises:
            NothingToSample: no value is possible now.
        """
        return self._value(self._root, "", rng)

    def _value(self, given: Schema, at: str, rng: Random) -> Any:  # noqa: ANN401 - any JSON
        part = flatten(self._root, given)
        branches = part.pop("oneOf", None) or part.pop("anyOf", None)
        if branches:
            return self._branch(part, branches, at, rng)
        if "const" in part:
            return part["const"]
        if "enum" in part:
            if not part["enum"]:
                raise NothingToSample
            return rng.choices(part["enum"], self._option_weights(part["enum"], at))[0]
        types = part.get("type") or ("object" if "properties" in part else "string")
        type_name = types if isinstance(types, str) else types[0]
        return self._by_type[type_name](part, at, rng)

    def _branch(self, part: Schema, branches: list[Schema], at: str, rng: Random) -> Any:  # noqa: ANN401 - any JSON
        """Sample one branch, or another one if nothing can be sampled there."""
        first, *rest = branches
        rng.shuffle(rest)
        order = [first, *rest] if not rest or rng.random() < FIRST_BRANCH_PROBABILITY else [*rest, first]
        for each in order:
            try:
                return self._value(merge(part, flatten(self._root, each)), at, rng)
            except NothingToSample:
                continue
        raise NothingToSample

    def _object(self, part: Schema, at: str, rng: Random) -> dict[str, Any]:
        result = {}
        required = set(part.get("required", ()))
        for name, below in part.get("properties", {}).items():
            if name in required or rng.random() < OPTIONAL_PROBABILITY:
                try:
                    result[name] = self._value(below, f"{at}/{name}", rng)
                except NothingToSample:
                    if name in required:
                        raise
        names = part.get("propertyNames", {}).get("enum", [])
        for name in self._sample_names(names, result, part, at, rng):
            result[name] = self._value(part["additionalProperties"], f"{at}/*", rng)
        weights = dict(zip(names, self._option_weights(names, at), strict=True))
        fit_sum(self._root, part, result, [weights.get(name, 1) * rng.expovariate(1) for name in result])
        return result

    def _sample_names(self, names: list[str], given: dict[str, Any], part: Schema, at: str, rng: Random) -> list[str]:
        """Return names of further members, from those that the config allows."""
        if not isinstance(part.get("additionalProperties"), dict):
            return []
        left = [name for name in names if name not in given]
        required = set(part.get("required", ()))
        favoured = sorted(left, key=lambda name: rng.random() ** (1 / self._option_weights(names, at)[names.index(name)]))
        least = max(part.get("minProperties", 1) - len(given), 0)
        most = max(part.get("maxProperties", len(names)) - len(given), 0)
        chosen = [name for name in favoured if name in required]
        for name in reversed([name for name in favoured if name not in required]):
            if len(chosen) < most and (len(chosen) < least or rng.random() < OPTIONAL_PROBABILITY):
                chosen.append(name)
        return sorted(chosen, key=left.index)

    def _array(self, part: Schema, at: str, rng: Random) -> list[Any]:
        items = flatten(self._root, part.get("items", {}))
        min_items, max_items = part.get("minItems", 0), part.get("maxItems", MAX_ITEMS)
        if "enum" in items and part.get("uniqueItems"):
            return self._sample_options(items["enum"], at, rng, min_items=min_items, max_items=min(max_items, len(items["enum"])))
        size = max(min_items, min(rng.randint(1, max(1, max_items)), rng.randint(1, max(1, max_items))))
        found: list[Any] = []
        for _ in range(size * 4):
            value = self._unused(self._value(items, at + "/*", rng), found, part, items, rng)
            if len(found) < size and not _repeats(value, found, part):
                found.append(value)
        while len(found) < min_items and not part.get("uniqueItems") and UNIQUE not in part:
            found.append(self._value(items, at + "/*", rng))
        if len(found) < min_items:
            raise NothingToSample
        fit_sum(self._root, part, found, [rng.expovariate(1) for _ in found])
        return found

    def _unused(self, value: Any, found: list[Any], part: Schema, items: Schema, rng: Random) -> Any:  # noqa: ANN401 - any JSON
        """Return an element with another option where `x-unique` points, if its own one is used."""
        pointer = part.get(UNIQUE, "")
        used = [value_at(each, pointer) for each in found]
        options = schema_below(self._root, items, pointer).get("enum", ()) if pointer and value_at(value, pointer) in used else ()
        unused = [option for option in options if option not in used]
        return replace_at(value, pointer, rng.choice(unused)) if unused else value

    def _sample_options(self, values: list[Any], at: str, rng: Random, *, min_items: int, max_items: int) -> list[Any]:
        if len(values) < min_items:
            raise NothingToSample
        weights = self._option_weights(values, at)
        order = sorted(range(len(values)), key=lambda place: rng.random() ** (1 / weights[place]), reverse=True)
        count = rng.randint(min_items, max(min_items, min(max_items, MAX_ITEMS)))
        if at in self._hints.ranking_paths:
            count = len(values) if rng.random() < FULL_RANKING_PROBABILITY else count
        return [values[place] for place in order[:count]]

    def _option_weights(self, values: list[Any], at: str) -> list[float]:
        """Return the weight of each option: numbers lie around a center, others are random."""
        known = self._weights.get(at)
        if known is None:
            places = [place for place, value in enumerate(values) if _is_number(value)]
            isolated = len(places) < max(3, len(values) // 2)
            known = self._unordered(len(values)) if isolated else self._ordered(len(values), places)
            self._weights[at] = known
        return known

    def _unordered(self, count: int) -> list[float]:
        return [(self._rng.expovariate(1) + 0.15) ** self._hints.consensus for _ in range(count)]

    def _ordered(self, count: int, places: list[int]) -> list[float]:
        middle, width = self._rng.uniform(0.35, 0.65) * (len(places) - 1), max(0.6, len(places) / 6 / self._hints.consensus)
        weights = [OUTLIER_WEIGHT] * count
        for rank, place in enumerate(places):
            weights[place] = exp(-(((rank - middle) / width) ** 2)) + 0.01
        return weights

    def _number(self, part: Schema, at: str, rng: Random) -> float:
        low, high = part.get("minimum", part.get("exclusiveMinimum")), part.get("maximum", part.get("exclusiveMaximum"))
        near = self._hints.center
        if low is None or high is None or high - low > MAX_RANGE:
            about = near if near is not None else self._hints.typical
            low, high = max(low or 0 if about >= 0 else -MAX_RANGE, about - abs(about) * 0.8 - 1), about + abs(about) * 0.8 + 1
        middle = near if near is not None and low <= near <= high else self._centers.get(at)
        if middle is None:
            middle = self._centers[at] = low + (high - low) * self._rng.uniform(0.5, 0.8)
        value = min(high, max(low, rng.gauss(middle, (high - low) * RELATIVE_SIGMA / self._hints.consensus)))
        likely = (value, (low + high) / 2, high, low + 1, low, low + part.get("multipleOf", 1) / 2)
        return next((each for each in (_rounded(each, high - low, part) for each in likely) if _is_between(each, part)), value)

    def _string(self, part: Schema, at: str, rng: Random) -> str:
        if part.get("format") == "uuid":
            if not self.targets:
                raise NothingToSample
            return self.targets[int(len(self.targets) * rng.random() ** 2)]
        if "format" in part:
            return FORMATS[part["format"]]
        return self._sample_phrase(at, rng)[: part.get("maxLength")].rstrip()

    def _sample_phrase(self, at: str, rng: Random) -> str:
        """Return a phrase: lists repeat popular ones, other texts use each phrase only once."""
        if not self._phrases:
            raise NothingToSample
        if at.endswith("/*") or not self._hints.has_many_phrases:
            return rng.choices(self._phrases, [(rank + 1) ** -1.2 for rank in range(len(self._phrases))])[0]
        if not self._unused_phrases:
            raise NothingToSample
        return self._unused_phrases.pop()


def _repeats(value: Any, found: list[Any], part: Schema) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a value equals an earlier one, as a whole or where `x-unique` points."""
    key = value_at(value, part.get(UNIQUE, ""))
    return value in found or (key is not None and key in [value_at(each, part.get(UNIQUE, "")) for each in found])


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        try:
            return float(value.replace("½", "0.5")) >= 0
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_between(value: float, part: Schema) -> bool:
    """Return whether a number lies within the bounds after rounding."""
    low, high = float(part.get("exclusiveMinimum", -inf)), float(part.get("exclusiveMaximum", inf))
    return bool(low < value < high and part.get("minimum", -inf) <= value <= part.get("maximum", inf))


def _rounded(value: float, span: float, part: Schema) -> float:
    """Return a value as people would write it: an integer where required, else few digits."""
    step = part.get("multipleOf") or (1 if part.get("type") == "integer" else None)
    if step is None:
        step = 10.0 ** floor(log10(span / 40)) if span > 0 else 1
    found = round(value / step) * step
    return int(found) if step >= 1 and found == int(found) else round(found, 6)
