"""Tests of docs/views.md: it explains the whole SDK, and its view is valid."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from conflicto.activity_types.folder_files.view_files import SDK_EXPORTS
from conflicto.activity_types.registry import types_in
from conflicto.web.page_bundle import STATIC, declarations
from tests.docs.pages import ROOT
from tests.support.patience import PATIENCE_S
from tools.build_backend import _node

PAGE = (ROOT / "docs/views.md").read_text(encoding="utf-8")
SDK = (STATIC / "sdk/v1.js").read_text(encoding="utf-8")
CLASS = re.compile(r"^(?:export )?class (\w+)(.*?)^}", re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r"^  (?:static )?(?:get )?([a-z]\w*)(?:\(| =)", re.MULTILINE)
EARLIER = {"held", "holds", "take", "tell", "declare"}
"""Members with an earlier name, and the one that declares properties."""


def section(title: str) -> str:
    """Return the part of the page below a heading, without the headings below it."""
    return re.split(r"^#+ ", PAGE.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def names(title: str, column: int = 0) -> set[str]:
    """Return the names in a column of the table of a section."""
    cells = [line.split(" | ")[column] for line in section(title).splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(?:static )?(\w+)", cell)}


def members(name: str) -> set[str]:
    """Return the members that a class of the SDK and its base class define."""
    classes = dict(CLASS.findall(SDK))
    own = set(MEMBER.findall(classes[name])) | set(MEMBER.findall(classes["ViewElement"]))
    return own - EARLIER


def test_every_export_of_the_sdk_is_explained() -> None:
    assert names("`sdk/v1.js`") == SDK_EXPORTS["v1.js"]
    for module in ("results.js", "numbers.js", "cloud.js"):
        rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{module}` |")]
        assert {found[1] for row in rows if (found := re.search(r"\| `(\w+)\(", row))} == SDK_EXPORTS[module]


def test_every_declared_property_is_explained() -> None:
    declared = [name for each in re.findall(r"this\.declare\((.*?)\)", SDK) for name in re.findall(r'"(\w+)"', each)]

    assert names("Properties") == set(declared)


@pytest.mark.parametrize("name", ["ActivityElement", "EditorElement"])
def test_every_member_is_explained(name: str) -> None:
    assert names(f"Members of `{name}`") == members(name) | {"view"}


def test_every_phase_and_event_is_explained() -> None:
    phases = re.search(r"^export type Phase = (.*);", (STATIC / "shapes.d.ts").read_text(encoding="utf-8"), re.MULTILINE)
    assert phases
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `phase` |")]
    assert re.findall(r"`(\w+)`", row)[1:] == re.findall(r'"(\w+)"', phases[1])

    assert names("Events") == set(re.findall(r'emit\(this, "(\w+)"', SDK))


def test_the_views_of_the_page_pass_the_checks_of_a_start(tmp_path: Path) -> None:
    participant, results = re.findall(r"^```js\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    folder = tmp_path / "mood"
    properties = {"faces": {"type": "array", "items": {"type": "string"}}, "longest_note": {"type": "integer"}}
    files = {
        "activity.json": {"type": "mood", "version": "1", "title": "Mood", "icon": "🙂", "sdk": "1"},
        "config.schema.json": {"type": "object", "additionalProperties": False, "properties": properties},
        "response.schema.json": {"type": "object", "properties": {"face": {"type": "string"}, "note": {"type": "string"}}},
        "aggregate.json": {"faces": {"path": "/face", "op": "count"}},
        "examples/one.json": {"config": {"faces": ["a"], "longest_note": 9}, "responses": [{"face": "a"}]},
        "i18n/en.json": {"title": "M", "description": "M", "config.faces": "Faces", "config.longest_note": "Note"},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "ui").mkdir()
    (folder / "ui/participant.js").write_text(participant, encoding="utf-8")
    (folder / "ui/results.js").write_text(results, encoding="utf-8")

    found = types_in(tmp_path)

    assert found.rejected == ()
    assert [each.ui for each in found.types] == [("participant", "results")]


def checked(view: str, folder: Path) -> tuple[int, str]:
    """Return what the compiler says of a view beside the declarations of `conflicto types sdk`."""
    (folder / "mood/ui").mkdir(parents=True, exist_ok=True)
    (folder / "mood/ui/participant.js").write_text(f"// @ts-check\n{view}", encoding="utf-8")
    for name, content in declarations().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    options = {
        "strict": "false",
        "target": "es2024",
        "module": "esnext",
        "moduleResolution": "bundler",
        "lib": "es2024,dom,dom.iterable",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    compiler = ROOT / "node_modules/typescript/bin/tsc"
    command = [_node(), compiler, "--noEmit", "--allowJs", *flags, "mood/ui/participant.js"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout


def test_editors_know_the_types_of_the_sdk(tmp_path: Path) -> None:
    view = re.findall(r"^```js\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]

    assert checked(view, tmp_path) == (0, "")
    code, printed = checked(view.replace("this.isOpen", "this.isOpenn"), tmp_path)
    assert code != 0
    assert "Did you mean 'isOpen'?" in printed


@pytest.mark.parametrize("module", ["v1.js", "results.js", "numbers.js", "cloud.js"])
def test_every_export_is_declared(module: str) -> None:
    text = declarations()[f"sdk/{module.removesuffix('.js')}.d.ts"]
    single = re.findall(r"^export declare (?:const|class|function|let) (\w+)", text, re.MULTILINE)
    several = [name.strip() for names in re.findall(r"^export \{(.*?)\}", text, re.MULTILINE) for name in names.split(",")]

    assert {*single, *filter(None, several)} == SDK_EXPORTS[module]
