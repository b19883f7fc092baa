import json
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from random import Random
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from conflicto.activity_types.packs import index, installation
from conflicto.activity_types.packs.archive import (
    MAX_ARCHIVE_BYTES,
    MAX_CONTENT_BYTES,
    MAX_FILES,
    InvalidPack,
    read_archive,
    write_archive,
)
from conflicto.activity_types.packs.index import INDEX_FILE, locked, packed_types, read_index
from conflicto.activity_types.packs.installation import PackConflict, StagedPack, install, receive, staged_pack, uninstall
from conflicto.activity_types.packs.packing import pack_folder
from conflicto.activity_types.registry import load_registry
from tests.unit.activity_types.test_loader import TYPES

TOAST = TYPES / "toast"
FILES = {"activity.json": b"{}", "ui/screen.js": b"export default 1;"}


def archive(*entries: tuple[str | ZipInfo, bytes], compression: int = 0) -> bytes:
    sink = BytesIO()
    with ZipFile(sink, "w", compression) as opened:
        for name, content in entries:
            opened.writestr(name, content)
    return sink.getvalue()


def link(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def body_of(folder: Path) -> bytes:
    return pack_folder(folder).body


def put(directory: Path, body: bytes, *folders: Path, install: Callable[[Path, StagedPack], None] = install) -> StagedPack:
    with staged_pack(directory, receive(body), source="mail", installed_at="2026-01-01T00:00:00Z", folders=folders) as staged:
        install(directory, staged)
    return staged


def served(directory: Path) -> list[tuple[str, str, str]]:
    found = load_registry((), packed_types(directory))
    return [(each.name, each.version, str(each.origin)) for each in found.every_version() if each.name == "toast"]


def newer(folder: Path, parent: Path, *, keeps_old: bool = True) -> Path:
    """Return version 3 of a type, which holds the older version too."""
    copy = parent / "3" / folder.name
    shutil.copytree(folder, copy)
    manifest = json.loads((copy / "activity.json").read_text())
    (copy / "activity.json").write_text(json.dumps(manifest | {"version": "3"}))
    if keeps_old:
        shutil.copytree(folder, copy / "versions" / manifest["version"])
    return copy


def test_a_packed_folder_is_read_back_and_equal_folders_give_equal_bytes(tmp_path: Path) -> None:
    shutil.copytree(TOAST, tmp_path / "toast")
    os.utime(tmp_path / "toast/activity.json", (1, 1))
    (tmp_path / "toast/README.md").chmod(0o600)
    (tmp_path / "toast/.DS_Store").write_text("hidden")
    (tmp_path / "toast/.git").mkdir()
    (tmp_path / "toast/.git/config").write_text("hidden")
    (tmp_path / "toast/build.py").write_text("raise SystemExit")

    ours, theirs = pack_folder(TOAST), pack_folder(tmp_path / "toast")

    assert ours.body == theirs.body
    assert (ours.left_out, theirs.left_out) == ((), ("build.py",))
    name, files = read_archive(ours.body)
    assert name == "toast"
    assert files == {file.relative_to(TOAST).as_posix(): file.read_bytes() for file in TOAST.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["activity.json", "ui"])
def test_a_folder_with_a_link_is_not_packed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "toast"
    folder.mkdir()
    (folder / name).symlink_to("/etc")

    with pytest.raises(InvalidPack, match=f"{name} is a link. Put the file itself there"):
        pack_folder(folder)


def test_a_folder_with_too_much_is_not_packed(tmp_path: Path) -> None:
    folder = tmp_path / "toast"
    folder.mkdir()
    with pytest.raises(InvalidPack, match="is empty"):
        pack_folder(folder)
    (folder / "big.png").write_bytes(b"0" * (MAX_CONTENT_BYTES + 1))
    with pytest.raises(InvalidPack, match="up to 4 MiB"):
        pack_folder(folder)
    (folder / "big.png").unlink()
    for number in range(MAX_FILES + 1):
        (folder / f"{number}.md").touch()
    with pytest.raises(InvalidPack, match="up to 500 files"):
        pack_folder(folder)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x05\x06",
        archive(),
        archive(("toast/../../evil.json", b"{}")),
        archive(("/etc/evil.json", b"{}")),
        archive(("toast\\evil.json", b"{}")),
        archive(("toast/C:evil.json", b"{}")),
        archive(("toast/a.json/", b"")),
        archive((link("toast/a.json"), b"/etc/passwd")),
        archive(("toast/a.json", b"{}"), ("other/b.json", b"{}")),
        archive(("toast/a.json", b"{}"), ("toast/A.json", b"{}")),
        archive(("toast/README.md", b""), ("toast/README.md/x.json", b"{}")),
        archive(("toast/a.md/b/x.json", b"{}"), ("toast/A.md", b"")),
        archive(("a.json", b"{}")),
        archive(("Toast/a.json", b"{}")),
        archive(("toast/.hidden.json", b"{}")),
        archive(("toast/setup.py", b"import os")),
        archive(("toast/a.json.", b"{}")),
        archive(("toast/" + "a/" * 9 + "b.json", b"{}")),
        archive(("toast/" + "a" * 200 + ".json", b"{}")),
        archive(("toast/a.json", b"0" * 2000), compression=ZIP_DEFLATED),
        archive(*((f"toast/{number}.md", b"") for number in range(MAX_FILES + 1))),
        archive(*((f"toast/{number}.md", b"0" * (MAX_CONTENT_BYTES // 4 + 1)) for number in range(4))),
        b"0" * (MAX_ARCHIVE_BYTES + 1),
    ],
)  # fmt: skip
def test_what_is_no_pack_is_refused_with_a_remedy(body: bytes) -> None:
    with pytest.raises(InvalidPack) as caught:
        read_archive(body)

    assert len(str(caught.value).split(". ")) > 1


def test_a_damaged_pack_is_refused_or_has_allowed_names_only() -> None:
    whole, rng = write_archive("toast", FILES), Random(1)
    for _ in range(2000):
        body = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        try:
            name, files = read_archive(bytes(body))
        except InvalidPack:
            continue
        assert name.isidentifier() or "-" in name
        assert all(".." not in path.split("/") and not path.startswith("/") for path in files)


def test_a_pack_is_installed_served_and_removed(tmp_path: Path) -> None:
    staged = put(tmp_path, body_of(TOAST))

    assert served(tmp_path) == [("toast", "2.1", f"pack sha256:{staged.pack.sha256[:12]}")]
    assert [each.source for each in read_index(tmp_path)] == ["mail"]
    assert put(tmp_path, body_of(TOAST)).is_installed
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["lock", INDEX_FILE, staged.pack.sha256])
    assert uninstall(tmp_path, "toast", "9") == ()
    assert uninstall(tmp_path, "toast", None) == (staged.pack,)
    assert served(tmp_path) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["lock", INDEX_FILE]


def test_another_file_than_expected_is_not_read() -> None:
    with pytest.raises(InvalidPack, match="another SHA-256"):
        receive(body_of(TOAST), sha256="0" * 64)
    packed = pack_folder(TOAST)
    assert receive(packed.body, sha256=packed.sha256.upper()).sha256 == packed.sha256


def test_an_invalid_type_is_refused_with_all_its_faults_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidPack, match=r"(?s)toast/activity.json.*toast/response.schema.json"):
        put(tmp_path, write_archive("toast", {"activity.json": b"{}", "config.schema.json": b'{"type": "object"}'}))

    assert [each.name for each in tmp_path.iterdir()] == ["lock"]


def test_other_content_of_one_version_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "packs", body_of(TOAST))
    before = served(tmp_path / "packs")
    other = tmp_path / "toast"
    shutil.copytree(TOAST, other)
    (other / "README.md").write_text((TOAST / "README.md").read_text() + "\nMore.\n")

    with pytest.raises(
        PackConflict, match=r"Version 2.1 of toast is installed with other content.*types uninstall toast --version 2.1"
    ):
        put(tmp_path / "packs", body_of(other))

    assert served(tmp_path / "packs") == before


