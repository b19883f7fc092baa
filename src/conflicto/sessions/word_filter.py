"""The word filter of a session: handling of offensive words in nicknames and responses."""

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
    """`mask` shows *** in place of the word.

    `hold` keeps such responses for the host and refuses such nicknames.
    """

    OFF = "off"
    MASK = "mask"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordFilter:
    """Word lists of `languages` and the host's own `words`, with the mode for matches."""

    mode: FilterMode = FilterMode.OFF
    languages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """True if the filter is active."""
        return self.mode is not FilterMode.OFF

    @property
    def matcher(self) -> Matcher:
        """The matcher of the words."""
        return matcher_for(self.languages, self.words)

    def mask_name(self, nickname: str) -> str:
        """Return a nickname as others see it."""
        return self.matcher.masked_name(nickname) or nickname if self.is_on else nickname

    def refuses(self, nickname: str) -> bool:
        """Return whether the filter forbids this nickname."""
        return self.mode is FilterMode.HOLD and bool(self.matcher.spans_in_name(nickname))


NO_FILTER = WordFilter()


def require_searchable(word: str) -> str:
    """Return one of the host's own words.

    Raises:
        ValueError: it contains no letter, digit or sign to search for.
    """
    if not has_word_characters(word):
        raise ValueError("has no letter or digit")
    return word


def parse_filter(text: str | None) -> WordFilter:
    """Return the filter of a stored row."""
    return NO_FILTER if text is None else make_filter(**msgspec.json.decode(text))


def make_filter(mode: str, languages: Iterable[str], words: Iterable[str]) -> WordFilter:
    """Return a filter of valid parts, without duplicates."""
    return WordFilter(mode=FilterMode(mode), languages=tuple(sorted(set(languages))), words=tuple(dict.fromkeys(words)))


def filter_to_json(word_filter: WordFilter) -> dict[str, Any]:
    """Return a filter for a response."""
    return as_row(word_filter)


def serialize_filter(word_filter: WordFilter) -> str | None:
    """Return a filter as it is stored; None if it is off."""
    return None if word_filter == NO_FILTER else msgspec.json.encode(filter_to_json(word_filter)).decode()
