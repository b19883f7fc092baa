import json
import os
import shutil
import stat
from pathlib import Path
from zipfile import ZipFile

import pytest

from conflicto.activity_types.packs import index
from conflicto.cli import type_packs
from tests.support.processes import environment, run, served

ROOT = Path(__file__).parents[2]
TOAST = ROOT / "tests" / "support/types/toast"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path / "data")


@pytest.fixture
def packed(tmp_path: Path, env: dict[str, str]) -> Path:
    done = run("types", "pack", TOAST, "--to", tmp_path / "sent", env=env)
    assert done.exit_code == 0, done.stderr
    return tmp_path / "sent/toast-2.1.zip"


def test_a_pack_travels_and_is_served(tmp_path: Path, env: dict[str, str], packed: Path) -> None:
    printed = run("types", "pack", TOAST, "--to", tmp_path / "sent", env=env).stdout
    digest = printed.split("SHA-256 ")[1].strip()

    done = run("types", "install", packed, "--yes", "--sha256", digest, env=env)

    assert done.exit_code == 0, done.stderr
    assert f"SHA-256   {digest}" in done.stdout
    assert "none of its code runs in the server" in done.stdout
    assert "Installed toast 2.1. Restart the server" in done.stdout
    assert f"toast 2.1  Toast  pack sha256:{digest[:12]}\n" in run("types", "list", "--origin", env=env).stdout
    with served(tmp_path / "data") as server:
        assert server.call("GET", "/activity-types/toast")["title"] == "Toast"
    again = run("types", "install", packed, "--yes", env=env)
    assert "It is installed already." in again.stdout
    gone = run("types", "uninstall", "toast", "--yes", env=env)
    assert gone.stdout.startswith(f"Removed toast 2.1 (SHA-256 {digest}).\n")
    assert "toast" not in run("types", "list", env=env).stdout
    assert run("types", "uninstall", "toast", "--yes", env=env).exit_code == 2


def test_files_of_no_use_are_named_and_left_out(tmp_path: Path, env: dict[str, str]) -> None:
    shutil.copytree(TOAST, tmp_path / "toast")
    (tmp_path / "toast/notes.pdf").touch()

    done = run("types", "pack", tmp_path / "toast", "--to", tmp_path, env=env)

    assert "Left out, as no type uses such files: notes.pdf\n" in done.stderr
    assert "toast/notes.pdf" not in ZipFile(tmp_path / "toast-2.1.zip").namelist()


def test_a_folder_that_the_kit_refuses_is_not_packed(tmp_path: Path, env: dict[str, str]) -> None:
    shutil.copytree(TOAST, tmp_path / "toast")
    (tmp_path / "toast/README.md").unlink()
    refused = run("types", "pack", tmp_path / "toast", "--to", tmp_path, env=env)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "README.md: is missing. Write it with the sections Picture, Config, Answer, Results." in refused.stderr

    shutil.copy(TOAST / "README.md", tmp_path / "toast")
    (tmp_path / "toast/more.md").symlink_to(TOAST / "README.md")

    linked = run("types", "pack", tmp_path / "toast", "--to", tmp_path, env=env)
    assert (linked.exit_code, linked.stderr) == (1, "more.md is a link. Put the file itself there.\n")
    assert not list(tmp_path.glob("*.zip"))


