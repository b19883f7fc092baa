"""Parts of lists: what was read, and whether size alone ended the reading."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class RowBatch(NamedTuple, Generic[T]):
    """Rows of a list, up to one more than were asked for. `is_cut`: more were not read because these are large enough for a page."""

    rows: list[T]
    is_cut: bool = False
