"""`words`: number of responses with each word, regardless of case and form.

A word is shown in its most frequent spelling.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel

from conflicto.aggregation.config_options import ConfigOption
from conflicto.aggregation.operation import (
    MAX_ENTRIES,
    MAX_LISTED,
    Operation,
    OperationResult,
    check_boolean,
    whole_number_check,
)
from conflicto.aggregation.pointer import find_all, parse
from conflicto.aggregation.segmentation import split_words, strip_punctuation
from conflicto.aggregation.spill.store import KeySums
from conflicto.aggregation.stop_words import LANGUAGES, stop_words
from conflicto.aggregation.values import elements
from conflicto.platform.folding import fold
from conflicto.platform.normalization import normalized

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conflicto.aggregation.operation import ResponseMetadata, RoundContext
    from conflicto.aggregation.spill.store import SpillStore

MAX_WORD_CHARS = 200
"""Characters of a listed word or text. Longer ones are left out."""

MAX_WORDS = 500
"""Words counted in one response."""

_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
"""Control characters separate words, so no word holds U+0000, the separator in stored keys."""


@dataclass(frozen=True, slots=True)
class WordsFold:
    """Reads words, or whole texts without `split`; `excluded` has the keys that are not counted."""

    top: int = 100
    split: bool = True
    excluded: frozenset[str] = frozenset()

    def read(self, value: object, metadata: ResponseMetadata) -> dict[str, str] | None:  # noqa: ARG002 - Fold's signature
        """Return the keys of the distinct words, each with its first spelling in this response."""
        found: dict[str, str] = {}
        texts = (text for text in elements(value) or () if isinstance(text, str))
        for word in islice((word for text in texts for word in self._words(text)), MAX_WORDS):
            key = fold(strip_punctuation(word))
            if key and key not in self.excluded:
                found.setdefault(key, word)
        return found or None

    def empty(self) -> WordsState:
        """Return an empty state."""
        return WordsState(self.top)

    def _words(self, text: str) -> Iterator[str]:
        shown = normalized("NFC", text)
        if not shown.isprintable():
            shown = shown.translate(_CONTROLS)
        for word in split_words(shown) if self.split else [" ".join(shown.split())]:
            if len(word) <= MAX_WORD_CHARS:
                yield word


class WordsState:
    """The number of responses with each word, by spelling.

    The key of a stored spelling is the word's key, U+0000 and the spelling.
    """

    max_entries = MAX_ENTRIES

    def __init__(self, top: int) -> None:
        self.answers = 0
        self._top = top
        self._total = 0
        self._spelling_count = 0
        self._counts: Counter[str] = Counter()
        self._spellings: dict[str, dict[str, int]] = {}

    def add(self, read: dict[str, str]) -> None:
        """Count a response."""
        self.answers += 1
        self._total += len(read)
        for key, spelling in read.items():
            self._change_count(key, spelling, 1)

    def remove(self, read: dict[str, str]) -> None:
        """Remove a counted response."""
        self.answers -= 1
        self._total -= len(read)
        for key, spelling in read.items():
            self._change_count(key, spelling, -1)

    def result(self) -> dict[str, Any]:
        """Return the words, most frequent first."""
        listed = nsmallest(self._top, self._counts.items(), lambda item: (-item[1], item[0]))
        return self._to_result([(_most_frequent(self._spellings[key]), count) for key, count in listed], len(self._counts))

    def dump(self) -> tuple[int, dict[str, dict[str, int]]]:
        """Return the number of responses, and the counts by word and spelling."""
        return self.answers, {key: dict(spellings) for key, spellings in self._spellings.items()}

    def merge(self, dump: tuple[int, dict[str, dict[str, int]]]) -> None:
        """Add the responses of another state."""
        answers, words = dump
        self.answers += answers
        for key, spellings in words.items():
            for spelling, count in spellings.items():
                self._total += count
                self._change_count(key, spelling, count)

    @property
    def entries(self) -> int:
        """The number of spellings in memory."""
        return self._spelling_count

    def detach(self) -> Self:
        """Return the memory part as a separate state, and start again empty."""
        detached = copy(self)
        self._counts, self._spellings, self._spelling_count = Counter(), {}, 0
        return detached

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the memory part to the stored part."""
        spill.add(state, (KeySums(key, count, 0, count) for key, count in self._counts.items() if count))
        spelled = ((f"{key}\0{text}", count) for key, spellings in self._spellings.items() for text, count in spellings.items())
        spill.add(state, (KeySums(key, count, 0, 0) for key, count in spelled))

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part."""
        found = spill.ranked(state, self._top + 1)
        listed = [
            (_most_frequent({stored.partition("\0")[2]: times for stored, times in spill.with_prefix(state, key)}), count)
            for key, count, _ in found[: self._top]
        ]
        return self._to_result(listed, len(found))

    def _to_result(self, listed: Sequence[tuple[str, int]], distinct: int) -> dict[str, Any]:
        words = [{"word": word, "count": count} for word, count in listed]
        others = self._total - sum(count for _, count in listed)
        return {"op": "words", "answers": self.answers, "words": words, "others": others, "truncated": distinct > len(listed)}

    def _change_count(self, key: str, spelling: str, times: int) -> None:
        """Count a spelling, and remove it at 0. With a stored part, counts may be negative."""
        self._counts[key] += times
        spellings = self._spellings.setdefault(key, {})
        count = spellings.get(spelling)
        if count is None:
            spellings[spelling] = times
            self._spelling_count += 1
        elif count + times:
            spellings[spelling] = count + times
        else:
            del spellings[spelling]
            self._spelling_count -= 1
            if not spellings:
                del self._counts[key], self._spellings[key]


def _most_frequent(spellings: Mapping[str, int]) -> str:
    return min(spellings.items(), key=lambda item: (-item[1], item[0]))[0]


def _check_languages(value: object) -> str | None:
    if isinstance(value, str):
        return None if parse(value) else "must be a JSON pointer into config, or a list of languages"
    fits = isinstance(value, list) and 0 < len(value) <= len(LANGUAGES) and all(each in LANGUAGES for each in value)
    return None if fits else f"must be a list of languages ({', '.join(LANGUAGES)}), or a JSON pointer into config"


def _build(options: Mapping[str, Any], context: RoundContext) -> WordsFold:
    given = options.get("stop_words", ())
    languages = find_all(context.config, parse(given) or ()) if isinstance(given, str) else given
    listed = (stop_words(each) for each in LANGUAGES if each in languages)
    return WordsFold(**{name: options[name] for name in ("top", "split") if name in options}, excluded=frozenset().union(*listed))


class WordCount(BaseModel):
    """Number of responses that held a word."""

    word: str
    count: int


class WordsResult(OperationResult):
    """Words by frequency, the most frequent first."""

    op: Literal["words"]
    words: list[WordCount]
    others: int
    truncated: bool


OPERATION = Operation(
    _build,
    WordsResult,
    {"top": ConfigOption(whole_number_check(1, MAX_LISTED)), "split": check_boolean, "stop_words": _check_languages},
    config_options=frozenset({"stop_words"}),
)
