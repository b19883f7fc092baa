"""Scaffold of a new activity type: a small complete folder that passes the conformance kit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.activity_types.folder_files.manifest import NAME, SDK
from conflicto.activity_types.json_schema.subset import DIALECT

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


PARTICIPANT_VIEW = """import { ActivityElement, textField } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    return textField({
      label: this.t("label"),
      value: this.value?.text,
      maxLength: 500,
      lines: 4,
      disabled: !this.isOpen,
      oninput: (text) => this.updateDraft({ text }, text.trim() !== ""),
    });
  }
}
"""

SCREEN_VIEW = """import { drawResults } from "../../sdk/results.js";
import { ActivityElement, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    if (!this.results) return h("p", { class: "muted large" }, this.t("waiting"));
    return h("div", { class: "results" }, drawResults(this.results, this.activity));
  }
}
"""

PYPROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "conflicto-{name}"
version = "1"
description = "{title}: an activity type for Conflicto"
readme = "README.md"
requires-python = ">=3.11"

[project.entry-points."conflicto.activity_types"]
{name} = "{module}:folder"

[tool.setuptools.packages.find]
where = ["src"]

[tool.setuptools.package-data]
{module} = ["{name}/**/*"]
"""

PACKAGE_README = """# {title}

An activity type for Conflicto. Install this package beside Conflicto, and restart the server:

    pip install .
    conflicto types list --origin
"""

PACKAGE_INIT = '''"""{title}: an activity type, found by Conflicto through the entry point in `pyproject.toml`."""

from pathlib import Path


def folder() -> Path:
    """Return the folder of the type."""
    return Path(__file__).parent / "{name}"
'''


NAMES = {"response.text": "Answer", "results.answers": "Equal answers"}


class InvalidTypeName(ValueError):
    """The name is not a valid type name, or the folder exists."""


class ScaffoldParts(NamedTuple):
    """Optional parts of a new type: views, a secret with a score, a Python package around it."""

    views: bool = False
    secret: bool = False
    package: bool = False


_NO_PARTS = ScaffoldParts()


def create_type(name: str, parent: Path, parts: ScaffoldParts = _NO_PARTS) -> Path:
    """Create the folder of a type below `parent`, and return it, or that of its package.

    Raises:
        InvalidTypeName: the name is invalid, or something of that name exists.
    """
    if not re.fullmatch(NAME, name):
        message = "A name has up to 32 lower-case letters, digits, - and _, and begins with a letter."
        raise InvalidTypeName(message)
    folder = parent / (f"conflicto-{name}" if parts.package else name)
    if folder.exists():
        message = f"{folder} exists already."
        raise InvalidTypeName(message)
    files = _files(name, parts)
    for file, content in (_package_files(name, files) if parts.package else files).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")
    return folder


def _files(name: str, parts: ScaffoldParts) -> dict[str, Any]:
    title = name.replace("-", " ").replace("_", " ").capitalize()
    example: dict[str, Any] = {"config": {"question": "What do you think?"}, "responses": [{"text": "An example"}]}
    files: dict[str, Any] = {
        "activity.json": {"type": name, "version": "1", "title": title, "icon": "💡", "sdk": SDK},
        "config.schema.json": _object("question", _TEXT | {"x-ui": {"widget": "textarea"}}),
        "response.schema.json": _object("text", _TEXT),
        "aggregate.json": {"answers": {"path": "/text", "op": "count"}},
        "drawing.json": {"answers": {"chart": "bars"}},
        "examples/first.json": example,
        "i18n/en.json": {"title": title, "description": "Describe its purpose in one sentence", "config.question": "Question"},
        "README.md": README.format(title=title),
    }
    files["i18n/en.json"] |= NAMES
    if parts.views:
        files |= {"ui/participant.js": PARTICIPANT_VIEW, "ui/screen.js": SCREEN_VIEW}
        files["i18n/en.json"] |= {"label": "Your answer", "waiting": "No results yet"}
    if parts.secret:
        files["secret.schema.json"] = _object("answer", _TEXT)
        files["aggregate.json"] |= {"score": {"path": "/text", "op": "score", "key": "/answer"}}
        files["i18n/en.json"] |= {"secret.answer": "Right answer"}
        example["secret"] = {"answer": "An example"}
        files["README.md"] += "`score` counts answers that equal the secret `answer`.\n"
    return files


def _package_files(name: str, files: dict[str, Any]) -> dict[str, Any]:
    """Return the files of a Python project whose package contains the type."""
    module = f"conflicto_{name.replace('-', '_')}"
    title = files["activity.json"]["title"]
    return {
        "pyproject.toml": PYPROJECT.format(name=name, module=module, title=title),
        "README.md": PACKAGE_README.format(name=name, title=title),
        f"src/{module}/__init__.py": PACKAGE_INIT.format(name=name, title=title),
    } | {f"src/{module}/{name}/{file}": content for file, content in files.items()}


def _object(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "type": "object", "additionalProperties": False, "required": [name], "properties": {name: schema}}
