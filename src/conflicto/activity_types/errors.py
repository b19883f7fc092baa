"""Errors of activity type folders: for operators and authors, never sent over HTTP."""

from __future__ import annotations


class InvalidActivityType(ValueError):
    """A folder cannot be registered; names the file, the JSON pointer in it and the reason."""

    def __init__(self, file: str, pointer: str, reason: str) -> None:
        super().__init__(f"{file}{' at ' + pointer if pointer else ''}: {reason}")
        self.file = file
        self.pointer = pointer
        self.reason = reason


class UnsupportedSchema(ValueError):
    """A schema uses a keyword or value outside the subset; the loader adds the file's name."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason
