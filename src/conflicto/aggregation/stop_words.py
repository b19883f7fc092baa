"""Stop words of six languages: articles, prepositions, pronouns, auxiliary verbs.

The lists are those of the package `stop-words` 2018.7.23 (BSD licence, `stop_words.LICENSE`). Its
later releases also list content words, such as "computer" and "change", and would hide them. The
lists here add the stop words among the 100 most frequent words that the package lacks.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from conflicto.aggregation.segmentation import strip_punctuation
from conflicto.platform.folding import fold

LANGUAGES = ("ar", "de", "en", "es", "fr", "pt")

_LISTS = Path(__file__).with_name("stop_words.json")


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the keys of a language's stop words, as `words` counts them.

    Raises:
        KeyError: the language is not in `LANGUAGES`.

    >>> "the" in stop_words("en"), "computer" in stop_words("en")
    (True, False)
    """
    lists: dict[str, list[str]] = json.loads(_LISTS.read_text(encoding="utf-8"))
    return frozenset(key for key in (fold(strip_punctuation(word)) for word in lists[language]) if key)
