"""Scaffold of a new activity type: a small complete folder that passes the conformance kit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.manifest import NAME, SDK
from conflicto.activity_types.subset import DIALECT

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"\S"}

README = """# {title}

Describe its purpose in one sentence.

## Picture

```text
What do you think?

┌────────────┐
│ An example │
└────────────┘
```

## Config

| Field | Value | Meaning |
|---|---|---|
| `question` | text | the question |

## Answer

`{{"text": "An example"}}`: at most 500 characters.

## Results

`answers` counts equal answers.
"""


class InvalidTypeName(ValueError):
    """The name is not a valid type name, or the folder exists."""


def create_type(name: str, parent: Path) -> Path:
    """Create `parent/name` with all files that a type needs, and return it.

    Raises:
        InvalidTypeName: the name is invalid, or something of that name exists.
    """
    folder = parent / name
    if not re.fullmatch(NAME, name):
        message = "A name has up to 32 lower-case letters, digits, - and _, and begins with a letter."
        raise InvalidTypeName(message)
    if folder.exists():
        message = f"{folder} exists already."
        raise InvalidTypeName(message)
    for file, content in _files(name).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")
    return folder


def _files(name: str) -> dict[str, Any]:
    title = name.replace("-", " ").replace("_", " ").capitalize()
    example = {"config": {"question": "What do you think?"}, "responses": [{"text": "An example"}]}
    return {
        "activity.json": {"type": name, "version": "1", "title": title, "icon": "💡", "sdk": SDK},
        "config.schema.json": _object("question", _TEXT | {"x-ui": {"widget": "textarea"}}),
        "response.schema.json": _object("text", _TEXT),
        "aggregate.json": {"answers": {"path": "/text", "op": "count"}},
        "examples/first.json": example,
        "i18n/en.json": {"title": title, "description": "Describe its purpose in one sentence", "config.question": "Question"},
        "README.md": README.format(title=title),
    }


def _object(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "type": "object", "additionalProperties": False, "required": [name], "properties": {name: schema}}
