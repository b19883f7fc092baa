"""Modules of views: valid JavaScript of many shapes loads, and faults have their line."""

import shutil
from pathlib import Path

import pytest

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.folder_files.view_files import SDK_EXPORTS
from conflicto.activity_types.folder_files.view_modules import ViewModule, parse_module
from conflicto.activity_types.kit.conformance import failures
from conflicto.activity_types.loader import load_type
from conflicto.web.page_bundle import STATIC
from tests.unit.activity_types.test_loader import TYPES

ELEMENT = "export default class extends HTMLElement {}"

VALID = {
    "a dynamic import": 'export default class extends HTMLElement { a() { return import("../../sdk/results.js"); } }',
    "a computed dynamic import": "export default class extends HTMLElement { a(b) { return import(`../../sdk/${b}.js`); } }",
    "a top-level await": f"const a = await Promise.resolve(1);\n{ELEMENT}",
    "exports of other modules": (
        'export * as sdk from "../../sdk/v1.js";\nexport { h, t as words } from "../../sdk/v1.js";\nexport { default } from "./other.js";'
    ),
    "all exports of another module": f'export * from "./other.js";\n{ELEMENT}',
    "a class that is exported later": "class A extends HTMLElement {}\nexport { A as default };",
    "an export named by a string": f'const a = 1;\nexport {{ a as "a b" }};\n{ELEMENT}',
    "comments with words of imports": f'/* import x from "nowhere" */\n// export default; import "y"\n{ELEMENT} // eval(innerHTML)',
    "regular expressions": f"const r = /import\\s+[\"'`]x[\"'`] from/v;\nconst s = 4 / 2 / 1;\nconst q = /[/\\]]+/u.test('a');\n{ELEMENT}",
    "named groups": f"const r = /(?<y>\\d{{4}})-(?<m>\\d\\d)|(?<y>\\d\\d)/d;\nconst s = /(?i:a)b/;\n{ELEMENT}",
    "template strings": f'const x = `import a from "b" ${{`nested ${{1 + 1}} `}} export default`;\n{ELEMENT}',
    "private members": "export default class { #a = 1; static #b = 2; get c() { return #a in this; } static { this.x = 1; } }",
    "big integers and assignments": f"let a = 1_000n ** 2n, b;\nb ??= a?.b?.['c']?.(); b ||= 3; b &&= 4;\n{ELEMENT}",
    "generators": f"async function* g() {{ for await (const x of g()) yield* x; }}\n{ELEMENT}",
    "automatic semicolons": f"let a = 1\nlet b = a\n++b\n{ELEMENT}\n",
    "markup in texts": f'const a = "</script><!--", b = "<p>";\n{ELEMENT}',
    "letters of other languages": f"const größe = 1, \\u0061b = 2;\n{ELEMENT}",
    "labels and new.target": f"function F() {{ outer: for (;;) {{ break outer; }} return new.target; }}\n{ELEMENT}",
    "import.meta": f'const url = new URL("./picture.svg", import.meta.url);\n{ELEMENT}',
}  # fmt: skip

