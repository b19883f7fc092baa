import json
import re
from collections import Counter
from enum import StrEnum

import pytest

from conflicto.activities.model import ResponsesVisibility, ResultsVisibility
from conflicto.web.languages import CATALOGS, NAMES, catalogs, negotiate_locale, text_direction
from conflicto.web.page_bundle import STATIC

PLURALS = {".zero", ".one", ".two", ".few", ".many"}


def _keys(locale: str) -> set[str]:
    words = json.loads((CATALOGS / f"{locale}.json").read_text(encoding="utf-8"))
    return {key for key in words if not any(key.endswith(plural) for plural in PLURALS)}


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("de", "de"),
        ("pt-BR,en;q=0.5", "pt"),
        ("sv,nl;q=0.9", "en"),
        ("en;q=0.2,fr;q=0.9", "fr"),
        ("AR-eg", "ar"),
        ("de;q=many,es", "es"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_browser_gets_the_language_it_wants_most(wish: str | None, expected: str) -> None:
    assert negotiate_locale(catalogs(), wish) == expected


def test_an_earlier_wish_wins() -> None:
    assert negotiate_locale(catalogs(), None, "fr", "de") == "fr"


def test_arabic_is_written_from_right_to_left() -> None:
    assert {locale for locale in NAMES if text_direction(locale) == "rtl"} == {"ar"}


@pytest.mark.parametrize("locale", NAMES)
def test_every_language_has_every_text(locale: str) -> None:
    assert _keys(locale) == _keys("en")


@pytest.mark.parametrize("locale", NAMES)
def test_every_language_fills_in_the_same_values(locale: str) -> None:
    english, words = catalogs()["en"], catalogs()[locale]
    for key in _keys("en"):
        assert Counter(re.findall(r"\{\w+\}", words[key])) == Counter(re.findall(r"\{\w+\}", english[key])), key


def test_every_key_that_a_module_uses_exists() -> None:
    keys = set()
    for module in STATIC.rglob("*.js"):
        keys |= set(re.findall(r"""\bt\("([a-z_.]+)\"""", module.read_text(encoding="utf-8")))

    assert keys - _keys("en") == set()
    assert len(keys) > 50


@pytest.mark.parametrize(("beginning", "settings"), [("privacy.", ResponsesVisibility), ("privacy.results_", ResultsVisibility)])
def test_every_setting_has_words_for_participants(beginning: str, settings: type[StrEnum]) -> None:
    assert {beginning + value for value in settings} <= _keys("en")


ALIKE = {"host.waiting_n": {"en", "es", "fr", "pt"}, "host.participants_n": {"en", "de"}}
"""Keys and languages whose singular equals the plural."""


def test_one_has_a_singular_text() -> None:
    """A singular form in one language needs one in each. Arabic has a form for every number."""
    words = {locale: texts for locale, texts in catalogs().items() if locale != "ar"}
    counted = {key for texts in words.values() for key in texts if key.endswith(".one")}

    assert len(counted) > 10
    for key in counted:
        lacking = {locale for locale, texts in words.items() if key not in texts}
        assert lacking == ALIKE.get(key.removesuffix(".one"), set()), key
        assert all(texts[key] != texts[key.removesuffix(".one")] for texts in words.values() if key in texts), key


def test_what_waits_for_seconds_can_wait_for_one() -> None:
    for locale, texts in catalogs().items():
        for key in ("problem.too-many-requests", "problem.too-many-guesses", "host.export_busy", "time.left"):
            assert f"{key}.one" in texts, (locale, key)
