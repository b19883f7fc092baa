"""Words as people read them: boundaries, equivalent spellings, and the displayed form."""

import pytest

from conflicto.aggregation.operation import ResponseMetadata
from conflicto.aggregation.operations.words import WordsFold
from conflicto.aggregation.segmentation import split_words, strip_punctuation

ABOUT = ResponseMetadata(1, 1, 1, "")


def counted(*answers: str, split: bool = True) -> dict[str, int]:
    words = WordsFold(split=split)
    state = words.empty()
    for answer in answers:
        read = words.read(answer, ABOUT)
        if read:
            state.add(read)
    return {each["word"]: each["count"] for each in state.result()["words"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("calm.", "calm"),
        ("great!", "great"),
        ("\u201cteam\u201d", "team"),
        ("(team)", "team"),
        ("don\u2019t", "don't"),
        ("l\u2019amour", "l'amour"),
        ("\u2764\ufe0f", "\u2764"),
        ("co\u200bop", "coop"),
        ("\u0645\u062d\u0640\u0645\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u0645\u064f\u062d\u0645\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u0130stanbul", "istanbul"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\uff30izza", "pizza"),
        ("e\u2011mail", "e-mail"),
    ],
)
@pytest.mark.parametrize("split", [True, False])
def test_spellings_of_one_word_count_together(one: str, other: str, split: bool) -> None:
    assert sum(counted(one, other, split=split).values()) == 2
    assert len(counted(one, other, split=split)) == 1


@pytest.mark.parametrize("sign", ["-", "&", "\u2013", "...", "\u201c\u201d", "*"])
def test_signs_are_no_words(sign: str) -> None:
    assert counted(f"tea {sign} cake") == {"tea": 1, "cake": 1}
    assert counted(sign) == {}


@pytest.mark.parametrize(
    "word", ["C#", "C++", "50%", "\u20ac5", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "O'Brien", "A/B", "#1"]
)
def test_signs_that_belong_to_a_word_stay(word: str) -> None:
    assert strip_punctuation(f"\u201c{word}\u201d!") == word.removeprefix("#")


@pytest.mark.parametrize("word", ["\u0e19\u0e49\u0e33", "H\u2082O", "m\u00b2", "\u00bd", "\u2116"])
def test_words_are_shown_as_they_were_written(word: str) -> None:
    assert counted(word) == {word: 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u4eca\u65e5\u306f\u5929\u6c17\u304c\u3044\u3044", ["\u4eca\u65e5", "\u306f", "\u5929\u6c17", "\u304c", "\u3044\u3044"]),
        ("\u4f60\u597d\u4e16\u754c\uff01", ["\u4f60\u597d", "\u4e16\u754c"]),
        ("\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22", ["\u0e20\u0e32\u0e29\u0e32", "\u0e44\u0e17\u0e22"]),
        ("\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8", ["\ud55c\uad6d\uc5b4", "\ud14d\uc2a4\ud2b8"]),
        ("\U00020bb7\u91ce\u5bb6", ["\U00020bb7", "\u91ce\u5bb6"]),
        ("e-mail don't", ["e-mail", "don't"]),
    ],
)
def test_scripts_without_blanks_are_distinguished_by_a_dictionary(text: str, words: list[str]) -> None:
    assert list(split_words(text)) == words
