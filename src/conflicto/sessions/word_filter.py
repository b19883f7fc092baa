"""What a host wants done with offensive words in what participants write: names and answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.platform.db.rows import as_row
from conflicto.platform.word_filter.matcher import has_word_characters, matcher_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.word_filter.matcher import Matcher

MAX_WORDS = 200
MAX_WORD_CHARS = 60


class FilterMode(StrEnum):
    """`mask`: others see *** in place of the word. `hold`: such answers wait for the host, such names are refused."""

    OFF = "off"
    MASK = "mask"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordFilter:
    """What is looked for (the lists of `languages`, and the host's own `words`), and what is done when it is found."""

    mode: FilterMode = FilterMode.OFF
    languages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether anything is looked for."""
        return self.mode is not FilterMode.OFF

    @property
    def matcher(self) -> Matcher:
        """What finds the words."""
        return matcher_for(self.languages, self.words)

    def mask_name(self, nickname: str) -> str:
        """Return a nickname as others are shown it."""
        return self.matcher.masked_name(nickname) or nickname if self.is_on else nickname

    def refuses(self, nickname: str) -> bool:
        """Whether nobody may take this nickname."""
        return self.mode is FilterMode.HOLD and bool(self.matcher.spans_in_name(nickname))


NO_FILTER = WordFilter()


def require_searchable(word: str) -> str:
    """Return a word of the host's own.

    Raises:
        ValueError: there is no letter, digit or sign in it that could be found.
    """
    if not has_word_characters(word):
        raise ValueError("has no letter or digit")
    return word


def parse_filter(text: str | None) -> WordFilter:
    """Return the filter that a row holds."""
    return NO_FILTER if text is None else make_filter(**msgspec.json.decode(text))


def make_filter(mode: str, languages: Iterable[str], words: Iterable[str]) -> WordFilter:
    """Return a filter, whose parts are known to be right; nothing is in it twice."""
    return WordFilter(mode=FilterMode(mode), languages=tuple(sorted(set(languages))), words=tuple(dict.fromkeys(words)))


def filter_to_json(word_filter: WordFilter) -> dict[str, Any]:
    """Return a filter as it goes over the wire."""
    return as_row(word_filter)


def serialize_filter(word_filter: WordFilter) -> str | None:
    """Return a filter as it is stored; None is none at all."""
    return None if word_filter == NO_FILTER else msgspec.json.encode(filter_to_json(word_filter)).decode()
