"""`words`: how many answers hold each word, whatever its case; shown as most people wrote it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from conflicto.platform.normalization import normalized
from conflicto.results.folds.base import MOST_LISTED, Kind, first, flag, whole
from conflicto.results.values import elements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.results.folds.base import About

LONGEST_WORD = 200
"""Characters of a word or text that is told back; longer ones are no words."""

MOST_WORDS = 500
"""Words of one answer; the others are not counted."""


@dataclass(frozen=True, slots=True)
class Words:
    """Without `split`, a whole text is one entry."""

    top: int = 100
    split: bool = True

    def read(self, value: object, about: About) -> dict[str, str] | None:  # noqa: ARG002 - Fold's signature
        """Return the distinct words as they are counted, each with its first spelling in this answer."""
        found: dict[str, str] = {}
        texts = (text for text in elements(value) or () if isinstance(text, str))
        for word in islice((word for text in texts for word in self._words(text)), MOST_WORDS):
            found.setdefault(folded(word), word)
        return found or None

    def empty(self) -> Spoken:
        """Return the state of no answers."""
        return Spoken(self.top)

    def _words(self, text: str) -> Iterator[str]:
        pieces = normalized("NFKC", text).split()
        for word in pieces if self.split else [" ".join(pieces)]:
            if word and len(word) <= LONGEST_WORD:
                yield word


def folded(word: str) -> str:
    """Return what spellings of one word have in common.

    >>> folded("STRASSE") == folded("Straße")
    True
    """
    return normalized("NFKC", word.casefold())


class Spoken:
    """How many answers hold each word, in each spelling."""

    def __init__(self, top: int) -> None:
        self.answers = 0
        self._top = top
        self._counts: Counter[str] = Counter()
        self._spellings: dict[str, Counter[str]] = {}

    def add(self, read: dict[str, str]) -> None:
        """Take in an answer."""
        self.answers += 1
        for key, spelling in read.items():
            self._counts[key] += 1
            spellings = self._spellings.get(key)
            if spellings is None:
                spellings = self._spellings[key] = Counter()
            spellings[spelling] += 1

    def remove(self, read: dict[str, str]) -> None:
        """Take it back."""
        self.answers -= 1
        for key, spelling in read.items():
            self._counts[key] -= 1
            self._spellings[key][spelling] -= 1
            if not self._spellings[key][spelling]:
                del self._spellings[key][spelling]
            if not self._counts[key]:
                del self._counts[key], self._spellings[key]

    def result(self) -> dict[str, Any]:
        """Return the words, the most frequent first."""
        told = first(self._counts.items(), self._top, lambda item: (-item[1], item[0]))
        shown = [{"word": self._shown(key), "count": count} for key, count in told]
        others = self._counts.total() - sum(count for _, count in told)
        return {"op": "words", "answers": self.answers, "words": shown, "others": others}

    def dump(self) -> tuple[int, dict[str, dict[str, int]]]:
        """Return how many answers there are, and how many hold each spelling of each word."""
        return self.answers, {key: dict(spellings) for key, spellings in self._spellings.items()}

    def take(self, dumped: tuple[int, dict[str, dict[str, int]]]) -> None:
        """Take in other answers."""
        answers, words = dumped
        self.answers += answers
        for key, spellings in words.items():
            self._counts[key] += sum(spellings.values())
            self._spellings.setdefault(key, Counter()).update(spellings)

    def _shown(self, key: str) -> str:
        return min(self._spellings[key].items(), key=lambda item: (-item[1], item[0]))[0]


KIND = Kind(lambda options, _: Words(**options), {"top": whole(1, MOST_LISTED), "split": flag})
