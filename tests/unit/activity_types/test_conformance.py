"""The conformance kit on built-in and foreign types, and a failing case for each check."""

import ast
import json
import re
import shutil
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from conflicto import activity_types
from conflicto.activity_types.registry import GROUP, folder_of, installed, types_in
from conflicto.activity_types.testing import ConformanceTests, complaints, failures
from tests.unit.activity_types.test_loader import TYPES, changed

FOLDERS = sorted(file.parent for file in activity_types.folder().glob("*/activity.json"))
LOCALES = {"en", "de", "es", "fr", "pt", "ar"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_built_in_types_pass_every_check(folder: Path) -> None:
    assert failures(folder) == []


@pytest.mark.parametrize("known", installed().types, ids=lambda known: known.name)
def test_built_in_types_have_every_language(known) -> None:
    assert set(known.catalogs) == LOCALES


class TestStranger(ConformanceTests):
    folder = TYPES / "toast"


EXAMPLES = Path(__file__).parents[3] / "examples/types"


class TestExampleFolder(ConformanceTests):
    folder = EXAMPLES / "points"


class TestExamplePackage(ConformanceTests):
    folder = EXAMPLES / "hotspot/src/conflicto_hotspot/hotspot"


def test_the_example_package_names_its_folder_in_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((EXAMPLES / "hotspot/pyproject.toml").read_text(encoding="utf-8"))
    module, _, name = project["project"]["entry-points"][GROUP]["hotspot"].partition(":")
    monkeypatch.syspath_prepend(EXAMPLES / "hotspot/src")

    assert [known.name for known in types_in(folder_of(getattr(import_module(module), name))).types] == ["hotspot"]


Breaking = Callable[[Path], object]
BROKEN: dict[str, tuple[Breaking, str]] = {
    "no folder": (lambda at: (at / "activity.json").unlink(), "toast/activity.json: cannot be read"),
    "no examples": (
        lambda at: shutil.rmtree(at / "examples"),
        "toast/examples: holds no example. Add a file such as examples/first.json",
    ),
    "a config that does not fit": (
        lambda at: changed(at / "examples/kitchen.json", config={"question": "?"}),
        "toast/examples/kitchen.json:1 at /config/breads: is required. Correct the example",
    ),
    "an answer that does not fit": (
        lambda at: changed(at / "examples/kitchen.json", responses=[{"bread": "Corn", "shade": 9}]),
        "toast/examples/kitchen.json:1 at /responses/0/bread: is not one of the allowed values",
    ),
    "a part that no example shows": (
        lambda at: changed(at / "examples/kitchen.json", secret={}),
        "secret.schema.json:1 at /properties/best: no example shows secret.best",
    ),
    "a strange beginning": (
        lambda at: changed(at / "activity.json", fresh={"config": {"crumb": 1}}),
        "activity.json:1 at /fresh/config/crumb: no schema knows config.crumb. Remove it. Known: question, ",
    ),
    "an open config": (
        lambda at: changed(at / "config.schema.json", additionalProperties=True),
        "config.schema.json:1: accepts a config with an unknown field. Write",
    ),
    "an open answer": (
        lambda at: (at / "response.schema.json").write_text("{}"),
        "response.schema.json:1: accepts null, or an unknown field, as an answer. Write",
    ),
    "an example with what nobody knows": (
        lambda at: changed(at / "examples/kitchen.json", config={"question": "?", "breads": [{"name": "Rye"}], "left": 1}),
        "kitchen.json:1 at /config: holds left, which is not known here. Remove it. Known: breads, least, most, notes, origin, question.",
    ),
    "an answer with what nobody knows": (
        lambda at: changed(at / "examples/kitchen.json", responses=[{"bread": "Rye", "shade": 3, "jam": 1}]),
        "kitchen.json:1 at /responses/0: holds jam, which is not known here. Remove it. Known: bread, shade.",
    ),
    "a secret with what nobody knows": (
        lambda at: changed(at / "examples/kitchen.json", secret={"best": "Rye", "jam": 1}),
        "kitchen.json:1 at /secret: holds jam, which is not known here. Remove it. Known: best.",
    ),
    "a text that is missing": (
        lambda at: (at / "i18n/en.json").write_text("{}"),
        "i18n/en.json:1: lacks config.breads.name. Add the text.",
    ),
    "no texts": (lambda at: (at / "i18n/en.json").unlink(), "i18n/en.json: is missing. Write it with the texts config.breads, "),
    "another title": (
        lambda at: changed(at / "i18n/en.json", title="Bread"),
        "en.json:1 at /title: has another title than activity.json, Toast. Write one",
    ),
    "a text in one language": (
        lambda at: (at / "i18n/de.json").write_text('{"neu": "x"}'),
        "i18n/de.json:1 at /neu: has an unused neu. Add it to i18n/en.json, or",
    ),
    "a plural of nothing": (
        lambda at: changed(at / "i18n/en.json", **{"crumbs.one": "x"}),
        "at /crumbs.one: has a plural of crumbs, which",
    ),
    "a language half done": (
        lambda at: (at / "i18n/de.json").write_text('{"title": "Toast"}'),
        "i18n/de.json:1: lacks description. Translate",
    ),
    "nothing counted": (lambda at: (at / "aggregate.json").unlink(), "aggregate.json: counts nothing. Add a name"),
    "a path that no example shows": (
        lambda at: [
            changed(at / "response.schema.json", properties={"crumb": {"type": "string"}}, required=[]),
            (at / "aggregate.json").write_text('{"crumbs": {"path": "/crumb", "op": "count"}}'),
        ],
        "aggregate.json:1 at /crumbs/path: no answer of the examples holds /crumb. Add it",
    ),
    "a key that no example shows": (
        lambda at: [
            changed(at / "secret.schema.json", properties={"worst": {"type": "string"}}, required=[]),
            changed(at / "aggregate.json", score={"path": "/bread", "op": "score", "key": "/worst"}),
        ],
        "aggregate.json:1 at /score/key: no secret of the examples holds /worst. Add it",
    ),
    "no readme": (
        lambda at: (at / "README.md").unlink(),
        "toast/README.md: is missing. Write it with the sections Picture, Config, Answer, Results.",
    ),
    "no picture": (
        lambda at: (at / "README.md").write_text("# Toast\n\n## Picture\n\nnone\n"),
        "README.md:3: has no picture in a block of text. Add a drawing of the screen in a block of text, between lines of ```.",
    ),
    "no section with a picture": (
        lambda at: (at / "README.md").write_text("# Toast\n"),
        "README.md: has no section Picture. Write `## Picture`, and below it a drawing",
    ),
    "no section with names": (
        lambda at: (at / "README.md").write_text("# Toast\n\n## Results\n"),
        "README.md: has no section Results. Write `## Results`, and below it the names `breads`, `score`.",
    ),
    "a field untold": (
        lambda at: (at / "README.md").write_text("## Config\n\n`breads`\n"),
        "toast/README.md:1: does not mention `question`, `least`, `most`, ",
    ),
    "a view without an element": (lambda at: view(at, "let a = 1;"), "toast/ui/screen.js: exports nothing by default"),
    "a view that writes markup": (
        lambda at: view(at, "let a, b;\nexport default 1; a.innerHTML = b;"),
        "ui/screen.js:2: uses innerHTML. Build",
    ),
    "a view that evaluates": (lambda at: view(at, "export default 1; eval('1');"), "ui/screen.js:1: uses eval. Build"),
    "a text that no catalog has": (
        lambda at: view(at, "export default class {\n  view() {\n    return this.t('titel', { n: 1 });\n  }\n}"),
        "ui/screen.js:3: uses the text titel, which i18n/en.json lacks. Write title, or add it.",
    ),
    "a title of no result": (
        lambda at: changed(at / "i18n/en.json", **{"results.breds": "Breads"}),
        "at /results.breds: results.breds names no result",
    ),
    "a title of no member": (
        lambda at: changed(at / "i18n/en.json", **{"response.bred": "Bread"}),
        "at /response.bred: response.bred names no result",
    ),
    "a text that is nothing like any": (
        lambda at: view(at, "export default class { view() { return this.t(`hwo`); } }"),
        "ui/screen.js:1: uses the text hwo, which i18n/en.json lacks. Add it.",
    ),
    "a misspelt file": (
        lambda at: (at / "agregate.json").write_text("{}"),
        "toast/agregate.json:1: is read by nothing. Rename it to aggregate.json, or remove it.",
    ),
    "a misspelt folder": (
        lambda at: (at / "exampels").mkdir(),
        "toast/exampels: is read by nothing. Rename it to examples, or remove it.",
    ),
    "a file of no use": (
        lambda at: (at / "style.css").write_text(""),
        "toast/style.css: is read by nothing. Remove it. Names that are read: activity.json, ",
    ),
    "a picture beside views": (
        lambda at: [(at / "ui").mkdir(), (at / "ui/face.svg").write_text("")],
        "toast/ui/face.svg: is read by nothing. Only files with .js are read here. Rename it, or remove it.",
    ),
    "a version that does not load": (
        lambda at: (at / "versions/1").mkdir(parents=True),
        "toast/versions/1/activity.json: cannot be read (No such file or directory).",
    ),
}


def view(folder: Path, source: str) -> None:
    (folder / "ui").mkdir()
    (folder / "ui/screen.js").write_text(source)


@pytest.mark.parametrize("case", BROKEN)
def test_a_failed_check_is_reported(tmp_path: Path, case: str) -> None:
    folder = Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))
    break_it, message = BROKEN[case]
    break_it(folder)

    messages = failures(folder)

    assert [each for each in messages if message in each], messages


