import re
import unicodedata

import pytest

from conflicto.participants import nickname as module
from conflicto.participants.nickname import Nickname, NicknameInvalid, clean_nickname, suggestions
from conflicto.platform.problems import Kind

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def refused(raw: str) -> NicknameInvalid:
    with pytest.raises(NicknameInvalid) as caught:
        clean_nickname(raw)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "text", "key"),
    [
        ("Anna", "Anna", "anna"),
        ("  Anna   Maria ", "Anna Maria", "anna maria"),
        ("Anna\u00a0\u3000\u1680Maria", "Anna Maria", "anna maria"),
        ("\uff21nna\uff11", "\uff21nna\uff11", "anna1"),
        ("Zoe\u0308", "Zo\u00eb", "zo\u00eb"),
        ("STRASSE", "STRASSE", "strasse"),
        ("Stra\u00dfe", "Stra\u00dfe", "strasse"),
        (
            "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
            "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
            "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3",
        ),
        ("\u738b\u5c0f\u660e", "\u738b\u5c0f\u660e", "\u738b\u5c0f\u660e"),
        ("\u0645\u062d\u0645\u062f", "\u0645\u062d\u0645\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u0926\u0947\u0935\u094d", "\u0926\u0947\u0935\u094d", "\u0926\u0947\u0935\u094d"),
        ("O'Neil-M\u00fcller (2)", "O'Neil-M\u00fcller (2)", "o'neil-m\u00fcller (2)"),
        ("7", "7", "7"),
        ("\u20ac", "\u20ac", "\u20ac"),
    ],
)
def test_clean_normalises(raw, text, key):
    assert clean_nickname(raw) == Nickname(text, key)


@pytest.mark.parametrize(
    "emoji",
    [
        "\U0001f600",
        "\u2764\ufe0f",
        "\u263a\ufe0e",
        FAMILY,
        "\U0001f469\U0001f3fd\u200d\U0001f4bb",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f1e9\U0001f1ea",
        "1\ufe0f\u20e3",
        "#\u20e3",
        "\U0001faef",  # unassigned in this Python's Unicode, as next year's emoji will be
    ],
)
def test_emoji_is_a_name_and_part_of_one(emoji):
    assert clean_nickname(emoji).text == emoji
    assert clean_nickname(f"Anna {emoji} B").text == f"Anna {emoji} B"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "aNNA"),
        ("\u2764\ufe0f", "\u2764"),
        ("\u263a\ufe0f", "\u263a\ufe0e"),
        ("Stra\u00dfe", "STRASSE"),
        ("\ufb01n", "FIN"),
        ("Zoe\u0308", "ZO\u00cb"),
        ("A  B", "a\u00a0b"),
        ("O'Brien", "O\u2019Brien"),
        ("O'Brien", "O\u02bcBrien"),
        ("O'Brien", "O\u00b4Brien"),
        ("Anna-Maria", "Anna\u2011Maria"),
        ("\u0645\u062d\u0645\u062f", "\u0645\u062d\u0640\u0645\u0640\u062f"),
        ("\u0645\u062d\u0645\u062f", "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f"),
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u0631\u0636\u0627"),
        ("\u0d87\u0dc1\u0dca\u200d\u0dbb", "\u0d87\u0dc1\u0dca\u0dbb"),
        ("\u0130brahim", "ibrahim"),
        ("\uff21nna", "Anna"),
    ],
)
def test_names_that_look_alike_share_a_key(one, other):
    assert clean_nickname(one).key == clean_nickname(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "\u0410nna"),
        ("Anna", "Ann\u0430"),
        ("Tom", "T\u03bfm"),
        ("Pia", "\u0440\u0456a"),
        ("Hans", "\u041dans"),
        ("Tina", "\u1d1bina"),
    ],
)
def test_letter_of_another_script_does_not_make_another_name(one, other):
    """R-05: a participant with a look-alike nickname gets a number appended."""
    assert clean_nickname(one).key == clean_nickname(other).key
    assert clean_nickname(other).text == other


