"""Lists of words by language: those of the package `glin-profanity`, without what ordinary talk needs (`spared.json`).

Its data files are read in place and nothing of it is imported: its own filter takes some thirty times as long, and gives no places.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

FILES = {"ar": "arabic", "de": "german", "en": "english", "es": "spanish", "fr": "french", "pt": "portuguese"}
"""The languages that there are lists of, by code, and the names of their files in the package."""

_ALLOWED = Path(__file__).with_name("spared.json")
_COMMON = Path(__file__).with_name("ordinary.json")
_NAMES = Path(__file__).with_name("names.json")


@cache
def listed_words(language: str) -> tuple[str, ...]:
    """Return the words and phrases of a language, as they are written in its list."""
    path = distribution("glin-profanity").locate_file(f"glin_profanity/data/dictionaries/{FILES[language]}.json")
    words = _read(Path(str(path)))["words"]
    spared = allowed_words(language)
    return tuple(word for word in dict.fromkeys(words) if word.casefold() not in spared)


@cache
def allowed_words(language: str) -> frozenset[str]:
    """Return what stands in the list of a language and passes all the same."""
    return frozenset(word.casefold() for word in _read(_ALLOWED)[language])


@cache
def common_words(language: str) -> frozenset[str]:
    """Return what people say every day in a language and what stands in the list of another.

    French lists "con", which is "with" in Spanish. A test compares this with the most frequent words of each language.
    """
    return frozenset(_read(_COMMON).get(language, ()))


@cache
def listed_names() -> frozenset[str]:
    """Return given names and surnames that stand in a list: they pass in a nickname, and are found everywhere else."""
    return frozenset(_read(_NAMES))


def _read(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text(encoding="utf-8"))
