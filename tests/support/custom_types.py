"""Folders of custom activity types, written for tests of their views."""

import json
from pathlib import Path
from typing import Any

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
TEXTS = {"waving": "{n} people wave", "waving.one": "{n} person waves", "all": "At all"}


def put_type(folder: Path, name: str, views: dict[str, str]) -> None:
    """Write a type that asks whom to wave at, with these views by their names."""
    files = {
        "activity.json": {"type": name, "version": "1", "title": f"A {name}", "icon": "👋", "sdk": "1"},
        "config.schema.json": _object("question", "string"),
        "response.schema.json": _object("waved", "boolean"),
        "aggregate.json": {"waves": {"path": "/waved", "op": "count"}},
        "examples/one.json": {"config": {"question": "us"}, "responses": [{"waved": True}]},
        "i18n/en.json": {"title": f"A {name}", "description": "Wave", "config.question": "Whom at", **TEXTS},
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content), encoding="utf-8")
    (folder / "ui").mkdir()
    for view, source in views.items():
        (folder / f"ui/{view}.js").write_text(source, encoding="utf-8")


def _object(name: str, kind: str) -> dict[str, Any]:
    properties = {name: {"type": kind}}
    return {"$schema": SCHEMA, "type": "object", "additionalProperties": False, "required": [name], "properties": properties}
