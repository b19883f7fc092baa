"""Hints for rehearsals from a type's optional `rehearsal.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalHints:
    """Hints for generated answers.

    `phrases`: likely texts by locale. `near`: pointer into the secret, to a number around which
    answers lie. `always`: values by pointer into an answer, set wherever the pointer exists.
    """

    phrases: dict[str, list[str]] = field(default_factory=dict)
    near: str = ""
    always: dict[str, Any] = field(default_factory=dict)

    def phrases_in(self, language: str) -> list[str]:
        """Return the phrases of a language, else the English ones, else an empty list."""
        return self.phrases.get(language) or self.phrases.get("en") or []
