import io

import pytest

from conflicto.cli.replay.table import TableInvalid, json_text, read_table


def table(text: str):
    return read_table(io.StringIO(text, newline=""))


@pytest.mark.parametrize("number", ["0", "-0", "7", "-7", "1.50", "1e5", "-2.5E-3", "9007199254740991"])
def test_a_number_keeps_its_spelling(number: str) -> None:
    assert json_text(number) == number


@pytest.mark.parametrize(
    "text", ["007", "+1", "1.", ".5", "1e400", "NaN", "9007199254740992", " 7", "٣", "true", "null", "1,5", "-"]
)
def test_what_is_no_exact_json_number_is_a_string(text: str) -> None:
    assert json_text(text) == f'"{text}"'


def test_an_empty_cell_is_no_answer_and_text_is_escaped() -> None:
    assert json_text("") is None
    assert json_text('é "q"\n\\') == '"é \\"q\\"\\n\\\\"'


def test_columns_and_rows_in_their_order() -> None:
    read = table('a, b\r\n1,\r\n\r\n"x\ny",2\r\n')

    assert read.columns == ("a", "b")
    assert read.rows == (("1", None), ('"x\\ny"', "2"))
    assert read.column(1) == [(1, "2")]
    assert read.cells == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1"),
        ("a,,b\n1,2,3\n", "Line 1"),
        ("a,a\n1,2\n", "Line 1"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n1\n", "Line 3 has 1 cells, the header has 2."),
        ('a,b\n"1" x,2\n', "Line 2 cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(TableInvalid, match=message):
        table(text)
