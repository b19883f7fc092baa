"""Patterns of texts in requests, each with a message in words.

The OpenAPI document has the pattern. A problem has the message, as few people read regular
expressions.
"""

from __future__ import annotations

from pydantic import StringConstraints

_messages: dict[str, str] = {}


def text_pattern(pattern: str, message: str) -> StringConstraints:
    """Return a constraint of a text; `message` says what a text that matches is like."""
    _messages[pattern] = message
    return StringConstraints(pattern=pattern)


def pattern_message(pattern: str) -> str:
    """Return the message of a pattern that was declared with `text_pattern`.

    >>> text_pattern("^[0-9]+$", "must be digits").pattern, pattern_message("^[0-9]+$")
    ('^[0-9]+$', 'must be digits')
    """
    return _messages[pattern]
