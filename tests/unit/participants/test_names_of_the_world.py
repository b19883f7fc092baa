"""Real names from all locales of Faker are valid nicknames, with every word filter list on."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from faker import Faker
from faker.config import AVAILABLE_LOCALES

from conflicto.participants.nickname import NicknameInvalid, clean_nickname
from conflicto.platform.word_filter.word_lists import FILES
from conflicto.sessions.word_filter import WordFilter, make_filter

REFUSED = {
    "Coreth von und zu Coredo und Starkenberg": "40 characters: longer than a line of the screen",
    "िकशोरी": "a vowel sign before its consonant, which is a slip of whoever typed the list",
    "िनशा": "the same slip",
    "Merda": "an insult in two of the six languages, and nobody's only way to write the name",
    "Boner": "likewise in English",
}
EVERY_LIST = make_filter("hold", FILES, [])
FULL_NAMES_EACH = 60
LOCALES = sorted(set(AVAILABLE_LOCALES) - {"fr_QC"})  # which Faker calls deprecated


def listed_names() -> Iterator[str]:
    for locale in LOCALES:
        try:
            provider = import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError:
            continue
        for attribute in dir(provider):
            values = getattr(provider, attribute)
            if "name" in attribute and not attribute.endswith("formats") and isinstance(values, tuple | list | dict):
                yield from (each for each in values if isinstance(each, str) and "{{" not in each)


def is_taken(name: str) -> bool:
    try:
        return not EVERY_LIST.refuses(clean_nickname(name).text)
    except NicknameInvalid:
        return False


def test_every_first_name_and_surname_is_taken_but_five():
    names = set(listed_names())

    assert len(names) > 60_000
    assert {name for name in names if not is_taken(name)} == set(REFUSED)


@pytest.mark.parametrize("locale", LOCALES)
def test_full_names_are_taken(locale):
    fake = Faker(locale)
    fake.seed_instance(7)
    names = {fake.name() for _ in range(FULL_NAMES_EACH)}

    refused = {name for name in names if len(name) <= 32 and not is_taken(name)}

    assert {name for name in refused if not any(part in name for part in REFUSED)} == set()


@pytest.mark.parametrize(
    "name", ["Alan Cummings", "Ana Porras", "Jan De Cock", "Priya Nayak", "Kike", "H. Ost", "Ad Min", "Dick", "Zizi"]
)
def test_name_that_stands_in_a_list_is_taken(name):
    assert is_taken(name)
    assert EVERY_LIST.mask_name(name) == name


@pytest.mark.parametrize(("name", "word"), [("Kike", "kike"), ("Jan De Cock", "cock"), ("Cummings", "cummings")])
def test_hosts_own_words_are_found_in_names_too(name, word):
    assert WordFilter(mode=EVERY_LIST.mode, words=(word,)).refuses(name)


@pytest.mark.parametrize("name", ["Fuck you", "Cock", "big cock", "Hurensohn", "sh1t"])
def test_insult_is_no_name(name):
    assert EVERY_LIST.refuses(name)
