"""Languages of the pages, and the choice of one by a browser's preferences."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from conflicto.web.page_bundle import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CATALOGS = HERE / "i18n"
FALLBACK = "en"
RIGHT_TO_LEFT = frozenset({"ar"})
NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "pt": "Português", "ar": "العربية"}

_WEIGHT = re.compile(r"(?:[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
"""Quality value of a language, from 0 to 1, 1 by default (RFC 9110 §12.4.2)."""

MAX_ACCEPT_LANGUAGE_CHARS = 200
"""Characters of an `Accept-Language` header that are read."""


def catalogs() -> dict[str, dict[str, str]]:
    """Return the texts of every language, each complete and with its own plural forms."""
    return {locale: _catalog(locale) for locale in NAMES}


def negotiate_locale(known: Mapping[str, object], *preferences: str | None) -> str:
    """Return the first known language of the preferences.

    A preference may be a list with quality values, as in `Accept-Language`.
    """
    for preference in preferences:
        for tag in _by_weight(preference or ""):
            for name in (tag, tag.partition("-")[0]):
                if name in known:
                    return name
    return FALLBACK


def text_direction(locale: str) -> str:
    """Return the text direction of a language: `rtl` or `ltr`."""
    return "rtl" if locale in RIGHT_TO_LEFT else "ltr"


def _by_weight(preference: str) -> Iterator[str]:
    weighed = []
    for part in preference[:MAX_ACCEPT_LANGUAGE_CHARS].split(","):
        tag, _, parameter = part.partition(";")
        weight = _WEIGHT.fullmatch(parameter.strip())
        if weight and float(weight[1] or 1) > 0:
            weighed.append((-float(weight[1] or 1), tag.strip().lower()))
    return (tag for _, tag in sorted(weighed, key=lambda each: each[0]))


def _catalog(locale: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((CATALOGS / f"{locale}.json").read_text(encoding="utf-8"))
    return texts
