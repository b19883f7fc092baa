import msgspec
import pytest

from conflicto.platform.word_filter.masking import CLEAN, Masked, mask_json, strings_in
from conflicto.platform.word_filter.matcher import Matcher

PLONK = Matcher((), ["plonk", "n"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a plonk"', Masked('"a ***"')),
        ('{"a":["plonk",{"b":"Plonk!"}],"n":1.50}', Masked('{"a":["***",{"b":"***"}],"n":1.50}', in_names=True)),
        ('{"a":1.0,"b":["plonk","fine"]}', Masked('{"a":1.0,"b":["***","fine"]}')),
        ('{"plonk":"fine"}', Masked(None, in_names=True)),
        ('"say \\"plonk\\" \\ud83d\\ude00"', Masked('"say \\"***\\" 😀"')),
        (r'"line\nplonk"', Masked(r'"line\n***"')),
        (r'"fi\u006ee"', CLEAN),
        (r'"pl\u006fnk"', Masked('"***"')),
        ('"fine"', CLEAN),
        ("7", CLEAN),
        ("{}", CLEAN),
    ],
)
def test_values_are_masked_and_everything_else_stays(text: str, expected: Masked) -> None:
    assert mask_json(text, PLONK) == expected


def test_the_hosts_own_texts_and_ids_pass() -> None:
    hexes = Matcher((), ["b00b", "plonk"])
    text = '{"choice":"Plonk wine","target":"8a5bd3a0-b00b-4e3c-9d52-5c2ef1b9a0f4","why":"b00b"}'

    assert mask_json(text, hexes, strings_in('{"options":["Plonk wine"]}')).text == text.replace('"b00b"', '"***"')


def test_strings_in_returns_every_string_of_a_config() -> None:
    assert strings_in(r'{"a":["x y",{"b\n":"\u00fc"}],"n":1}') == {"a", "x y", "b\n", "ü", "n"}


def test_a_result_without_matches_is_clean() -> None:
    assert CLEAN.is_clean
    assert not Masked("1").is_clean
    assert not Masked(in_names=True).is_clean
    assert msgspec.json.decode(mask_json('["plonk"]', PLONK).text or "") == ["***"]
