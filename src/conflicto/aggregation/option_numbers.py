"""Base of the operations on numbers that an answer gives to each option.

An answer is an object with a number for each option, or a list of objects that name an option and
a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from conflicto.aggregation.choices import choices_check, places_by_name, read_choices
from conflicto.aggregation.decimals import decimal_units
from conflicto.aggregation.operation import check_pointer
from conflicto.aggregation.pointer import MISSING, find, parse
from conflicto.aggregation.values import MAX_ELEMENTS, as_number, listable_text, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conflicto.aggregation.operation import OptionCheck

MAX_OPTIONS = 100

OPTION_CHECKS: dict[str, OptionCheck] = {"of": choices_check(MAX_OPTIONS), "option": check_pointer, "amount": check_pointer}
ANSWER_OPTIONS = {"option": "/*", "amount": "/*"}


@dataclass(frozen=True, slots=True)
class OptionNumbers:
    """Reads the numbers of `options`.

    `option` leads from an element of a list to its option, `amount` from an element or a value to
    its number.
    """

    options: tuple[bytes, ...]
    option: tuple[str, ...]
    amount: tuple[str, ...]
    places: Mapping[object, int]
    """Places of the options by their canonical JSON text, and by the name of a member."""

    @classmethod
    def parse(cls, options: Mapping[str, Any], config: object) -> Self:
        """Return the reader for the valid options of an operation."""
        texts = read_choices(options["of"], config, MAX_OPTIONS)
        enumerated: list[tuple[object, int]] = [(text, place) for place, text in enumerate(texts)]
        return cls(
            options=texts,
            option=parse(options.get("option", "")) or (),
            amount=parse(options.get("amount", "")) or (),
            places=dict([*enumerated, *places_by_name(texts).items()]),
        )

    def read(self, value: object) -> dict[int, int]:
        """Return the sum of the numbers of each option, in decimal units, by the option's place."""
        found: dict[int, int] = {}
        for key, element in self._members(value):
            place, number = self.places.get(key), as_number(find(element, self.amount))
            if place is not None and number is not None:
                found[place] = found.get(place, 0) + decimal_units(number)
        return found

    def _members(self, value: object) -> Iterator[tuple[object, object]]:
        """Yield each option of an answer, as a key of `places`, with its element."""
        if not isinstance(value, dict | list) or len(value) > MAX_ELEMENTS:
            return
        if isinstance(value, dict):
            yield from ((normalize(name), below) for name, below in value.items())
            return
        for each in value:
            found = find(each, self.option)
            text = None if found is MISSING else listable_text(found)
            if text is not None:
                yield text, each
