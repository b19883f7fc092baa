import re

import pytest

from conflicto.web.assets import STATIC, AssetBundle
from conflicto.web.bundler import SHARED, UnsupportedModule, bundle, minify_css, shorten_variables, strip_comments

CORE = "export const one = 1;\nexport function two() { return one + 1; }\n"
SDK = 'import { one } from "../core/a.js";\n\nexport { one };\nexport class Thing {}\n'
PART = 'import { two } from "../core/a.js";\n\nconst hidden = 3;\nexport const three = two() + hidden;\n'
PAGE = """import { three } from "../parts/b.js";
import {
  one as uno,
} from "../core/a.js";

const hidden = three + uno;
export default hidden;
"""


def test_what_is_shared_becomes_one_file_and_each_entry_takes_in_the_rest() -> None:
    files = bundle({"core/a.js": CORE, "sdk/v1.js": SDK, "parts/b.js": PART, "pages/p.js": PAGE})

    assert set(files) == {SHARED, "parts/b.js", "pages/p.js"}
    assert files[SHARED].endswith("export { $core_a, $sdk_v1 };\n")
    assert files["pages/p.js"].startswith('import { $core_a } from "../core.js";\nconst $parts_b = (() => {\n')
    assert "const { three } = $parts_b;" in files["pages/p.js"]
    assert "const { one: uno } = $core_a;" in files["pages/p.js"]
    assert files["pages/p.js"].endswith("export default hidden;\n")


def test_variables_of_modules_are_short_and_the_same_in_every_file() -> None:
    files = shorten_variables(bundle({"core/a.js": CORE, "sdk/v1.js": SDK, "parts/b.js": PART, "pages/p.js": PAGE}))

    assert files[SHARED].endswith("export { $0, $2 };\n")
    assert files["pages/p.js"].startswith('import { $0 } from "../core.js";\nconst $1 = (() => {\n')
    assert "const { three } = $1;" in files["pages/p.js"]


def test_names_of_modules_do_not_meet() -> None:
    page = bundle({"core/a.js": CORE, "parts/b.js": PART, "pages/p.js": PAGE})["pages/p.js"]

    assert page.index("const hidden = 3;") < page.index("})();") < page.index("const hidden = three + uno;")


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ({"core/a.js": 'import "./b.js";\n'}, "unsupported form"),
        ({"core/a.js": 'import all from "./b.js";\n'}, "unsupported form"),
        ({"core/a.js": "export * from './b.js';\n"}, "unsupported form"),
        ({"core/a.js": "export default 1;\n", "pages/p.js": 'import * as a from "../core/a.js";\n'}, "unsupported form"),
        ({"pages/p.js": 'import { a } from "../core/gone.js";\n'}, "or missing"),
        ({"core/a.js": 'import { b } from "./b.js";\n', "core/b.js": 'import { a } from "./a.js";\n'}, "import cycle"),
    ],
)
def test_what_is_not_understood_stops_the_start(modules: dict[str, str], said: str) -> None:
    with pytest.raises(UnsupportedModule, match=said):
        bundle(modules)


def test_no_module_of_ours_turns_text_into_code_or_markup() -> None:
    for name, each in AssetBundle().files.items():
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\s*=|setAttribute\(.style",
            each.body.decode(),
        )
        assert found == [], name


def test_phones_download_no_comments() -> None:
    for name, each in AssetBundle().files.items():
        if name.endswith(".js"):
            assert not re.search(r"^\s*//", each.body.decode(), re.MULTILINE), name


def test_no_text_of_ours_goes_over_several_lines() -> None:
    for path in STATIC.rglob("*.js"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert line.count("`") % 2 == 0, f"{path.name}: {line}"


def test_our_own_modules_come_without_comments_and_blanks_and_no_text_of_theirs_goes_over_several_lines() -> None:
    for path in sorted(STATIC.rglob("*.js")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if line.count("`") % 2] == [], (
            f"{path.name}: a text over several lines would lose its blanks"
        )
    for name, each in AssetBundle().files.items():
        if name.endswith(".js"):
            assert re.findall(r"^[ \t].*|^$|// .*", each.body.decode().rstrip("\n"), re.MULTILINE) == [], name


def test_a_comment_at_the_end_of_a_line_goes_and_a_text_that_looks_like_one_stays() -> None:
    assert (
        strip_comments('const a = 1; // one\n// two\nconst b = "x // y"; // it\'s\n')
        == 'const a = 1;\nconst b = "x // y"; // it\'s\n'
    )


def test_a_style_loses_what_means_nothing_and_nothing_else() -> None:
    style = '/* a\nb */\n.a, .b > :hover { --x: calc(1px + 2px); }\n@media (width: 1px) {\n  p::after { content: "● x"; }\n}\n'
    assert minify_css(style) == '.a,.b > :hover{--x:calc(1px + 2px);}@media (width:1px){p::after{content:"● x";}}'
