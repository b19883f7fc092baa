"""Normal forms equal the standard library's, in linear time."""

import sys
from unicodedata import combining, normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.platform import normalization
from conflicto.platform.normalization import MAX_MARKS_IN_A_ROW, normalized

MARKS = "\u0315\u0300\u0301\u0323\u0345"


@settings(max_examples=300)
@given(
    st.lists(st.text(max_size=8) | st.text(MARKS, max_size=MAX_MARKS_IN_A_ROW // 2 - 4) | st.just("e"), max_size=20).map("e".join)
)
def test_usual_text_has_its_normal_form(text: str) -> None:
    runs = "".join("m" if combining(char) else " " for char in text).split()
    if all(len(run) < MAX_MARKS_IN_A_ROW for run in runs):
        assert normalized("NFKC", text) == normalize("NFKC", text)
        assert normalized("NFKD", text) == normalize("NFKD", text)


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0315\u0300" * 4_000,
        ("a" + "\u0315\u0300" * 14) * 300,
        "\u0301" * 8_000 + "\u0323" * 8_000,
        "x\u0301" * 500 + MARKS * 800 + "y",
        "a\n" + MARKS * 10 + "\n" + MARKS * 400,
    ],
)
def test_no_long_run_of_marks_is_sorted_at_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[str] = []

    def recorded(form: str, piece: str) -> str:
        pieces.append(piece)
        return normalize(form, piece)

    monkeypatch.setattr(normalization, "normalize", recorded)
    normalized("NFKC", text)

    assert "".join(pieces) == text
    longest = max(len(run) for piece in pieces for run in "".join("m" if combining(char) else " " for char in piece).split())
    assert longest < 2 * MAX_MARKS_IN_A_ROW


def test_every_mark_that_unicode_orders_is_known() -> None:
    marks = [chr(code) for code in range(sys.maxunicode + 1) if combining(chr(code))]

    long_run, _ = normalization._patterns()
    assert all(long_run.search(mark * MAX_MARKS_IN_A_ROW) for mark in marks)
