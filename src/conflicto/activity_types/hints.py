"""What a type's folder may say in `rehearsal.json` of how people answer; without it, schema and examples say enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalHints:
    """How people answer activities of a type.

    `phrases`: texts that people might say, by locale. `near`: a pointer into the secret, at a number that people guess around. `always`:
    values that stand at pointers into an answer wherever there is such a place.
    """

    phrases: dict[str, list[str]] = field(default_factory=dict)
    near: str = ""
    always: dict[str, Any] = field(default_factory=dict)

    def phrases_in(self, language: str) -> list[str]:
        """Return the phrases of a language, else the English ones, else none."""
        return self.phrases.get(language) or self.phrases.get("en") or []