def test_versions_stand_side_by_side_and_a_pack_with_both_replaces_the_old_one(tmp_path: Path) -> None:
    packs = tmp_path / "packs"
    old = put(packs, body_of(TOAST))
    alone = body_of(newer(TOAST, tmp_path / "alone", keeps_old=False))
    put(packs, alone)
    assert [version for _, version, _ in served(packs)] == ["3", "2.1"]
    uninstall(packs, "toast", "3")

    both = put(packs, body_of(newer(TOAST, tmp_path)))

    assert both.replaced == (old.pack,)
    assert [version for _, version, _ in served(packs)] == ["3", "2.1"]
    assert [each.version for each in read_index(packs)] == ["3"]
    with pytest.raises(PackConflict, match="in the pack of version 3"):
        put(packs, body_of(TOAST))


def test_a_pack_that_lacks_or_changes_an_old_version_is_refused(tmp_path: Path) -> None:
    packs, both = tmp_path / "packs", newer(TOAST, tmp_path)
    put(packs, body_of(both))
    newest = newer(TOAST, tmp_path / "next")
    manifest = json.loads((newest / "activity.json").read_text())
    (newest / "activity.json").write_text(json.dumps(manifest | {"version": "4"}))
    with pytest.raises(PackConflict, match=r"also holds version 3. Add versions/3"):
        put(packs, body_of(newest))

    (newest / "versions/2.1/aggregate.json").unlink()

    with pytest.raises(PackConflict, match=r"Version 2.1 of toast is installed with other content"):
        put(packs, body_of(newest))