def test_files_for_people_and_hidden_files_are_allowed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))
    for name in ("LICENSE", "NOTES.md", "thanks.txt", "notes.pdf", ".hidden", "examples/.hidden", "examples/make.sh"):
        (folder / name).write_text("x")
    (folder / "__pycache__").mkdir()
    (folder / "versions").mkdir()
    (folder / "versions/.hidden").mkdir()

    assert failures(folder) == []


def test_the_old_name_of_failures_works_until_1_0() -> None:
    assert complaints is failures


def test_visible_hidden_parts_are_reported(tmp_path: Path) -> None:
    """Change the loaded type: a folder alone cannot make `scopes_of` fail."""
    from dataclasses import replace

    from conflicto.activity_types.kit.conformance import scopes_hide_properties
    from conflicto.activity_types.loader import load_type

    known = load_type(TYPES / "toast")

    assert list(scopes_hide_properties(replace(known, scopes='{"host":["question"]}'))) == [
        f"toast/examples/kitchen.json:1 at /config/{name}: participants {see} config.{name}. Correct its x-scope."
        for name, see in (("notes", "see"), ("origin", "see"), ("question", "do not see"))
    ]


def test_a_failing_kit_fails_the_stranger(tmp_path: Path) -> None:
    folder_ = Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))
    (folder_ / "README.md").unlink()

    class Broken(ConformanceTests):
        folder = folder_

    Broken().test_texts_are_complete()
    with pytest.raises(AssertionError, match="is missing"):
        Broken().test_the_readme_is_complete()


