"""A shelf: the ready answers of one view of one thing, by the exact target of the request, and the passes that open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.express.cache import ResponseCache

if TYPE_CHECKING:
    from conflicto.platform.express.passes import Pass
    from conflicto.platform.express.ready import Ready

MOST_ANSWERS = 20_000
"""Answers on one shelf. More than a few dozen come only from people at positions of their own; their bytes are bounded by the cache."""

NOBODY = 0
"""The bearer of passes that belong to no seat."""


class Shelf:
    """`answers` is read by the lane on every poll; only the owner of what they are made from puts answers there, and takes them away."""

    __slots__ = ("_following", "_passes", "answers", "is_open")

    def __init__(self, cache: ResponseCache | None = None) -> None:
        self.answers = (cache or ResponseCache()).map()
        self.is_open = True
        self._following: set[bytes] = set()
        self._passes: dict[int, list[Pass]] = {}

    def put(self, target: bytes, ready: Ready, *, follows_data: bool) -> None:
        """Lay an answer ready; `follows_data`: it also ends with the next change of data, not only with one of control."""
        if not self.is_open or (len(self.answers) >= MOST_ANSWERS and target not in self.answers):
            return
        if self.answers.put(target, ready) and follows_data:
            self._following.add(target)

    def clear(self) -> None:
        """Take every answer away."""
        self.answers.clear()
        self._following.clear()

    def clear_data(self) -> None:
        """Take away what shows data, and leave what only control changes."""
        for target in self._following:
            self.answers.drop(target)
        self._following.clear()

    def admit(self, opened: Pass, now_s: float) -> None:
        """Note a pass that opens this shelf, and forget its bearer's earlier ones that are over."""
        living = [earlier for earlier in self._passes.get(opened.bearer, ()) if earlier.until_s > now_s]
        self._passes[opened.bearer] = [*living, opened]

    def forget(self, opened: Pass) -> None:
        """Forget a pass that is over."""
        living = [each for each in self._passes.get(opened.bearer, ()) if each is not opened]
        if living:
            self._passes[opened.bearer] = living
        else:
            self._passes.pop(opened.bearer, None)

    def revoke(self, bearer: int | None = None) -> None:
        """End the passes of one bearer, or all of them; whoever may still come in gets a new one on the whole way."""
        bearers = list(self._passes) if bearer is None else [bearer]
        for each in bearers:
            for opened in self._passes.pop(each, ()):
                opened.end()

    def close(self) -> None:
        """End it all: what the answers were made from is no longer kept here."""
        self.is_open = False
        self.clear()
        self.revoke()