def test_names_in_one_script_are_themselves():
    for name in (
        "\u0410\u043d\u043d\u0430",
        "\u0386\u03bd\u03bd\u03b1",
        "\u0420\u043e\u043c\u0430",
        "\u039d\u03af\u03ba\u03bf\u03c2 7",
    ):
        assert clean_nickname(name).key == name.casefold().replace("\u03c2", "\u03c3")


@pytest.mark.parametrize(
    "raw",
    [
        "H\u043est",
        "\u041d\u041e\u0405\u0422",
        "h0st",
        "H\u03bfst",
        "\u029c\u1d0f\ua731\u1d1b",
        "@dm1n",
        "Adm\u0131n",
        "m0d\u0435rator",
        "C\u043enflict\u043e",
        "\u200bHost",
    ],
)
def test_nobody_passes_for_the_staff(raw):
    assert refused(raw).kind is Kind.INVALID


@pytest.mark.parametrize(
    "raw",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # Persian: yeh and reh stay apart
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala: virama, joiner, rakaransaya
        "\u0905\u0928\u094d\u200d\u0928\u092a\u0942\u0930\u094d\u0923",  # Nepali: a half letter
        "\u0d05\u0d28\u0d3f\u0d32\u0d4d\u200d",  # Malayalam: a chillu at the end, written the old way
        "\u09b0\u200d\u09cd\u09af\u09be\u099a\u09c7\u09b2",  # Bengali: the joiner precedes the virama
    ],
)
def test_joiner_that_a_script_needs_is_kept(raw):
    assert clean_nickname(raw).text == raw
    assert "\u200c" not in clean_nickname(raw).key
    assert "\u200d" not in clean_nickname(raw).key


def test_joiner_that_shapes_nothing_is_dropped_where_scripts_use_joiners():
    assert clean_nickname("\u0938\u200c\u0902\u091c\u092f").text == "\u0938\u0902\u091c\u092f"
    assert clean_nickname("\u0645\u062d\u0645\u062f\u200c").text == "\u0645\u062d\u0645\u062f"


@pytest.mark.parametrize(
    "raw", ["\u0e19\u0e49\u0e33", "\u314b\u314b\u314b", "H\u2082O", "m\u00b2", "\u00bd", "\u2116 5", "\ufb01n"]
)
def test_name_is_shown_as_it_was_written(raw):
    assert clean_nickname(raw).text == raw


@pytest.mark.parametrize(("one", "other"), [("Anna", "Anna 2"), ("Zoe", "Zo\u00eb"), ("AB", "A B"), ("\U0001f600", "\U0001f601")])
def test_names_that_differ_have_keys_that_differ(one, other):
    assert clean_nickname(one).key != clean_nickname(other).key


@pytest.mark.parametrize(
    ("raw", "text"),
    [("Anna\ufe0f", "Anna"), ("\u2122\ufe0f x", "\u2122 x"), ("\u2764\ufe0f\ufe0f", "\u2764\ufe0f"), ("1\ufe0f", "1")],
)
def test_selector_outside_of_an_emoji_is_dropped(raw, text):
    assert clean_nickname(raw).text == text


@pytest.mark.parametrize(
    "char",
    [
        *map(chr, range(32)),
        "\x7f",
        "\x85",
        "\u2028",
        "\u2029",
        "\u00ad",
        "\u061c",
        "\u200b",
        "\u200c",
        "\u200d",
        "\u200e",
        "\u202e",
        "\u2060",
        "\u2066",
        "\ufeff",
        "\U000e0041",
        "\ud800",
        "\ue000",
        "\U000f0000",
        "\u0378",
        "\uffff",
        "\U0001f0ff",
        "\u034f",
        "\u115f",
        "\u1160",
        "\u3164",
        "\uffa0",
        "\u17b4",
        "\u180b",
        "\u180e",
        "\u2800",
        "\ufe00",
        "\U000e0100",
    ],
)
@pytest.mark.parametrize("frame", ["An{}na", "{}Anna", "Anna{}", "{}", "\U0001f600{}Anna"])
def test_character_that_cannot_be_shown_is_refused(char, frame):
    error = refused(frame.format(char))
    assert "cannot be seen" in error.detail


