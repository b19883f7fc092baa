"""Batches that another process may run: the functions of submitted items, by name.

Each declares the types of its items, keys and values, so that they travel as MessagePack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflicto.platform.db.transaction import WriteTx

    Batch = Callable[[WriteTx, list[Any]], Sequence[Any]]


class SharedBatch:
    """A batch with its name, and decoders of what it takes and returns."""

    def __init__(self, name: str, run: Batch, *, item: Any, keys: Any, value: Any) -> None:  # noqa: ANN401 - types
        self.name = name
        self.run = run
        self.decode_item: Callable[[bytes], Any] = msgspec.msgpack.Decoder(item).decode
        self.decode_keys: Callable[[bytes], Any] = msgspec.msgpack.Decoder(keys).decode
        self.decode_value: Callable[[bytes], Any] = msgspec.msgpack.Decoder(value).decode


class Batches:
    """Shared batches of this process. Every process registers the same."""

    def __init__(self) -> None:
        self._by_name: dict[str, SharedBatch] = {}
        self._by_function: dict[Batch, SharedBatch] = {}

    def register(self, batch: SharedBatch) -> None:
        """Let other processes run items of `batch`."""
        self._by_name[batch.name] = self._by_function[batch.run] = batch

    def find(self, run: Batch) -> SharedBatch | None:
        """Return the shared batch of a function, None if its items stay in this process."""
        return self._by_function.get(run)

    def named(self, name: str) -> SharedBatch:
        """Return the batch of a name."""
        return self._by_name[name]
