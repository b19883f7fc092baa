"""Batches of rows that were read for one page of a list."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class RowBatch(NamedTuple, Generic[T]):
    """Rows of a list, up to one more than requested.

    `is_cut`: further rows were not read, because these fill a page.
    """

    rows: list[T]
    is_cut: bool = False
