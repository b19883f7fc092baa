"""Why a folder is no activity type. These are told to whoever starts the server or tests the folder, never over HTTP."""

from __future__ import annotations


class InvalidActivityType(ValueError):
    """A folder cannot be registered as an activity type: says in which file, where in it (a JSON pointer) and why."""

    def __init__(self, file: str, pointer: str, reason: str) -> None:
        super().__init__(f"{file}{' at ' + pointer if pointer else ''}: {reason}")
        self.file = file
        self.pointer = pointer
        self.reason = reason


class UnsupportedSchema(ValueError):
    """A schema uses what the subset does not hold; the loader adds the file's name."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason
