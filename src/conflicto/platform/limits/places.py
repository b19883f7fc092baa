"""Places for costly work: how many requests of one kind may be under way, in all and for one token."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.platform.problems import DomainError


class Places:
    """At most `total` holders at once, at most `each` of one key; `key_taken` and `all_taken` refuse the others."""

    def __init__(self, total: int, each: int, *, key_taken: type[DomainError], all_taken: type[DomainError]) -> None:
        self._total = total
        self._each = each
        self._key_taken = key_taken
        self._all_taken = all_taken
        self._held: Counter[str] = Counter()

    @contextmanager
    def held(self, key: str, *, retry_after_s: int) -> Iterator[None]:
        """Hold a place inside the block.

        Raises:
            DomainError: `key_taken` or `all_taken`.
        """
        if self._held.get(key, 0) >= self._each:
            raise self._key_taken(retry_after_s=retry_after_s)
        if self._held.total() >= self._total:
            raise self._all_taken(retry_after_s=retry_after_s)
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
