"""Masking keeps structure and numbers and leaves no listed word."""

import json
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.platform.strict_json import RESPONSE_LIMITS, compact
from conflicto.platform.word_filter.masking import mask_json, strings_in
from conflicto.platform.word_filter.matcher import MASK, Matcher, matcher_for
from conflicto.platform.word_filter.word_lists import FILES

LOUD = Matcher((), ["plonk", "grüb", "big deal"])
EVERYTHING = matcher_for(tuple(FILES), ("plonk",))

PIECES = st.sampled_from(
    [
        "plonk",
        "Plonk",
        "p l o n k",
        "pl0nk",
        "grüb",
        "GRU\u0308B",
        "big  deal",
        "fine",
        " ",
        ".",
        "\\",
        '"',
        "\n",
        "ß",
        "😀",
        ":",
        "}",
    ]
)
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5), max_size=8).map(
    "".join
)
DISGUISED = st.text(st.sampled_from("shitSHITassfuck1!@$05. \u0301\u200bé_"), max_size=12)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b c", 'q"', "é", "plonk"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def skeleton(value: Any) -> Any:
    """A value without its texts."""
    if isinstance(value, dict):
        return {name: skeleton(each) for name, each in value.items()}
    if isinstance(value, list):
        return [skeleton(each) for each in value]
    return "text" if isinstance(value, str) else repr(value)


def texts(value: Any) -> list[str]:
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value] if isinstance(value, str) else [text for each in inside for text in texts(each)]


@settings(max_examples=400)
@given(JSON, st.booleans())
def test_masking_keeps_the_structure_and_leaves_no_listed_word(value: Any, is_escaped: bool) -> None:
    text = compact(json.dumps(value, ensure_ascii=is_escaped).encode(), RESPONSE_LIMITS).decode()

    masked = mask_json(text, LOUD)

    shown = masked.text or text
    assert compact(shown.encode(), RESPONSE_LIMITS).decode() == shown
    assert skeleton(json.loads(shown)) == skeleton(json.loads(text))
    assert masked.in_names == any(name == "plonk" for name in strings_in(text) if f'"{name}":' in text)
    before, after = texts(json.loads(text)), texts(json.loads(shown))
    assert [LOUD.spans(each) for each in after] == [[]] * len(after)
    assert [old == new for old, new in zip(before, after, strict=True)] == [not LOUD.spans(old) for old in before]
    assert mask_json(text, LOUD, strings_in(text)).is_clean


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | TEXTS | st.lists(DISGUISED, max_size=4).map(" ".join))
def test_only_matches_change_and_the_quick_check_misses_nothing(text: str) -> None:
    spans = EVERYTHING.spans(text)
    masked = EVERYTHING.masked(text)

    assert spans == EVERYTHING._find(text)
    assert (masked is None) == (not spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    kept = [text[end:start] for (_, end), (start, _) in zip([(0, 0), *spans], [*spans, (len(text), 0)], strict=True)]
    assert (masked or text) == MASK.join(kept)


@settings(max_examples=200)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_every_listed_word_is_found_in_any_case_among_others(language: str, data: st.DataObject) -> None:
    matcher = matcher_for((language,), ())
    word = data.draw(st.sampled_from(sorted(word for word in matcher._words if word.isalpha())))
    shape = data.draw(st.sampled_from([str, str.upper, str.capitalize]))
    around = data.draw(st.sampled_from(["{}", "so {} there", "«{}», ¿{}?", "{}\n{}", "x-{}_y"]))

    assert len(matcher.spans(around.format(shape(word), word))) == around.count("{}")
    assert msgspec.json.decode(mask_json(msgspec.json.encode([shape(word)]).decode(), matcher).text or "null") == [MASK]