def test_a_pack_does_not_meet_an_included_type_or_a_folder(tmp_path: Path) -> None:
    poll = load_registry().get("poll").folder
    for body, folders in ((body_of(poll), ()), (body_of(TOAST), (TYPES,))):
        with pytest.raises(PackConflict, match="conflicts with"):
            put(tmp_path, body, *folders)
        assert read_index(tmp_path) == ()


def test_a_crash_leaves_the_old_packs_or_the_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = put(tmp_path, body_of(TOAST))
    body = body_of(newer(TOAST, tmp_path.parent / f"{tmp_path.name}-new"))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(installation, "write_index", crash)
        patch.setattr(installation, "_sweep", lambda *_: None)  # a process that is killed sweeps nothing
        with pytest.raises(KeyboardInterrupt):
            put(tmp_path, body)
    assert read_index(tmp_path) == (old.pack,)
    assert [version for _, version, _ in served(tmp_path)] == ["2.1"]

    assert put(tmp_path, body).pack.version == "3"
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "is damaged"),
        ('[{"name": "../up", "version": "1", "sha256": "0", "source": "", "installed_at": ""}]', "no valid entry, at `$[0].name`"),
        ("0" * 5, "is damaged"),
        ("{}", "there is no list of packs, or no valid entry, at `$`"),
    ],
)
def test_a_damaged_index_is_a_fault_and_stops_no_server(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / INDEX_FILE).write_text(text)

    found = load_registry((), packed_types(tmp_path))

    assert found.find("poll")
    assert [each.name for each in found.rejected] == [INDEX_FILE]
    message = str(found.rejected[0].faults[0])
    assert place in message
    assert "remove it and install the packs again" in message
    assert "^" not in message, "a regular expression"


def lose(folder: Path) -> None:
    shutil.rmtree(folder)


def replace_by_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def empty_the_manifest(folder: Path) -> None:
    (folder / "toast/activity.json").write_text("")


def add_a_loop_of_links(folder: Path) -> None:
    (folder / "toast/README.md").unlink()
    (folder / "toast/README.md").symlink_to("README.md")


@pytest.mark.parametrize("damage", [lose, replace_by_a_file, empty_the_manifest, add_a_loop_of_links])
def test_a_damaged_pack_is_repaired_by_installing_it_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    first = put(tmp_path, body_of(TOAST))
    damage(tmp_path / first.pack.sha256)

    repaired = put(tmp_path, body_of(TOAST))

    assert not repaired.is_installed
    assert served(tmp_path) == [("toast", "2.1", f"pack sha256:{first.pack.sha256[:12]}")]
    assert put(tmp_path, body_of(TOAST)).is_installed


@pytest.mark.parametrize("damage", [lose, replace_by_a_file, empty_the_manifest])
def test_a_damaged_pack_is_a_fault_with_the_remedy_of_packs(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damage(tmp_path / put(tmp_path, body_of(TOAST)).pack.sha256)

    (rejected,) = load_registry((), packed_types(tmp_path)).rejected

    assert rejected.name == "toast"
    assert {fault.remedy for fault in rejected.faults} == {
        "Install the pack again: `conflicto types install FILE`. Or remove it: `conflicto types uninstall toast --version 2.1`."
    }


def test_a_pack_for_another_version_of_the_program_keeps_that_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "packs" / put(tmp_path / "packs", body_of(TOAST)).pack.sha256
    manifest = json.loads((TOAST / "activity.json").read_text())
    (folder / "toast/activity.json").write_text(json.dumps(manifest | {"requires": ">=99"}))

    (rejected,) = load_registry((), packed_types(tmp_path / "packs")).rejected

    assert "types install" not in str(rejected.faults[0])


def test_a_command_waits_for_another_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as other:
        other.enter_context(locked(tmp_path))
        monkeypatch.setattr(index, "sleep", lambda _: other.close())

        assert put(tmp_path, body_of(TOAST)).pack.name == "toast"
