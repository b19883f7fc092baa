"""Common words of a language pass, with any combination of languages."""

from itertools import permutations

import pytest
from wordfreq import top_n_list

from conflicto.platform.word_filter.matcher import Matcher
from conflicto.platform.word_filter.word_lists import FILES, common_words

FREQUENT_WORDS = 5_000

VULGAR = {"de": {"fuck"}, "es": {"porno"}, "fr": {"porno"}, "pt": {"idiota"}}
"""Words that are frequent in a language and absent from its list, but rude there too. Another
language lists them."""


def frequent(language: str) -> list[str]:
    return top_n_list(language, FREQUENT_WORDS)


@pytest.mark.parametrize("language", FILES)
def test_no_frequent_word_of_a_language_matches_the_list_of_another(language):
    own = Matcher((language,), ())
    for other in FILES:
        both = Matcher((language, other), ())
        found = {word for word in frequent(language) if both.spans(word) and not own.spans(word)}

        assert found <= VULGAR.get(language, set()), other


@pytest.mark.parametrize(
    ("language", "other", "text"),
    [
        ("es", "fr", "caf\u00e9 con leche"),
        ("es", "en", "un gato negro"),
        ("fr", "en", "le train a du retard"),
        ("de", "en", "das Buch ist dick"),
        ("en", "fr", "a bite to eat"),
    ],
)
def test_common_sentences_pass_with_two_languages(language, other, text):
    assert not Matcher((language, other), ()).spans(text)
    assert Matcher((other,), ()).spans(text)


def test_common_words_are_frequent_in_their_language_and_listed_in_another():
    for language in FILES:
        others = [Matcher((other,), ()) for other in FILES if other != language]
        for word in common_words(language):
            assert word in frequent(language)
            assert any(other.spans(word) for other in others)


@pytest.mark.parametrize(("one", "other"), list(permutations(("en", "de", "fr"), 2)))
def test_a_hosts_own_word_matches_even_if_it_is_common(one, other):
    assert Matcher((one, other), ("con",)).spans("con")
