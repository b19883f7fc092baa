"""Which languages the pages speak, and which of them a browser wants."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from conflicto.web.assets import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CATALOGS = HERE / "i18n"
FALLBACK = "en"
RIGHT_TO_LEFT = frozenset({"ar"})
NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "pt": "Português", "ar": "العربية"}

_WEIGHT = re.compile(r"(?:[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
"""A parameter that says how much a language is wanted, 0 for not at all (RFC 9110 §12.4.2); without one it counts as 1."""

MAX_ACCEPT_LANGUAGE_CHARS = 200
"""Characters of an `Accept-Language` that are looked at."""


def catalogs() -> dict[str, dict[str, str]]:
    """Return the words of every language; each says everything, in plural forms of its own."""
    return {locale: _catalog(locale) for locale in NAMES}


def negotiate_locale(known: Mapping[str, object], *wishes: str | None) -> str:
    """Return the first language among the wishes that the pages speak; a wish may be a list with weights, as browsers send it."""
    for wish in wishes:
        for tag in _by_weight(wish or ""):
            for name in (tag, tag.partition("-")[0]):
                if name in known:
                    return name
    return FALLBACK


def text_direction(locale: str) -> str:
    """Return how the language is written."""
    return "rtl" if locale in RIGHT_TO_LEFT else "ltr"


def _by_weight(wish: str) -> Iterator[str]:
    weighed = []
    for part in wish[:MAX_ACCEPT_LANGUAGE_CHARS].split(","):
        tag, _, parameter = part.partition(";")
        weight = _WEIGHT.fullmatch(parameter.strip())
        if weight and float(weight[1] or 1) > 0:
            weighed.append((-float(weight[1] or 1), tag.strip().lower()))
    return (tag for _, tag in sorted(weighed, key=lambda each: each[0]))


def _catalog(locale: str) -> dict[str, str]:
    words: dict[str, str] = json.loads((CATALOGS / f"{locale}.json").read_text(encoding="utf-8"))
    return words
