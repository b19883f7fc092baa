"""Folders of types: loaded, or refused with file, place and reason."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conflicto import __version__
from conflicto.activities.schemas import ActivityFields
from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.folder_files.manifest import DEFAULTS
from conflicto.activity_types.kit.conformance import failures
from conflicto.activity_types.loader import load_type
from conflicto.aggregation.operations import OPERATIONS

TYPES = Path(__file__).parents[2] / "support/types"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))


def changed(file: Path, **fields: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def view(folder: Path, source: bytes) -> None:
    (folder / "ui").mkdir(exist_ok=True)
    (folder / "ui/screen.js").write_bytes(source)


def test_a_folder_is_a_type(folder: Path) -> None:
    known = load_type(folder)

    assert (known.name, known.version, known.title, known.icon) == ("toast", "2.1", "Toast", "🍞")
    assert known.defaults == {"response_policy": "first", "moderation": "before", "duration_seconds": 45, "anonymous": True}
    assert known.scopes == '{"after_reveal":["origin"],"host":["notes"]}'
    assert known.aggregate == '{"breads":{"path":"/bread","op":"count"},"score":{"path":"/bread","op":"score","key":"/best"}}'
    assert set(known.catalogs) == {"en"}
    assert known.ui == ()


def test_a_manifest_names_authors_license_homepage_and_what_it_requires(folder: Path) -> None:
    about = {"authors": ["Anna", "Bert"], "license": "MIT", "homepage": "https://example.org/", "requires": ">=0.0.1,<999"}
    changed(folder / "activity.json", **about)

    known = load_type(folder)

    assert (known.authors, known.license, known.homepage, known.requires) == (
        ("Anna", "Bert"),
        "MIT",
        "https://example.org/",
        ">=0.0.1,<999",
    )


def test_views_are_named_by_what_is_there(folder: Path) -> None:
    (folder / "ui").mkdir()
    for view in ("screen", "participant", "something"):
        (folder / f"ui/{view}.js").write_text("export default class extends HTMLElement {}")

    assert load_type(folder).ui == ("participant", "screen")


def test_what_is_optional_may_be_missing(folder: Path) -> None:
    for name in ("secret.schema.json", "aggregate.json", "README.md"):
        (folder / name).unlink()
    for name in ("examples", "i18n"):
        shutil.rmtree(folder / name)
    changed(folder / "config.schema.json", properties={"breads": {"type": "array"}}, required=[])
    (folder / "response.schema.json").write_text("{}")

    known = load_type(folder)

    assert (known.secret_schema, known.aggregate, known.scopes, known.examples, known.catalogs) == (None, None, None, (), {})


def test_catalogs_are_named_by_languages_scripts_and_regions(folder: Path) -> None:
    for tag in ("pt-BR", "zh-Hant-TW", "es-419", "sr-Latn", "gsw"):
        shutil.copy(folder / "i18n/en.json", folder / f"i18n/{tag}.json")

    assert load_type(folder).catalogs.keys() == {"en", "pt-BR", "zh-Hant-TW", "es-419", "sr-Latn", "gsw"}


Breaking = Callable[[Path], object]
BROKEN: dict[str, tuple[Breaking, str]] = {
    "no manifest": (lambda at: (at / "activity.json").unlink(), "toast/activity.json: cannot be read"),
    "no schema": (lambda at: (at / "response.schema.json").unlink(), "toast/response.schema.json: cannot be read"),
    "no json": (lambda at: (at / "activity.json").write_text('{\n"a": 1,\n}'), "toast/activity.json:3: is not one JSON text in UTF-8"),
    "no text": (lambda at: (at / "activity.json").write_bytes(b"\xff"), "toast/activity.json:1: is not one JSON text in UTF-8"),
    "null": (lambda at: (at / "aggregate.json").write_text("null"), "toast/aggregate.json:1: has the wrong type"),
    "a folder for a file": (lambda at: (at / "rehearsal.json").mkdir(), "toast/rehearsal.json: cannot be read (Is a directory)"),
    "a key twice": (lambda at: (at / "aggregate.json").write_text('{"a":1,"a":2}'), "toast/aggregate.json: names a key twice"),
    "too large": (lambda at: (at / "i18n/en.json").write_text(" " * 70_000), "toast/i18n/en.json: has more than 64 KiB"),
    "another name": (lambda at: changed(at / "activity.json", type="bread"), "toast/activity.json:1 at /type: must be the folder's"),
    "another sdk": (
        lambda at: changed(at / "activity.json", sdk="2"), 'toast/activity.json:1 at /sdk: is not the allowed value. Write "1".',
    ),
    "a later program": (
        lambda at: changed(at / "activity.json", requires=">=999"),
        f"at /requires: needs Conflicto >=999, and this is {__version__}. Update Conflicto, or take another version of the type.",
    ),
    "an earlier program": (lambda at: changed(at / "activity.json", requires=">=0.0.1,<0.0.2"), "at /requires: needs Conflicto >=0.0.1,"),
    "no range": (
        lambda at: changed(at / "activity.json", requires="new"), "at /requires: is no range of versions. Write a range such as",
    ),
    "no address": (
        lambda at: changed(at / "activity.json", homepage="javascript:1"),
        "at /homepage: does not have the required format. Write an address, https://….",
    ),
    "unknown field": (
        lambda at: changed(at / "activity.json", colour="red"),
        "toast/activity.json:1 at /colour: is not known here. Remove it. Allowed: type, version,",
    ),
    "unknown default": (
        lambda at: changed(at / "activity.json", defaults={"round": 2}),
        "at /defaults/round: is not known here. Remove it. Allowed: response_policy,",
    ),
    "a list": (lambda at: changed(at / "config.schema.json", type="array"), "toast/config.schema.json:1 at /type: a config is an"),
    "a remote reference": (
        lambda at: changed(at / "config.schema.json", properties={"a": {"$ref": "https://example.org/x"}}),
        "toast/config.schema.json:1 at /properties/a/$ref: must name a definition",
    ),
    "a slow pattern": (
        lambda at: changed(at / "response.schema.json", properties={"a": {"pattern": "(?=x)"}}),
        "toast/response.schema.json:1 at /properties/a/pattern: is no pattern that can be matched in linear time",
    ),
    "a scoped answer": (
        lambda at: changed(at / "response.schema.json", properties={"a": {"x-scope": "host"}}),
        "toast/response.schema.json:1 at /properties/a/x-scope: only a config has scopes",
    ),
    "a hidden limit": (
        lambda at: changed(at / "response.schema.json", properties={"bread": {"x-in": "/origin"}}),
        "toast/response.schema.json:1 at /properties/bread/x-in: leads to a part of the config that participants do not see",
    ),
    "a bad operation": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "average"}),
        f"toast/aggregate.json:1 at /breads/op: must be one of {', '.join(OPERATIONS)}",
    ),
    "a bad pointer": (
        lambda at: changed(at / "aggregate.json", breads={"path": "bread", "op": "count"}),
        "toast/aggregate.json:1 at /breads/path: must be a JSON pointer",
    ),
    "a bad name": (
        lambda at: changed(at / "aggregate.json", **{"Breads!": {"path": "/bread", "op": "count"}}),
        "toast/aggregate.json:1 at /Breads!: has a name that is not a lower-case letter",
    ),
    "an unknown option": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "count", "topp": 3}),
        "toast/aggregate.json:1 at /breads: has the unknown option `topp` for `count`; allowed: `top`",
    ),
    "a bad option": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "count", "top": 0}),
        "toast/aggregate.json:1 at /breads/top: must be a whole number from 1 to 1000",
    ),
    "options that do not agree": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "number", "min": 2, "max": 1}),
        "toast/aggregate.json:1 at /breads: needs a `min` below its `max`",
    ),
    "a missing option": (
        lambda at: changed(at / "aggregate.json", score={"path": "/bread", "op": "amounts"}),
        "toast/aggregate.json:1 at /score/of: is required by amounts",
    ),
    "an unknown bin": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/shade", "op": "number", "binz": 5}),
        "toast/aggregate.json:1 at /breads: has the unknown option `binz` for `number`; allowed: `bins`",
    ),
    "no bins": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/shade", "op": "number", "bins": 0}),
        "toast/aggregate.json:1 at /breads/bins: must be a whole number from 1 to 100",
    ),
    "many for a number": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "count", "top": "many"}),
        "toast/aggregate.json:1 at /breads/top: must be a whole number from 1 to 1000",
    ),
    "a path to nowhere": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/crumb", "op": "count"}),
        "toast/aggregate.json:1 at /breads/path: leads nowhere in response.schema.json. Correct the pointer. Names at its last step: ",
    ),
    "a key to nowhere": (
        lambda at: changed(at / "aggregate.json", score={"path": "/bread", "op": "score", "key": "/worst"}),
        "toast/aggregate.json:1 at /score/key: leads nowhere in secret.schema.json. Correct the pointer. Names at its last step: best.",
    ),
    "options to nowhere": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "rank", "of": "/braeds/*/name"}),
        "toast/aggregate.json:1 at /breads/of: leads nowhere in config.schema.json",
    ),
    "bins to nowhere": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/shade", "op": "number", "bins": "/binns"}),
        "toast/aggregate.json:1 at /breads/bins: leads nowhere in config.schema.json",
    ),
    "a coordinate to nowhere": (
        lambda at: changed(at / "aggregate.json", spots={"path": "", "op": "grid", "x": "/shade", "y": "/depth"}),
        "toast/aggregate.json:1 at /spots/y: leads nowhere in response.schema.json",
    ),
    "a tolerance to nowhere": (
        lambda at: changed(at / "aggregate.json", score={"path": "/shade", "op": "score", "key": "/best", "tolerance": "/within"}),
        "toast/aggregate.json:1 at /score/tolerance: leads nowhere in secret.schema.json",
    ),
    "a member to nowhere": (
        lambda at: changed(at / "aggregate.json", score={"path": "", "op": "score", "all": [{"path": "/crumb", "key": "/best"}]}),
        "toast/aggregate.json:1 at /score/all/0/path: leads nowhere in response.schema.json",
    ),
    "a member's key to nowhere": (
        lambda at: changed(at / "aggregate.json", score={"path": "", "op": "score", "all": [{"path": "/bread", "key": "/worst"}]}),
        "toast/aggregate.json:1 at /score/all/0/key: leads nowhere in secret.schema.json",
    ),
    "a limit to nowhere": (
        lambda at: changed(at / "response.schema.json", properties={"shade": {"type": "integer", "x-max": "/limitt"}}),
        "toast/response.schema.json:1 at /properties/shade/x-max: leads nowhere in config.schema.json. Correct the pointer. Names",
    ),
    "choices to nowhere": (
        lambda at: changed(at / "response.schema.json", properties={"bread": {"x-in": "/breads/*/nam"}}),
        "Names at its last step: name",
    ),
    "choices without their elements": (
        lambda at: changed(at / "response.schema.json", properties={"bread": {"x-in": "/breads"}}),
        "at /properties/bread/x-in: leads to a value of type array. Usable types: boolean, integer, number, string. For the elements",
    ),
    "the whole config for a choice": (
        lambda at: changed(at / "response.schema.json", properties={"bread": {"x-in": ""}}),
        "at /properties/bread/x-in: leads to a value of type object",
    ),
    "a text for a limit": (
        lambda at: changed(at / "response.schema.json", properties={"shade": {"x-max": "/question"}}),
        "at /properties/shade/x-max: leads to a value of type string. Usable types: boolean, integer, number.",
    ),
    "uniqueness by nothing": (
        lambda at: changed(at / "response.schema.json", properties={"a": {"items": {"properties": {"id": {}}}, "x-unique": "/idd"}}),
        "at /properties/a/x-unique: leads nowhere in an element. Correct the pointer. Names at its last step: id.",
    ),
    "a sum to nowhere": (
        lambda at: changed(at / "response.schema.json", properties={"a": {"items": {"type": "integer"}, "x-sum": "/totall"}}),
        "at /properties/a/x-sum: leads nowhere in config.schema.json",
    ),
    "a hint to nowhere": (
        lambda at: (at / "rehearsal.json").write_text('{"near": "/wurst", "always": {"/bread": "Rye"}}'),
        "toast/rehearsal.json:1 at /near: leads nowhere in secret.schema.json",
    ),
    "a hint for no pointer": (
        lambda at: (at / "rehearsal.json").write_text('{"always": {\n"bread": "Rye"}}'),
        "toast/rehearsal.json:2 at /always/bread: has a name of another form. Write a JSON pointer, such as /answer.",
    ),
    "a misspelt keyword": (
        lambda at: changed(at / "response.schema.json", properties={"a": {"maxLenght": 3}}),
        "at /properties/a/maxLenght: this keyword is not part of the subset. Write maxLength, or remove it.",
    ),
    "definitions that are none": (lambda at: changed(at / "config.schema.json", **{"$defs": 7}), "at /$defs: must be an object of schemas"),
    "a module in another encoding": (
        lambda at: view(at, b"// one\n// \xe4\nexport default class extends HTMLElement {}"), "toast/ui/screen.js:2: is not UTF-8",
    ),
    "a large module": (lambda at: view(at, b" " * 300_000), "toast/ui/screen.js: has more than 256 KiB"),
    "an empty example": (lambda at: (at / "examples/x.json").write_text("{}"), "toast/examples/x.json:1 at /config: is required"),
    "no locale": (lambda at: (at / "i18n/English.json").write_text("{}"), "toast/i18n/English.json:1: is not named by a language. Use"),
    "no language": (
        lambda at: (at / "i18n/xx.json").write_text("{}"),
        "toast/i18n/xx.json:1: is not named by a language, as there is no language xx. Use a tag such as en or pt-BR.",
    ),
    "no region": (
        lambda at: (at / "i18n/de-XQ.json").write_text("{}"), "i18n/de-XQ.json:1: is not named by a language, as there is no region XQ.",
    ),
    "phrases of no language": (
        lambda at: (at / "rehearsal.json").write_text('{"phrases": {"en": ["Rye"],\n "xx": ["Rye"]}}'),
        "toast/rehearsal.json:2 at /phrases/xx: is not named by a language, as there is no language xx. Use",
    ),
    "a file for views": (lambda at: (at / "ui").write_text("let a;"), "toast/ui: must be a folder. Make a folder of this name"),
    "a file for texts": (
        lambda at: [shutil.rmtree(at / "i18n"), (at / "i18n").write_text("{}")], "toast/i18n: must be a folder. Make a folder of this",
    ),
    "a file for upgrades": (lambda at: (at / "upgrades").write_text("{}"), "toast/upgrades: must be a folder."),
    "many examples": (
        lambda at: [shutil.copy(at / "examples/kitchen.json", at / f"examples/{n}.json") for n in range(50)],
        "toast/examples: holds more than 50 files",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_refused_with_file_place_reason_and_remedy(folder: Path, case: str) -> None:
    break_it, message = BROKEN[case]
    break_it(folder)

    with pytest.raises(InvalidActivityType) as refused:
        load_type(folder)

    messages = str(refused.value).split("\n")
    assert [each for each in messages if message in each], messages
    for fault in refused.value.faults:
        assert fault.file.startswith("toast/")
        assert fault.remedy.endswith(".")


def test_all_faults_are_reported_at_once_each_with_its_line(folder: Path) -> None:
    (folder / "activity.json").write_text('{\n "type": "toast",\n "version": "x",\n "title": "",\n "icon": "🍞",\n "sdk": "1"\n}')
    (folder / "response.schema.json").write_text(
        '{\n "properties": {\n  "bread": {\n   "typ": "string"\n  },\n  "shade": {"format": "shade",\n   "if": {}}\n }\n}'
    )
    changed(folder / "config.schema.json", properties={"a": {"type": "text", "minLength": -1}, "b": {"pattern": "("}})
    (folder / "i18n/en.json").write_text("[]")

    with pytest.raises(InvalidActivityType) as refused:
        load_type(folder)

    assert [(each.file, each.line, each.pointer) for each in refused.value.faults] == [
        ("toast/activity.json", 3, "/version"),
        ("toast/activity.json", 4, "/title"),
        ("toast/config.schema.json", 1, "/properties/a/minLength"),
        ("toast/config.schema.json", 1, "/properties/a/type"),
        ("toast/config.schema.json", 1, "/properties/b/pattern"),
        ("toast/response.schema.json", 4, "/properties/bread/typ"),
        ("toast/response.schema.json", 6, "/properties/shade/format"),
        ("toast/response.schema.json", 7, "/properties/shade/if"),
        ("toast/i18n/en.json", 1, ""),
    ]


ODD_VALUES = (None, True, -1, 10**15, "", "/typo", "/breads/*/name", "*", [], [None], {}, {"a": 1})
"""Values that replace each value of each file in turn."""


def variants(value: Any) -> Iterator[Any]:
    """Yield the JSON value with each of its parts replaced by each odd value, or renamed."""
    yield from ODD_VALUES
    if isinstance(value, dict):
        for name in value:
            yield {**{key: each for key, each in value.items() if key != name}, name + "x": value[name]}
            yield from (value | {name: below} for below in variants(value[name]))
    if isinstance(value, list):
        for place in range(len(value)):
            yield from ([*value[:place], below, *value[place + 1 :]] for below in variants(value[place]))


FILES = (
    "activity.json",
    "config.schema.json",
    "response.schema.json",
    "secret.schema.json",
    "aggregate.json",
    "drawing.json",
    "examples/kitchen.json",
)


@pytest.mark.parametrize("file", FILES)
def test_no_content_of_a_file_is_a_traceback(folder: Path, file: str) -> None:
    (folder / "rehearsal.json").write_text('{"near": "/best", "always": {"/bread": "Rye"}, "phrases": {"en": ["Rye"]}}')
    drawing = {"breads": {"chart": "cloud", "names": {"in": "/breads/*", "value": "/name", "text": "/name"}}}
    (folder / "drawing.json").write_text(json.dumps(drawing))
    written = json.loads((folder / file).read_text())

    for variant in variants(written):
        (folder / file).write_text(json.dumps(variant))
        assert all(isinstance(message, str) for message in failures(folder)), variant


def test_defaults_of_types_are_fields_of_activities() -> None:
    """Compare the manifest's defaults with the fields of activities, a package above."""
    fields = ActivityFields.model_json_schema()
    for name, schema in DEFAULTS.items():
        field = fields["properties"][name]
        if "enum" in schema:
            assert set(schema["enum"]) == set(fields["$defs"][field["$ref"].rpartition("/")[2]]["enum"])
        elif name == "duration_seconds":
            assert {key: field["anyOf"][0][key] for key in schema} == schema
        else:
            assert field["type"] == schema["type"]
