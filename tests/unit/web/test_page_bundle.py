import json
import re
import shutil
from pathlib import Path

import pytest

from conflicto.activity_types.loader import load_type
from conflicto.web import page_bundle
from conflicto.web.assets import AssetBundle
from conflicto.web.page_bundle import BUNDLE, STATIC, OutdatedBundle, read_bundle
from tools.build_backend import build_pages

TOAST = Path("tests/support/types/toast")
VIEW = """import * as sdk from "../../sdk/v1.js";
  // ~/ and `texts
  //   over several lines` stay
export { default } from "./part.js";
"""
IMPORT = re.compile(r'(?:from|import)\s*\(?["`](\.[^"`]+)["`]')
EXPORT = re.compile(r"^export (?:const|function|class|let) (\w+)|^export \{([^}]*)\}", re.MULTILINE)
BUNDLED_EXPORT = re.compile(r"export ?\{([^}]*)\}")


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def exported(text: str) -> set[str]:
    return {name for one, several in EXPORT.findall(text) for name in ([one] if one else re.findall(r"\w+(?=\s*(?:,|$))", several))}


def imports_of(name: str, *, static: bool) -> set[str]:
    """Return the files that a bundled file imports, directly or through others."""
    pattern = r'(?:from|import)\s*"(\.[^"]+)"' if static else IMPORT
    found: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        for address in re.findall(pattern, (BUNDLE / at).read_text(encoding="utf-8")):
            path = (BUNDLE / at).parent.joinpath(address).resolve().relative_to(BUNDLE).as_posix()
            waiting += [path] if path not in found else []
            found.add(path)
    return found


def test_the_same_sources_give_the_same_bundle(tmp_path: Path) -> None:
    build_pages(tmp_path / "again")

    assert files_in(tmp_path / "again") == files_in(BUNDLE)
    assert b"MIT License" in (BUNDLE / "licenses.txt").read_bytes()


def test_a_changed_source_or_a_missing_bundle_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutdatedBundle, match="make setup"):
        read_bundle(tmp_path)

    monkeypatch.setattr(page_bundle, "source_digest", lambda: "changed")
    with pytest.raises(OutdatedBundle, match="make setup"):
        read_bundle.__wrapped__()


def test_a_page_preloads_what_it_imports() -> None:
    pages = {path.stem for path in (STATIC / "pages").glob("*.js")}
    preloads = AssetBundle().preloads

    assert set(preloads) == pages
    for page in pages:
        assert set(preloads[page]) == imports_of(f"pages/{page}.js", static=True)


def test_a_phone_begins_with_three_modules_and_never_loads_those_of_hosts() -> None:
    host = {path.as_posix() for path in (*BUNDLE.glob("chunks/host*.js"), *BUNDLE.glob("chunks/activity_view*.js"))}
    phones = {name for name in files_in(BUNDLE) if re.fullmatch(r"pages/participant\.js|types/\w+/participant\.js", name)}

    assert imports_of("frame/main.js", static=True) == set()
    assert imports_of("sdk/v1.js", static=False) == {"chunks/sdk.js"}
    assert imports_of("pages/participant.js", static=True) == {"chunks/core.js", "chunks/sdk.js"}
    assert host
    assert {name for phone in phones for name in imports_of(phone, static=False)} & host == set()


def test_modules_of_the_public_interface_keep_their_paths_and_names() -> None:
    for path in (STATIC / "sdk").glob("*.js"):
        (names,) = BUNDLED_EXPORT.findall((BUNDLE / "sdk" / path.name).read_text(encoding="utf-8"))
        served = {each.rpartition(" as ")[2].strip() for each in names.split(",")}
        assert served == exported(path.read_text(encoding="utf-8")), path.name


def test_a_view_of_another_package_is_served_unchanged_beside_what_it_imports(tmp_path: Path) -> None:
    folder = tmp_path / "toast"
    shutil.copytree(TOAST, folder)
    (folder / "ui").mkdir()
    (folder / "ui" / "screen.js").write_text(VIEW, encoding="utf-8")
    (folder / "ui" / "part.js").write_text("export * from '../../sdk/numbers.js'; export default 1; // theirs\n", encoding="utf-8")

    files = AssetBundle([load_type(folder)]).files

    assert files["types/toast/screen.js"].body.decode() == VIEW
    assert files["types/toast/part.js"].body.endswith(b"// theirs\n")
    assert {"sdk/v1.js", "sdk/numbers.js"} <= set(files)


def test_paths_of_the_server_follow_its_prefix() -> None:
    plain, below = AssetBundle().files, AssetBundle(prefix="/live").files

    assert [name for name, each in plain.items() if b"~/" in each.body] == []
    assert b'"/live/sw.js?build="' in below["chunks/deferred.js"].body.replace(b"`", b'"')


def test_no_module_of_ours_turns_text_into_code_or_markup() -> None:
    for name, each in AssetBundle().files.items():
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\s*=|setAttribute\(.style",
            each.body.decode(),
        )
        assert found == [], name


def test_style_sheets_keep_media_queries_that_older_browsers_support() -> None:
    def queries(folder: Path) -> list[str]:
        return sorted(
            each.replace(" ", "")
            for path in folder.glob("css/*.css")
            for each in re.findall(r"@media[^{]*", path.read_text(encoding="utf-8"))
        )

    assert queries(BUNDLE) == queries(STATIC)


def test_phones_download_neither_comments_nor_indentation() -> None:
    for name, body in files_in(BUNDLE).items():
        if name.endswith((".css", ".js")):
            assert not re.search(r"^ +\S|^\s*//|@__PURE__", body.decode(), re.MULTILINE), name


def test_the_manifest_holds_the_digest_of_the_sources() -> None:
    assert json.loads((BUNDLE / page_bundle.MANIFEST).read_bytes())["sources"] == page_bundle.source_digest()
