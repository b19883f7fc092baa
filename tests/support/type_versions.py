"""The type `toast` in two versions: 3 renames parts of config, secret and answers of 2.1."""

import json
import shutil
from pathlib import Path

TOAST = Path(__file__).parent / "types/toast"
OLD, NEW = "2.1", "3"
UPGRADE = {
    "config": [{"op": "rename", "path": "/question", "to": "ask"}, {"op": "default", "path": "/least", "value": 1}],
    "secret": [{"op": "rename", "path": "/best", "to": "right"}],
    "response": [
        {"op": "rename", "path": "/bread", "to": "loaf"},
        {"op": "map", "path": "/shade", "values": [[1, 2]]},
        {"op": "default", "path": "/crust", "value": True},
    ],
    "aggregate": [
        {"op": "map", "path": "/*/path", "values": [["/bread", "/loaf"]]},
        {"op": "map", "path": "/*/key", "values": [["/best", "/right"]]},
    ],
}


def put_version(folder: Path, version: str) -> Path:
    """Write `toast` in one version and return its folder."""
    shutil.copytree(TOAST, folder)
    if version == NEW:
        _replace(folder, "activity.json", ('"2.1"', '"3"'))
        _replace(folder, "config.schema.json", ('"question"', '"ask"'))
        _replace(folder, "secret.schema.json", ('"best"', '"right"'))
        _replace(folder, "aggregate.json", ("/bread", "/loaf"), ("/best", "/right"))
        _replace(folder, "response.schema.json", ('"bread"', '"loaf"'), ('"loaf": {', '"crust": {"type": "boolean"}, "loaf": {'))
        _replace(folder, "examples/kitchen.json", ("question", "ask"), ("best", "right"), ('"bread":', '"crust": true, "loaf":'))
        _replace(folder, "i18n/en.json", ("config.question", "config.ask"), ("secret.best", "secret.right"))
        _replace(folder, "README.md", ("`question`", "`ask`"))
    return folder


def put_both(folder: Path) -> Path:
    """Write version 3 with version 2.1 below it and the steps between them."""
    put_version(folder, NEW)
    put_version(folder / "versions" / OLD, OLD)
    put_upgrade(folder, UPGRADE)
    return folder


def put_upgrade(folder: Path, steps: object, source: str = OLD) -> None:
    """Write the steps from a version."""
    (folder / "upgrades").mkdir(exist_ok=True)
    (folder / f"upgrades/{source}.json").write_text(json.dumps(steps))


def _replace(folder: Path, file: str, *pairs: tuple[str, str]) -> None:
    text = (folder / file).read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (folder / file).write_text(text)
