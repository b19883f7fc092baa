"""Options of an activity that an operation knows: a list in the spec, or in the config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.aggregation.pointer import find_all, parse
from conflicto.aggregation.values import listable_text, normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.aggregation.operation import OptionCheck

_decode = msgspec.json.Decoder().decode


def choices_check(maximum: int) -> OptionCheck:
    """Return the check of a list of options, or of a pointer to one."""

    def check(value: object) -> str | None:
        if isinstance(value, str):
            return None if parse(value) else "must be a JSON pointer into config, with * for every element of a list"
        fits = isinstance(value, list) and 0 < len(value) <= maximum and all(listable_text(each) is not None for each in value)
        return None if fits else f"must be a list of 1 to {maximum} options, or a JSON pointer into config"

    return check


def read_choices(given: Any, config: object, maximum: int) -> tuple[bytes, ...]:  # noqa: ANN401 - a list or a pointer
    """Return the canonical JSON texts of the first `maximum` distinct options."""
    values = find_all(config, parse(given) or ()) if isinstance(given, str) else given
    return tuple(distinct_texts(values)[:maximum])


def distinct_texts(values: Sequence[object]) -> list[bytes]:
    """Return the distinct canonical JSON texts of values, in order."""
    return list(dict.fromkeys(text for text in map(listable_text, values) if text is not None))


def name_of(value: object) -> str | None:
    """Return the name of an object's member that stands for an option, None if none can.

    >>> name_of("a"), name_of(2), name_of(None)
    ('a', '2', None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(normalize(value))


def places_by_name(texts: Sequence[bytes]) -> dict[str, int]:
    """Return the place of each option by the name of its member in an object."""
    names = {name_of(_decode(text)): place for place, text in enumerate(texts)}
    return {name: place for name, place in names.items() if name is not None}
