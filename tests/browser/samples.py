"""One activity of each type, how a thumb answers it, and what must arrive."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPTIONS = [{"id": "a", "text": "Pizza"}, {"id": "b", "text": "Curry"}, {"id": "c", "text": "Soup"}]


def _choose(page: "Page") -> None:
    page.get_by_label("Curry").check()


def _step(page: "Page") -> None:
    page.get_by_role("radio", name="4").check(force=True)


def _words(page: "Page") -> None:
    page.get_by_label("Word 1").fill("calm")
    page.get_by_label("Word 3").fill("  bright ")
    assert page.get_by_label("Word 2").input_value() == "", "what is sent is tidied, what is being written is not"


def _text(page: "Page") -> None:
    page.get_by_label("Your text").fill("More daylight")


def _answer_questions(page: "Page") -> None:
    page.get_by_label("Your question").fill("When do we move?")


def _rank(page: "Page") -> None:
    page.get_by_role("button", name="Move up: Soup").click()


def _number(page: "Page") -> None:
    page.get_by_label("Your number").fill("42.5")


def _card(page: "Page") -> None:
    page.get_by_role("radio", name="8", exact=True).check(force=True)


def _emoji(page: "Page") -> None:
    page.get_by_role("button", name="😂").click()


SAMPLES: dict[str, tuple[dict[str, Any], Any, Any, dict[str, Any]]] = {
    "poll": ({"question": "Where do we eat?", "options": OPTIONS, "multiple": False}, _choose, {"choices": ["b"]}, {}),
    "rating": (
        {"question": "How was it?", "min": 1, "max": 5, "low_label": "Poor", "high_label": "Great"},
        _step,
        {"rating": 4},
        {},
    ),
    "words": ({"question": "In a word?", "max_words": 3}, _words, {"words": ["calm", "bright"]}, {}),
    "wall": ({"question": "What would help?", "max_length": 280}, _text, {"text": "More daylight"}, {}),
    "questions": ({"prompt": "Ask us anything"}, _answer_questions, {"text": "When do we move?"}, {"response_policy": "many"}),
    "ranking": ({"question": "In which order?", "options": OPTIONS}, _rank, {"ranking": ["a", "c", "b"]}, {}),
    "quiz": ({"question": "Which is hottest?", "options": OPTIONS}, _choose, {"choice": "b"}, {"secret": {"correct": "b"}}),
    "estimate": ({"question": "How heavy?", "unit": "kg"}, _number, {"value": 42.5}, {}),
    "poker": ({"story": "Sign in by phone", "deck": ["1", "2", "3", "5", "8", "13", "?"]}, _card, {"card": "8"}, {}),
    "pulse": ({"prompt": "How is it going?", "emojis": ["👍", "❤️", "😂"]}, _emoji, {"emoji": "😂"}, {"response_policy": "many"}),
}
AT_ONCE = {"pulse"}
"""Types whose responses are sent with a single touch."""
