"""Stop words: left out of a cloud in each language and in every equivalent spelling."""

import pytest

from conflicto.aggregation.stop_words import LANGUAGES, stop_words
from conflicto.results.tally import TallyInputs
from tests.unit.aggregation.test_operations import result

SENTENCES = {
    "ar": ("\u0645\u0646 \u0641\u064a \u0639\u0644\u0649", "\u0636\u0648\u0621"),
    "de": ("das ist am f\u00fcr \u201eund\u201c", "Tageslicht"),
    "en": ("The, and is don\u2019t I'm", "daylight"),
    "es": ("el y es m\u00e1s para", "luz"),
    "fr": ("le et est \u00e0 pour", "lumi\u00e8re"),
    "pt": ("o e \u00e9 n\u00e3o para", "luz"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cloud_holds_the_answers_without_stop_words(language: str) -> None:
    small, content = SENTENCES[language]
    text = f"{small} {content}"
    found = result({"op": "words", "stop_words": [language]}, text, text, small)
    assert found["words"] == [{"word": content, "count": 2}]
    assert (found["answers"], found["others"]) == (2, 0)
    assert len(result({"op": "words"}, text)["words"]) == 1 + len(small.split())


def test_the_language_may_stand_in_the_config() -> None:
    entry = {"op": "words", "stop_words": "/language"}
    assert [each["word"] for each in result(entry, "das Licht", config={"language": "de"})["words"]] == ["Licht"]
    for config in ({}, {"language": "en"}, {"language": "xx"}, {"language": ["de"]}, None):
        assert len(result(entry, "das Licht", config=config)["words"]) == 2, config
    basis = TallyInputs('{"r":{"path":"","op":"words","stop_words":"/language"}}', None, None, None, config='{"language":"de"}')
    assert basis.digest != basis._replace(config='{"language":"en"}').digest


def test_words_with_content_are_in_no_list() -> None:
    for language, words in {
        "en": ("computer", "change", "work", "time", "people"),
        "de": ("arbeit", "zeit", "licht"),
        "es": ("luz",),
    }.items():
        assert not stop_words(language).intersection(words)
