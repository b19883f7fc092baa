"""Segmentation of a text into words: at white space, and by a dictionary in scripts without spaces.

The dictionaries are those of ICU (`icu4py`), which browsers and phones use as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import category

from icu4py.breakers import WordBreaker

if TYPE_CHECKING:
    from collections.abc import Iterator

# Thai and Lao, Myanmar, Khmer, kana, Chinese characters and those beyond the first plane. Korean
# uses spaces.
_UNSPACED_SCRIPTS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]"
)
_ANY_LANGUAGE = "und"

_STRIPPED_CATEGORIES = ("P", "Sm", "Sk")
"""Prefixes of the Unicode categories stripped at the edges of a word.

They are punctuation, math signs and lone accents."""

_WORD_ENDINGS = frozenset("#%+")
"""Characters kept at the end of a word: C#, 50%, C++."""


def split_words(text: str) -> Iterator[str]:
    """Yield the words of a text without surrounding punctuation. Signs alone are not words.

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
    """Return a word without punctuation at its edges."""
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
