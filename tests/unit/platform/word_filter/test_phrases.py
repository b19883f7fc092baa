"""Phrases are found as a naive search finds them, in one pass over the text."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.platform.word_filter.matcher import Matcher, MatcherCache, _merged
from conflicto.platform.word_filter.phrases import MAX_GAP_CHARACTERS, PhraseAutomaton, Span

WORDS = st.sampled_from("abc")
PHRASES = st.lists(st.lists(WORDS, min_size=2, max_size=5), max_size=8)
TEXT = st.lists(st.tuples(WORDS, st.integers(1, 5)), max_size=40)
"""Words, each with the number of characters before it."""


class CountingDict(dict[str, int]):
    """Transitions of a state that count how often they are looked up."""

    lookups = 0

    def get(self, key: str, default: Any = None) -> Any:
        CountingDict.lookups += 1
        return super().get(key, default)


def naive(phrases: Sequence[Sequence[str]], tokens: Sequence[Span], keys: Sequence[str]) -> list[Span]:
    """Return every occurrence of every phrase with adjacent words."""
    found = []
    for start in range(len(keys)):
        for phrase in phrases:
            end = start + len(phrase)
            is_near = all(after[0] - before[1] <= MAX_GAP_CHARACTERS for before, after in pairwise(tokens[start:end]))
            if list(keys[start:end]) == list(phrase) and is_near:
                found.append((tokens[start][0], tokens[end - 1][1]))
    return found


@settings(max_examples=500)
@given(PHRASES, TEXT)
def test_matches_equal_a_naive_search(phrases: list[list[str]], text: list[tuple[str, int]]) -> None:
    tokens, at = [], 0
    for _, gap in text:
        tokens.append((at + gap, at + gap + 1))
        at += gap + 1
    keys = [word for word, _ in text]

    assert _merged(list(PhraseAutomaton(phrases).spans(tokens, keys))) == _merged(naive(phrases, tokens, keys))


@pytest.mark.parametrize("phrase_words", [2, 10, 28])
def test_the_work_depends_on_the_text_alone(phrase_words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    phrases = [["a"] * phrase_words + [f"b{number}"] for number in range(200)]
    automaton = PhraseAutomaton(phrases)
    automaton._next = [CountingDict(each) for each in automaton._next]
    monkeypatch.setattr(CountingDict, "lookups", 0)
    tokens = [(2 * place, 2 * place + 1) for place in range(8_000)]

    spans = list(automaton.spans(tokens, ["a"] * 8_000))

    assert spans == []
    assert CountingDict.lookups <= 2 * len(tokens) + phrase_words


def test_nested_phrases_yield_one_span_for_each_word() -> None:
    automaton = PhraseAutomaton([["a"] * words for words in range(2, 30)])
    tokens = [(2 * place, 2 * place + 1) for place in range(100)]

    assert len(list(automaton.spans(tokens, ["a"] * 100))) == 99


def test_matchers_in_memory_are_bounded_in_bytes() -> None:
    def own(number: int) -> tuple[str, ...]:
        return tuple(" ".join([f"n{number}"] * 10 + [f"w{each}"]) for each in range(100))

    size = Matcher((), own(0)).memory_bytes
    cache = MatcherCache(3 * size)
    first = cache.get((), own(0))
    for number in range(1, 50):
        cache.get((), own(number))
        assert cache.memory_bytes <= 3 * size
    assert len(cache._matchers) == 3
    assert cache.get((), own(0)) is not first
    assert cache.get((), own(49)) is cache.get((), own(49))


def test_a_matcher_larger_than_the_limit_is_cached_alone() -> None:
    cache = MatcherCache(1)

    assert cache.get((), ("x",)) is cache.get((), ("x",))
    cache.get((), ("y",))
    assert len(cache._matchers) == 1
