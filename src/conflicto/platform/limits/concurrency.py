"""Limits on requests that run at the same time, in total and per key."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.platform.problems import DomainError


class ConcurrencyLimit:
    """A limit of `max_total` running requests, and of `max_per_key` for one key."""

    def __init__(self, max_total: int, max_per_key: int, *, key_error: type[DomainError], total_error: type[DomainError]) -> None:
        self._max_total = max_total
        self._max_per_key = max_per_key
        self._key_error = key_error
        self._total_error = total_error
        self._active: Counter[str] = Counter()

    @contextmanager
    def slot(self, key: str, *, retry_after_s: int) -> Iterator[None]:
        """Occupy a slot for the duration of the block.

        Raises:
            DomainError: `key_error` if the key has no free slot, `total_error` if nobody has.
        """
        if self._active.get(key, 0) >= self._max_per_key:
            raise self._key_error(retry_after_s=retry_after_s)
        if self._active.total() >= self._max_total:
            raise self._total_error(retry_after_s=retry_after_s)
        self._active[key] += 1
        try:
            yield
        finally:
            self._active[key] -= 1
            if not self._active[key]:
                del self._active[key]