@pytest.mark.parametrize(
    "raw", ["A\u200d\U0001f600", "\U0001f600\u200dA", "\U0001f600\u200d", "\U0001f600\u200d\u200d\U0001f600", "1\ufe0f\u200d\u20e3"]
)
def test_joiner_outside_of_an_emoji_is_refused(raw):
    assert "cannot be seen" in refused(raw).detail


@pytest.mark.parametrize("raw", ["", " ", "\u3000", "...", "-_-", "!?", "\ufe0f", "()", "\u0640\u0640"])
def test_name_without_anything_to_read_is_refused(raw):
    assert "letter, a digit or a symbol" in refused(raw).detail


@pytest.mark.parametrize("char", ["x", "\u00e9", "\u738b", "\U0001f600"])
def test_length_is_counted_in_characters(char):
    assert clean_nickname(f"  {char * 32}  ").text == char * 32
    assert len(clean_nickname(char * 32).text.encode()) <= 128
    assert "at most 32" in refused(char * 33).detail


def test_length_is_counted_after_normalisation():
    assert clean_nickname("e\u0301" * 32).text == "\u00e9" * 32
    assert clean_nickname("\ufdfa" * 2).text == "\ufdfa" * 2  # one character that becomes eighteen in the key


def test_very_long_name_is_refused_unread():
    assert clean_nickname("A" + " " * 127).text == "A"
    assert "at most 32" in refused("A" + " " * 128).detail
    assert "at most 32" in refused("a" + "\u0301\u0316" * 1_000_000).detail


def test_three_marks_in_a_row_are_the_most():
    assert clean_nickname("b\u0316\u0317\u0318").text == "b\u0316\u0317\u0318"
    assert "in a row" in refused("b\u0316\u0317\u0318\u0319").detail
    assert clean_nickname("b\u0316\u0317c\u0316\u0317").text == "b\u0316\u0317c\u0316\u0317"


@pytest.mark.parametrize("raw", ["\u0301a", " \u0301a", "\u20e3a"])
def test_mark_without_a_letter_to_stand_on_is_refused(raw):
    assert "begin with a combining mark" in refused(raw).detail


@pytest.mark.parametrize(
    "raw",
    [
        "host",
        "Host",
        "ADMIN",
        "moderator",
        "System",
        "Conflicto",
        "\uff48\uff4f\uff53\uff54",
        " host ",
        "h o s t",
        "h-o-s-t",
        "_host_",
        "-= HOST =-",
        "[admin]",
        "admin.",
        "admin \u2b50\ufe0f",
        "ho\u017ft",
        "adm\u0130n",
        "h\u0332o\u0332s\u0332t\u0332",
    ],
)
def test_name_of_the_staff_is_refused(raw):
    assert "people who run the session" in refused(raw).detail


@pytest.mark.parametrize(
    "raw", ["Hostess", "Administrator", "Ghost", "Host 2", "Systema", "Ad min us", "H. Ost", "Ad Min", "Ho St", "Sys Tem"]
)
def test_name_that_only_resembles_the_staff_is_accepted(raw):
    assert clean_nickname(raw).text == raw


def test_refusal_points_at_the_field_and_never_echoes():
    error = refused("hunter2\u200b")
    assert (error.code, error.kind) == ("nickname-invalid", Kind.INVALID)
    assert [item.pointer for item in error.errors] == ["/nickname"]
    assert "hunter2" not in f"{error} {error.errors}"


