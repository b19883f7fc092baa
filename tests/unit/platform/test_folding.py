import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflicto.platform.folding import fold

ODD = st.text(
    st.sampled_from(
        "aIi\u0130\u0131\u00df\u1e9e\u0307\u0301'\u2019\u00b4\u2011\u0640\u0645\u0622\u0653\u064e\u0654\u200c\u200d\ufe0f\u2764\u0915\u094d\ufb01\u1fb3\u0345"
    )
    | st.characters(exclude_categories=["Cs"]),
    max_size=12,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("don\u2019t", "don't"),
        ("l\u2018amour", "l'amour"),
        ("\u2764\ufe0f", "\u2764"),
        ("co\u00adop", "coop"),
        ("a\u200bb", "ab"),
        ("\u0645\u062d\u0640\u0645\u0640\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u0130stanbul", "istanbul"),
        ("STRASSE", "Stra\u00dfe"),
        ("\uff21", "a"),
        ("\ufb01n", "FIN"),
        ("Zoe\u0308", "ZO\u00cb"),
        ("e\u2010mail", "e-mail"),
    ],
)
def test_spellings_of_one_word_share_a_key(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoe", "Zo\u00eb"),
        ("\u0622", "\u0627"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\U0001f469\U0001f467"),
        ("resume", "r\u00e9sum\u00e9"),
        ("\u0131", "i"),
    ],
)
def test_visibly_different_words_have_different_keys(one, other):
    assert fold(one) != fold(other)


@given(ODD)
def test_folding_again_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(ODD)
def test_normal_forms_and_case_share_a_key(text):
    forms = {fold(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}

    assert forms == {fold(text)}
