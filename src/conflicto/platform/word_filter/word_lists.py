"""Word lists by language from the package `glin-profanity`, without the words of `allowed.json`.

The data files are read in place and no code of the package is imported: its own filter takes about
thirty times as long and returns no positions.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

FILES = {"ar": "arabic", "de": "german", "en": "english", "es": "spanish", "fr": "french", "pt": "portuguese"}
"""Languages with a list, by code, and the names of their files in the package."""

_ALLOWED = Path(__file__).with_name("allowed.json")
_COMMON = Path(__file__).with_name("common.json")
_NAMES = Path(__file__).with_name("names.json")


@cache
def listed_words(language: str) -> tuple[str, ...]:
    """Return the words and phrases of a language as its list spells them."""
    path = distribution("glin-profanity").locate_file(f"glin_profanity/data/dictionaries/{FILES[language]}.json")
    words = _read(Path(str(path)))["words"]
    allowed = allowed_words(language)
    return tuple(word for word in dict.fromkeys(words) if word.casefold() not in allowed)


@cache
def allowed_words(language: str) -> frozenset[str]:
    """Return words in the list of a language that pass nevertheless."""
    return frozenset(word.casefold() for word in _read(_ALLOWED)[language])


@cache
def common_words(language: str) -> frozenset[str]:
    """Return common words of a language that are in the list of another language.

    French lists "con", which is "with" in Spanish. A test compares the result with the most
    frequent words of each language.
    """
    return frozenset(_read(_COMMON).get(language, ()))


@cache
def listed_names() -> frozenset[str]:
    """Return listed given names and surnames; they pass in nicknames and match everywhere else."""
    return frozenset(_read(_NAMES))


def _read(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text(encoding="utf-8"))
