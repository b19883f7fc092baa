"""Reader of a type's folder: collects the faults of all files, so that authors see them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.errors import TypeFault
from conflicto.activity_types.folder_files.json_lines import line_at, syntax_error_line
from conflicto.platform.problems import DomainError
from conflicto.platform.sizes import KIB
from conflicto.platform.strict_json import (
    BodyTooLarge,
    JsonDuplicateKey,
    JsonInvalid,
    JsonLimits,
    JsonNumber,
    JsonText,
    JsonTooDeep,
    JsonTooLarge,
    compact,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.activity_types.folder_files.json_format import JsonFormat

FILE_LIMITS = JsonLimits(max_bytes=64 * KIB)
MAX_FILES = 50
"""Example files, and catalog files, of one type."""

MAX_FAULTS = 100
"""Faults of one folder that are kept."""

_JSON_FAULTS: dict[type[DomainError], tuple[str, str]] = {
    BodyTooLarge: (f"has more than {FILE_LIMITS.max_bytes // KIB} KiB", "Shorten it."),
    JsonInvalid: ("is not one JSON text in UTF-8", "Correct the text at this line."),
    JsonDuplicateKey: ("names a key twice", "Keep one of them."),
    JsonNumber: ("holds a number that some readers would round or refuse", "Write a smaller or shorter number."),
    JsonText: ("holds a lone surrogate or U+0000", "Remove it."),
    JsonTooDeep: (f"is nested more than {FILE_LIMITS.max_depth} levels deep", "Use fewer levels."),
    JsonTooLarge: ("has too many values, or too long a key or text", "Shorten it."),
}


class FolderReader:
    """Reads the files of one folder. `faults` collects what is wrong with them, under `label`."""

    def __init__(self, folder: Path, label: str | None = None) -> None:
        self.folder = folder
        self.label = label or folder.name
        self.faults: list[TypeFault] = []
        self._texts: dict[str, str] = {}

    def add(self, file: str, pointer: str, message: str, remedy: str, *, line: int | None = None) -> None:
        """Add a fault of a file; `line` is found by the pointer if it is not given."""
        if line is None and file in self._texts:
            line = line_at(self._texts[file], pointer)
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(TypeFault(f"{self.label}/{file}", pointer, message, remedy, line))

    def has(self, file: str) -> bool:
        """Return whether there is something of this name."""
        return (self.folder / file).exists()

    def require_folder(self, name: str) -> None:
        """Report a file that has the name of a folder, whose content nothing would read."""
        if self.has(name) and not (self.folder / name).is_dir():
            self.add(name, "", "must be a folder", "Make a folder of this name for the files, or remove it.")

    def bytes_of(self, file: str, max_bytes: int) -> bytes | None:
        """Return a file's bytes, one more than `max_bytes` at most; None and a fault without it."""
        try:
            with (self.folder / file).open("rb") as opened:
                return opened.read(max_bytes + 1)
        except OSError as error:
            self.add(file, "", f"cannot be read ({error.strerror or 'it is no file'})", "Add the file, or make it readable.")
            return None

    def json(self, file: str) -> Any:  # noqa: ANN401 - any JSON
        """Return a file's value; None and a fault if it is not strict JSON, or null."""
        body = self.bytes_of(file, FILE_LIMITS.max_bytes)
        if body is None:
            return None
        try:
            value = msgspec.json.decode(compact(body, FILE_LIMITS))
        except DomainError as error:
            message, remedy = _JSON_FAULTS[type(error)]
            line = syntax_error_line(body.decode(errors="replace")) if isinstance(error, JsonInvalid) else None
            self.add(file, "", message, remedy, line=line)
            return None
        self._texts[file] = body.decode()
        if value is None:
            self.add(file, "", "has the wrong type", "Write an object.")
        return value

    def checked(self, file: str, json_format: JsonFormat) -> dict[str, Any]:
        """Return an object of a format; an empty one and its faults if it does not fit."""
        value = self.json(file)
        errors = list(json_format.errors(value)) if value is not None else []
        for error in errors:
            self.add(file, error.pointer, error.message, error.remedy)
        return {} if errors or value is None else dict(value)

    def folder_of(self, below: str, json_format: JsonFormat) -> dict[str, dict[str, Any]]:
        """Return the objects of all JSON files in a subfolder by their stem."""
        self.require_folder(below)
        files = sorted((self.folder / below).glob("*.json"))
        if len(files) > MAX_FILES:
            self.add(below, "", f"holds more than {MAX_FILES} files", "Remove some of them.")
            return {}
        return {file.stem: self.checked(f"{below}/{file.name}", json_format) for file in files}
