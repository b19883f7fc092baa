"""Word filtering: long responses in a thread, short ones at once."""

import threading
from typing import Any

import pytest

from conflicto.platform.word_filter.matcher import Matcher
from conflicto.responses.validation import MAX_INLINE_CHARACTERS, _mask


class RecordingMatcher(Matcher):
    """A matcher that records the thread of each call."""

    threads: set[int]

    def may_match(self, text: str) -> bool:
        self.threads.add(threading.get_ident())
        return super().may_match(text)


class Filter:
    def __init__(self) -> None:
        self.matcher = RecordingMatcher((), ["plonk"])
        self.matcher.threads = set()


@pytest.mark.parametrize(("characters", "is_inline"), [(MAX_INLINE_CHARACTERS, True), (MAX_INLINE_CHARACTERS + 1, False)])
async def test_a_long_answer_does_not_hold_the_event_loop(characters: int, is_inline: bool) -> None:
    word_filter: Any = Filter()
    text = f'"{"x" * (characters - 8)} plonk"'[:characters]

    await _mask(text, word_filter)

    assert (word_filter.matcher.threads == {threading.get_ident()}) == is_inline


async def test_a_word_in_a_long_answer_is_masked() -> None:
    word_filter: Any = Filter()

    masked = await _mask('"' + "fine " * 1_000 + 'plonk"', word_filter)

    assert masked.text == '"' + "fine " * 1_000 + '***"'