def test_nothing_is_installed_without_a_yes(env: dict[str, str], packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = run("types", "install", packed, env=env)
    assert (silent.exit_code, silent.stderr) == (2, "There is no terminal to ask at. Add --yes to go on without a question.\n")

    monkeypatch.setattr(type_packs, "_is_terminal", lambda: True)
    declined = run("types", "install", packed, env=env, stdin="n\n")
    assert declined.exit_code == 1
    assert "toast" not in run("types", "list", env=env).stdout

    accepted = run("types", "install", packed, env=env, stdin="y\n")
    assert accepted.exit_code == 0
    assert "toast" in run("types", "list", env=env).stdout


def test_a_command_that_waits_too_long_for_another_explains_it(
    tmp_path: Path, env: dict[str, str], packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MAX_LOCK_WAIT_S", 0.0)
    with index.locked(tmp_path / "data/types"):
        for command in (("install", packed), ("uninstall", "toast")):
            done = run("types", *command, "--yes", env=env)
            assert done.exit_code == 3
            assert "Another command changes the packs" in done.stderr
            assert "run this one again" in done.stderr


def test_other_commands_go_on_while_one_asks_and_it_looks_again_after(
    env: dict[str, str], packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = []

    def install_meanwhile() -> bool:
        others.append(run("types", "install", packed, "--yes", env=env))
        return True

    monkeypatch.setattr(index, "MAX_LOCK_WAIT_S", 0.0)
    monkeypatch.setattr(type_packs, "_is_terminal", install_meanwhile)
    late = run("types", "install", packed, env=env, stdin="y\n")

    assert [each.exit_code for each in others] == [0]
    assert late.exit_code == 1
    assert "Another command changed the packs meanwhile" in late.stderr


def test_what_cannot_be_installed_is_explained(tmp_path: Path, env: dict[str, str], packed: Path) -> None:
    (tmp_path / "no.zip").write_text("no")
    cases = {
        (packed, "--sha256", "0" * 64): (1, "another SHA-256"),
        (tmp_path / "no.zip",): (1, "no ZIP archive"),
        (tmp_path,): (2, f"Run `conflicto types pack {tmp_path}`"),
        ("/proc/self/mem",): (2, "Make it readable for this user"),
        ("long" * 100,): (2, "There is no file long"),
        ("missing.zip",): (2, "A Python package runs code in the server"),
        ("conflicto",): (2, "The package conflicto is installed, and its types are served"),
    }
    for arguments, (code, text) in cases.items():
        done = run("types", "install", *arguments, "--yes", env=env)
        assert (done.exit_code, done.stdout) == (code, ""), arguments
        assert text in done.stderr


def test_a_conflict_and_a_damaged_index_are_explained(tmp_path: Path, env: dict[str, str], packed: Path) -> None:
    conflict = run("types", "install", packed, "--yes", env=env | {"CONFLICTO_ACTIVITY_TYPES": str(TOAST)})
    assert conflict.exit_code == 1
    assert "conflicts with" in conflict.stderr

    (tmp_path / "data/types/packs.json").write_text("{")

    damaged = run("types", "install", packed, "--yes", env=env)
    assert damaged.exit_code == 3
    assert "remove it and install the packs again" in damaged.stderr
    kept = run("types", "uninstall", "toast", "--yes", env=env)
    assert (kept.exit_code, kept.stderr) == (3, damaged.stderr)
    listed = run("types", "list", env=env)
    assert listed.exit_code == 1
    assert "remove it and install the packs again" in listed.stderr


def test_a_file_in_the_place_of_the_packs_is_explained(tmp_path: Path, env: dict[str, str], packed: Path) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data/types").touch()

    refused = run("types", "install", packed, "--yes", env=env)
    listed = run("types", "list", env=env)

    assert (refused.exit_code, listed.exit_code) == (3, 1)
    assert "Make it a folder that this user may write, or set CONFLICTO_DATA_DIR" in refused.stderr
    assert f"Make {tmp_path / 'data/types'} a folder" in listed.stderr


def test_a_pack_that_cannot_be_read_or_written_is_explained(tmp_path: Path, env: dict[str, str]) -> None:
    unwritable = run("types", "pack", TOAST, "--to", "/proc/x", env=env)
    assert unwritable.exit_code == 1
    assert "Name a folder that this user may write: --to FOLDER" in unwritable.stderr

    shutil.copytree(TOAST, tmp_path / "toast")
    os.mknod(tmp_path / "toast/more.md", stat.S_IFSOCK | 0o600)
    unreadable = run("types", "pack", tmp_path / "toast", "--to", tmp_path, env=env)
    assert unreadable.exit_code == 1
    assert "more.md cannot be read" in unreadable.stderr
    assert "Remove it, or make it readable" in unreadable.stderr


def test_texts_of_a_stranger_cannot_rewrite_the_terminal(tmp_path: Path, env: dict[str, str]) -> None:
    shutil.copytree(TOAST, tmp_path / "toast")
    manifest = json.loads((TOAST / "activity.json").read_text())
    (tmp_path / "toast/activity.json").write_text(json.dumps(manifest | {"authors": ["\x1b[2JEve\n  SHA-256   0"]}))
    run("types", "pack", tmp_path / "toast", "--to", tmp_path, env=env)

    done = run("types", "install", tmp_path / "toast-2.1.zip", "--yes", env=env)

    assert "\x1b" not in done.stdout
    assert "Authors   \ufffd[2JEve\ufffd  SHA-256   0\n" in done.stdout
