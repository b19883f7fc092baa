"""Conversion of rows between a driver's values and an archive's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


def convert_rows(
    rows: Iterable[Sequence[Any]], kinds: Sequence[str], conversions: Mapping[str, Callable[[Any], Any]]
) -> Iterator[list[Any]]:
    """Yield rows with their values converted by kind; None and other kinds stay as they are."""
    special = [(place, conversions[kind]) for place, kind in enumerate(kinds) if kind in conversions]
    for row in rows:
        values = list(row)
        for place, convert in special:
            if values[place] is not None:
                values[place] = convert(values[place])
        yield values