INVALID = {
    "an open brace": ("export default class {\n  m() {\n", "screen.js:3: is no module of ECMAScript 2026"),
    "await in a function": (f"\nfunction f() {{ await 1; }}\n{ELEMENT}", "screen.js:2: is no module"),
    "a name twice": (f"let a = 1;\nlet a = 2;\n{ELEMENT}", "screen.js:2: is no module of ECMAScript 2026 (Identifier 'a' has already"),
    "return outside": (f"return 1;\n{ELEMENT}", "screen.js:1: is no module"),
    "a private name of nobody": ("export default class { m() {\n return this.#x; } }", "screen.js:2: is no module"),
    "an export of nothing": (f"{ELEMENT}\nexport {{ nothing }};", "screen.js:2: is no module"),
    "two defaults": ("export default 1;\nexport default 2;", "screen.js:2: is no module of ECMAScript 2026 (Duplicate export 'default'"),
    "a bad pattern": (f"{ELEMENT}\nconst r = /(/;", "screen.js:2: is no module"),
    "a type": (f"const a: number = 1;\n{ELEMENT}", "screen.js:1: is no module"),
    "markup": ("export default () => <p/>;", "screen.js:1: is no module"),
    "an open text": (f"const a = 'b\n';\n{ELEMENT}", "screen.js:1: is no module"),
    "a package": (f"import {{ html }} from 'lit';\n{ELEMENT}", "screen.js:1: imports lit, which no page can load. Import one of"),
    "another server": (f"\nimport 'https://example.org/a.js';\n{ELEMENT}", "screen.js:2: imports https://example.org/a.js, which no page"),
    "a missing module": (f"import './othr.js';\n{ELEMENT}", "screen.js:1: imports ./othr.js, which no page can load"),
    "a missing module, later": ("export default class { a() {\n return import('./othr.js'); } }", "screen.js:2: imports ./othr.js"),
    "the page's own modules": (f"import {{ Client }} from '../../core/api.js';\n{ELEMENT}", "screen.js:1: imports ../../core/api.js"),
    "a name that the SDK lacks": (
        f"import {{ hh }} from '../../sdk/v1.js';\n{ELEMENT}", "screen.js:1: imports hh, which ../../sdk/v1.js does not export. It exports",
    ),
    "a name that a module lacks": (
        f"import {{ part, prt }} from './other.js';\n{ELEMENT}", "imports prt, which ./other.js does not export. It exports default, part.",
    ),
    "no default": ("export class A extends HTMLElement {}", "screen.js: exports nothing by default. Export a custom element by default."),
    "no default from elsewhere": ("export * from './other.js';", "screen.js: exports nothing by default"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))
    (folder / "ui").mkdir()
    (folder / "ui/other.js").write_text("export const [part] = [1];\nexport default class extends HTMLElement {}\n")
    return folder


@pytest.mark.parametrize("shape", VALID)
def test_valid_modules_pass_and_load(folder: Path, shape: str) -> None:
    (folder / "ui/screen.js").write_text(VALID[shape])

    assert failures(folder) == []
    assert load_type(folder).ui == ("screen",)


@pytest.mark.parametrize("shape", INVALID)
def test_invalid_modules_are_named_with_their_line(folder: Path, shape: str) -> None:
    source, message = INVALID[shape]
    (folder / "ui/screen.js").write_text(source)

    with pytest.raises(InvalidActivityType) as refused:
        load_type(folder)

    assert message in str(refused.value)
    assert failures(folder) == str(refused.value).split("\n")


def test_modules_that_import_each_other_are_linked(folder: Path) -> None:
    (folder / "ui/other.js").write_text("export * from './screen.js';\nexport const part = 1;\n")
    (folder / "ui/screen.js").write_text(
        "import { part } from './other.js';\nexport * from './other.js';\nexport default class {}\n"
    )

    assert load_type(folder).ui == ("screen",)


def exports_of(path: Path) -> set[str]:
    module: ViewModule = parse_module(path.read_text(encoding="utf-8"))
    below = [exports_of((path.parent / specifier).resolve()) - {"default"} for specifier in module.star_exports]
    return module.exports.union(*below)


def test_the_exports_of_the_sdk_are_known() -> None:
    assert {file.name: exports_of(file) for file in (STATIC / "sdk").glob("*.js")} == SDK_EXPORTS


def test_modules_have_their_numbers_of_lines(folder: Path) -> None:
    (folder / "ui").mkdir(exist_ok=True)
    (folder / "ui/screen.js").write_text('import { face } from "./faces.js";\n\nexport default face;\n')
    (folder / "ui/faces.js").write_text("export const face = class extends HTMLElement {};")

    lines = load_type(folder).module_lines

    assert (lines["faces.js"], lines["screen.js"]) == (1, 3)
