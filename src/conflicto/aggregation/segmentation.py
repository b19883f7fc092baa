"""Words of a text: pieces between blanks, and in scripts that write none between words those that a dictionary tells apart.

The dictionaries are those of ICU (`icu4py`), which browsers and phones use as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import category

from icu4py.breakers import WordBreaker

if TYPE_CHECKING:
    from collections.abc import Iterator

# Thai and Lao, Myanmar, Khmer, kana, Chinese characters and those beyond the first plane. Korean has blanks.
_UNSPACED_SCRIPTS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]"
)
_ANY_LANGUAGE = "und"

_STRIPPED_CATEGORIES = ("P", "Sm", "Sk")
"""Beginnings of the Unicode categories that are no part of a word at its edges: punctuation, signs as of sums, and accents alone."""

_WORD_ENDINGS = frozenset("#%+")
"""Signs that belong to the word before them: C#, 50%, C++."""


def split_words(text: str) -> Iterator[str]:
    """Yield the words of a text without the punctuation around them; signs that stand alone are none.

    >>> list(split_words("Great! \u201cteam\u201d - C# & 50 %"))
    ['Great', 'team', 'C#', '50']
    """
    for piece in text.split():
        parts = WordBreaker(piece, _ANY_LANGUAGE) if _UNSPACED_SCRIPTS.search(piece) else (piece,)
        for part in parts:
            word = strip_punctuation(part)
            if word:
                yield word


def strip_punctuation(word: str) -> str:
    """Return a word without the punctuation at its edges."""
    start, end = 0, len(word)
    while start < end and category(word[start]).startswith(_STRIPPED_CATEGORIES):
        start += 1
    while (
        start < end
        and category(word[end - 1]).startswith(_STRIPPED_CATEGORIES)
        and not (word[end - 1] in _WORD_ENDINGS and end - start > 1)
    ):
        end -= 1
    return word[start:end]
