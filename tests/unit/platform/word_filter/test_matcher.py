import pytest

from conflicto.platform.word_filter.matcher import Matcher, has_word_characters, matcher_for
from conflicto.platform.word_filter.word_lists import FILES, allowed_words, listed_words

ALL = tuple(FILES)

ORDINARY = {
    "en": [
        "Scunthorpe, Penistone, Cockburn, Lightwater and Clitheroe", "an analysis of the assessment class", "Sussex and Middlesex",
        "We are tied up in meetings, this plan sucks", "the documentation is a mess; butter, cocktails, shitake mushrooms",
        "S/M/L/XL", "Galaxy A55, H2O and CO2 in 2026!", "sex education and gender", "A B C D E F", "hello!!! yessss",
        "circumstance, Dickens, titanic, grasshopper, constitution",
    ],
    "de": ["bitte mit den Vögeln", "Herr Ficker-Becker aus Mösern", "das Ass im Ärmel", "die Größe der Straße", "Mose und die Rosette"],
    "es": ["el martillo y la concha", "contra las drogas, año tras año", "la heroína del infierno", "cómputo del disputado cono"],
    "fr": ["la veuve qui drague", "le concert et la conclusion, Peter", "une pédale bien serrée", "jouir de la vie, une bitte"],
    "pt": ["uma cerveja e frango assado", "o computador, o saco e a torneira", "comer com a mama", "consolo e disputa"],
    "ar": ["شعر جميل ولبن", "حمام تعبان واقف", "محمد علق على الموضوع مرات"],
}  # fmt: skip
"""Common sentences of meetings, some with a listed word inside another word."""

OFFENSIVE = [
    ("en", "what a load of SHIT!", "what a load of ***"),
    ("en", "sh1t, a$$, $hit, b1tch", "***, ***, ***, ***"),
    ("en", "shiiiit", "***"),
    ("en", "s h i t happens, s.h.i.t", "*** happens, ***"),
    ("en", "sh\u200bit and sh\u00adit", "*** and ***"),
    ("en", "\uff33\uff28\uff29\uff34 shít \U0001d4fc\U0001d4f1\U0001d4f2\U0001d4fd", "*** *** ***"),
    ("en", "a piece  of shit.", "a ***."),
    ("en", "two bastards_and one twat", "two ***_and one ***"),
    ("de", "du Arschloch, ihr Fotzen", "du ***, ihr ***"),
    ("de", "SCHEISSE Scheiße scheisse", "*** *** ***"),
    ("es", "¡Gilipollas! ¡Cabrón! cabron", "¡*** ¡*** ***"),
    ("es", "hijo de puta", "***"),
    ("fr", "putain d’enculés", "*** d’***"),
    ("pt", "Vai tomar no cu, CABRÃO", "***, ***"),
    ("ar", "يا شرموطة", "يا ***"),
    ("ar", "الشَّرموطة", "***"),
]


@pytest.mark.parametrize("language", ORDINARY)
def test_common_sentences_pass(language: str) -> None:
    matcher = matcher_for((language,), ())

    assert [text for text in ORDINARY[language] if matcher.spans(text)] == []


@pytest.mark.parametrize(("language", "text", "expected"), OFFENSIVE)
def test_listed_words_and_their_usual_disguises_are_masked(language: str, text: str, expected: str) -> None:
    assert (matcher_for((language,), ()).masked(text) or text) == expected


@pytest.mark.parametrize("language", ALL)
def test_every_language_has_a_list_that_contains_its_allowed_words(language: str) -> None:
    words = listed_words(language)

    assert len(words) > 30
    assert not allowed_words(language) & {word.casefold() for word in words}
    assert all(Matcher((language,), ()).spans(word) for word in words if has_word_characters(word) and word.isalpha())


def test_a_word_matches_only_in_its_language() -> None:
    assert matcher_for(("fr",), ()).spans("con") == [(0, 3)]
    assert matcher_for(("es", "en"), ()).spans("con") == []


def test_own_words_and_phrases_match_whole_even_if_allowed() -> None:
    matcher = Matcher(("de",), ["Voldemort", "project x-ray", "Rosette", "naïf"])

    assert matcher.masked("VOLDEMORT, Voldemorts, a Project X-Ray, rosette, naïf, naif") == "***, Voldemorts, a ***, ***, ***, ***"


def test_the_same_filter_is_one_matcher() -> None:
    assert matcher_for(("en",), ("a b",)) is matcher_for(("en",), ("a b",))


def test_words_longer_than_the_limit_are_not_looked_up() -> None:
    matcher = Matcher((), ["plonk"])

    assert matcher.spans("plonk" + "!" * 59) == [(0, 64)]
    assert matcher.spans("plonk" + "!" * 60) == []


def test_overlapping_matches_are_masked_once() -> None:
    assert Matcher((), ["big deal", "deal breaker"]).masked("a big deal breaker it is") == "a *** it is"


@pytest.mark.parametrize(("text", "expected"), [("a", True), ("7", True), ("$", True), ("🖕", False), (" . ", False), ("", False)])
def test_texts_with_word_characters(text: str, expected: bool) -> None:
    assert has_word_characters(text) is expected
