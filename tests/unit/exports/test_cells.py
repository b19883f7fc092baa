import pytest

from conflicto.exports.cells import responses_cell
from conflicto.exports.csv import escape_formula
from conflicto.exports.questions import activity_name
from tests.support.samples import activity


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
@pytest.mark.catalogue("W-04")
def test_what_may_be_a_formula_gets_an_apostrophe(start: str) -> None:
    assert escape_formula(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert escape_formula(start) == f"'{start}"


BLANKS = [
    " ", "\u00a0", "\u2003", "\u3000", "\u200b", "\u200e", "\u202e", "\u2060", "\ufeff", "\u00ad", "\u034f", "\ufe0f", "\u115f", "\u3164",
    "\uffa0", "\u2800", "\u180e", "\x01", "\x00", "\x0b", "\x1f", "\x85", "\u2028", "\U000e0020", "\U000e01ef", "\u2065", "\ufff0",
    "\u0301",
]  # fmt: skip


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\ufe66", "\ufe62", "\ufe63", "\ufe6b", "\u2212", "\u207c"])
def test_what_cannot_be_seen_hides_no_formula(blank: str, start: str) -> None:
    for hidden in (f"{blank}{start}1+1", f"{blank * 3}{start}", f" {blank}\t {start}HYPERLINK()"):
        assert escape_formula(hidden) == f"'{hidden}"


@pytest.mark.parametrize("blank", BLANKS)
def test_blanks_before_words_change_nothing(blank: str) -> None:
    assert escape_formula(f"{blank}Anna = {blank}") == f"{blank}Anna = {blank}"
    assert escape_formula(blank) == blank


@pytest.mark.parametrize("plain", ["", "-5", "+5", "-1.50", "-2E+3", "7", "a=b", "'", "Anna", "\uff12"])
def test_plain_numbers_and_words_stay(plain: str) -> None:
    assert escape_formula(plain) == plain


@pytest.mark.parametrize("sneaky", ["-5+1", "-1\n", "+1 ", "-1e", "--1", "-٣", "-.5"])
def test_what_only_begins_like_a_number_is_guarded(sneaky: str) -> None:
    assert escape_formula(sneaky) == f"'{sneaky}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"a \\"q\\" \\u00e9"', 'a "q" é'),
        ("1.50", "1.50"),
        ("true", "true"),
        ("null", "null"),
        ('{"choice":"Curry"}', "Curry"),
        ('{"n":1E2}', "1E2"),
        ('{"x":null}', "null"),
        ("{}", "{}"),
        ('{"a":1,"b":2}', '{"a":1,"b":2}'),
        ('{"a":[1]}', "1"),
        ('{"words":["a, b",2,true,null]}', "a, b; 2; true; null"),
        ('{"a":[]}', '{"a":[]}'),
        ('{"a":[[1]]}', '{"a":[[1]]}'),
        ('{"a":""}', ""),
        ('{"a":{"b":1}}', '{"a":{"b":1}}'),
        ("[1,2]", "1; 2"),
        ('[1,{"a":2}]', '[1,{"a":2}]'),
        ("[]", "[]"),
        ('""', ""),
    ],
)
def test_one_value_is_a_plain_cell_and_anything_else_json(text: str, shown: str) -> None:
    assert responses_cell([text], many=False) == shown


def test_many_answers_are_a_list_however_many_they_are() -> None:
    assert responses_cell(['"a"'], many=True) == '["a"]'
    assert responses_cell(['"a"', '{"b":1}'], many=True) == '["a",{"b":1}]'


@pytest.mark.parametrize(
    ("title", "config", "name"),
    [
        ("Lunch", '{"question":"What?"}', "Lunch"),
        (None, '{"max":3,"question":"What \\u00e9?","hint":"no"}', "What é?"),
        (None, '{"question":"  ","story":"As a guest"}', "As a guest"),
        (None, '{"options":["a"]}', "lunch"),
        (None, '["a"]', "lunch"),
        (None, "{}", "lunch"),
    ],
)
def test_an_activity_is_called_by_its_title_or_its_question(title: str | None, config: str, name: str) -> None:
    assert activity_name(activity(title=title), config) == name