@pytest.mark.parametrize("raw", ["Anna", "anna 2", "AD MIN 77", "h o s t", "H0ST", "admin", "0", "x" * 32, "x" * 33, "a  b", " a"])
def test_plain_names_are_what_cleaning_makes_of_them(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = cleaned(raw)
    monkeypatch.setattr(module, "_PLAIN", re.compile("(?!)"))
    assert cleaned(raw) == quick


def cleaned(raw: str) -> Nickname | str:
    try:
        return clean_nickname(raw)
    except NicknameInvalid as error:
        return f"{error.detail} {error.extensions}"


def test_cleaning_twice_changes_nothing_for_any_character():
    for code in range(0x11_0000):
        for raw in (chr(code), f"a {chr(code)}\ufe0f b"):
            if code % 97 and code > 0x3000:
                continue  # the remaining planes are long and uniform
            try:
                nickname = clean_nickname(raw)
            except NicknameInvalid:
                continue
            assert clean_nickname(nickname.text) == nickname
            assert unicodedata.is_normalized("NFC", nickname.text)


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("Anna", {"anna"}, ["Anna 2", "Anna 3", "Anna 4"]),
        ("Anna", {"anna", "anna 2", "anna 3"}, ["Anna 4", "Anna 5", "Anna 6"]),
        ("ANNA", {"anna", "anna 3"}, ["ANNA 2", "ANNA 4", "ANNA 5"]),
        ("Anna 2", {"anna", "anna 2"}, ["Anna 3", "Anna 4", "Anna 5"]),
        ("Anna 999", set(), ["Anna 1000", "Anna 1001", "Anna 1002"]),
        ("Anna 12345", set(), ["Anna 12345 2", "Anna 12345 3", "Anna 12345 4"]),
        ("Anna 02", set(), ["Anna 02 2", "Anna 02 3", "Anna 02 4"]),
        ("7", {"7"}, ["7 2", "7 3", "7 4"]),
        ("x" * 32, set(), ["x" * 30 + " 2", "x" * 30 + " 3", "x" * 30 + " 4"]),
        (
            "\U0001f600" + "x" * 27 + "\u2764\ufe0f\u200d\U0001f525",
            set(),
            ["\U0001f600" + "x" * 27 + f"\u2764 {i}" for i in (2, 3, 4)],
        ),
    ],
)
def test_suggestions_number_the_name(name, taken, expected):
    assert suggestions(clean_nickname(name), taken) == expected


def test_suggestions_take_a_question_and_a_number():
    assert suggestions(clean_nickname("Anna"), lambda key: key == "anna 2", n=2) == ["Anna 3", "Anna 4"]
    assert suggestions(clean_nickname("Anna"), set(), n=0) == []


@pytest.mark.parametrize("namesakes", [*range(30), 5_000])
def test_suggestions_skip_every_namesake_with_few_questions(namesakes):
    taken = {"player"} | {f"player {number}" for number in range(2, namesakes + 2)}
    queries: list[str] = []

    def is_taken(key: str) -> bool:
        queries.append(key)
        return key in taken

    assert suggestions(clean_nickname("Player"), is_taken) == [f"Player {namesakes + number}" for number in (2, 3, 4)]
    assert len(queries) < 40


def test_suggestions_end_where_every_name_is_taken():
    assert suggestions(clean_nickname("Anna"), lambda _: True) == []


@pytest.mark.parametrize(
    "name", ["Anna", "x" * 32, FAMILY * 6, "e\u0316\u0317\u0318" * 8, "1\ufe0f\u20e3" * 10, "\u2764\ufe0f" * 16, "..x" + "." * 29]
)
def test_suggestion_is_a_name_as_it_stands(name):
    for length in range(max(3, len(name) - 5), len(name) + 1):
        try:
            nickname = clean_nickname(name[:length])
        except NicknameInvalid:
            continue
        for text in suggestions(nickname, {nickname.key}):
            assert clean_nickname(text).text == text
