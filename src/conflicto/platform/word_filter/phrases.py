"""An Aho-Corasick automaton over words that finds phrases in one pass.

The time depends on the text alone. Phrases that end at the same word overlap, and overlapping
matches are masked as one. So each state stores the longest phrase that ends there, and each word of
the text yields at most one span.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]

MAX_GAP_CHARACTERS = 3
"""Characters between two words of a phrase: a space or some punctuation."""

STATE_BYTES = 400
"""Estimated memory of a state with its transitions."""

ROOT = 0


class PhraseAutomaton:
    """An immutable automaton that finds sequences of words."""

    def __init__(self, phrases: Iterable[Sequence[str]]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._longest: list[int] = [0]
        for phrase in phrases:
            self._insert(phrase)
        self._fallback = [ROOT] * len(self._next)
        self._link()

    @property
    def memory_bytes(self) -> int:
        """The estimated memory of the automaton."""
        return STATE_BYTES * len(self._next)

    def spans(self, tokens: Sequence[Span], keys: Sequence[str]) -> Iterator[Span]:
        """Yield the longest phrase that ends at each word; `tokens` are the words' spans."""
        if len(self._next) == 1:
            return
        state = ROOT
        for place, key in enumerate(keys):
            if place and tokens[place][0] - tokens[place - 1][1] > MAX_GAP_CHARACTERS:
                state = ROOT
            state = self._after(state, key)
            words = self._longest[state]
            if words:
                yield tokens[place - words + 1][0], tokens[place][1]

    def _after(self, state: int, key: str) -> int:
        while True:
            following = self._next[state].get(key)
            if following is not None:
                return following
            if state == ROOT:
                return ROOT
            state = self._fallback[state]

    def _insert(self, phrase: Sequence[str]) -> None:
        state = ROOT
        for key in phrase:
            following = self._next[state].get(key)
            if following is None:
                following = self._next[state][key] = len(self._next)
                self._next.append({})
                self._longest.append(0)
            state = following
        self._longest[state] = len(phrase)

    def _link(self) -> None:
        """Set the fallback of each state to that of its longest proper suffix, level by level."""
        waiting = deque(self._next[ROOT].values())
        while waiting:
            state = waiting.popleft()
            for key, following in self._next[state].items():
                self._fallback[following] = self._after(self._fallback[state], key)
                waiting.append(following)
            self._longest[state] = self._longest[state] or self._longest[self._fallback[state]]