HOMONYMS = {
    ("feed/http.py", "poll"), ("aggregation/operations/rank.py", "ranking"), ("platform/word_filter/word_lists.py", "words"),
    ("activity_types/response_parts.py", "ranking"), ("web/page_renderer.py", "words"),
}  # fmt: skip
"""Names with another meaning: rate limit, result field, file field, kind of part, folder."""

OPERATIONS = ("aggregation/operations/",)
"""Modules that name operations of aggregation; one operation has a type's name."""

HISTORY = "migrations/versions/"
"""Migrations describe a schema of the past, with the types of that time."""


def test_no_type_is_named_outside_its_folder() -> None:
    """Require that adding a type touches one folder: the program names no type."""
    names = {known.name for known in installed().types}
    root = activity_types.folder().parent
    found = set()
    for file in root.rglob("*.py"):
        path = file.relative_to(root).as_posix()
        if path.startswith(HISTORY):
            continue
        texts = {node.value for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)}
        found |= {(path, name) for name in names & texts if not (name == "words" and path.startswith(OPERATIONS))}

    assert found == HOMONYMS


NAMED = {
    ".js": re.compile(r"""["'`]([a-z]+)["'`]"""),
    ".ts": re.compile(r"""(?<!\bop: )["'`]([a-z]+)["'`]"""),  # an operation may have the name of a type
    ".css": re.compile(r"\.([a-z]+)(?![a-z-])"),
    ".html": re.compile(r"""[\w-]+="([a-z]+)\""""),
    ".json": re.compile(r"""^ *"([a-z]+)[".]""", re.MULTILINE),
}
"""Patterns by which a page's files could name a type: text, class, attribute, key."""


def test_no_page_names_a_type() -> None:
    names = {known.name for known in installed().types}
    root = activity_types.folder().parent / "web"
    found = {
        (file.relative_to(root).as_posix(), name)
        for folder in ("static", "templates", "i18n")
        for file in (root / folder).rglob("*.*")
        for name in names & set(NAMED[file.suffix].findall(file.read_text(encoding="utf-8")))
    }

    assert found == set()


def test_catalogs_hold_no_markup() -> None:
    for known in installed().types:
        assert "<" not in json.dumps(known.catalogs), known.name
