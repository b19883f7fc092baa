import json
import re
from collections import Counter

import pytest

from conflicto.web.assets import STATIC
from conflicto.web.languages import CATALOGS, NAMES, catalogs, chosen, direction

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
    assert chosen(catalogs(), wish) == expected


def test_an_earlier_wish_wins() -> None:
    assert chosen(catalogs(), None, "fr", "de") == "fr"


def test_arabic_is_written_from_right_to_left() -> None:
    assert {locale for locale in NAMES if direction(locale) == "rtl"} == {"ar"}


@pytest.mark.parametrize("locale", NAMES)
def test_every_language_says_everything(locale: str) -> None:
    assert _keys(locale) == _keys("en")


@pytest.mark.parametrize("locale", NAMES)
def test_every_language_fills_in_the_same_values(locale: str) -> None:
    english, words = catalogs()["en"], catalogs()[locale]
    for key in _keys("en"):
        assert Counter(re.findall(r"\{\w+\}", words[key])) == Counter(re.findall(r"\{\w+\}", english[key])), key


def test_every_word_that_a_module_asks_for_is_there() -> None:
    asked = set()
    for module in STATIC.rglob("*.js"):
        asked |= set(re.findall(r"""\bt\("([a-z_.]+)\"""", module.read_text(encoding="utf-8")))

    assert asked - _keys("en") == set()
    assert len(asked) > 50
