import re
import subprocess
from pathlib import Path

import pytest

from conflicto.activity_types.kit.conformance import CHECKS, failures
from conflicto.activity_types.registry import types_in
from tests.support.patience import PATIENCE_S
from tests.support.processes import environment, run, served

ROOT = Path(__file__).parents[2]
TOAST = ROOT / "tests" / "support/types/toast"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path / "data")


def test_a_new_type_is_valid_and_is_served(tmp_path: Path, env: dict[str, str]) -> None:
    made = run("types", "new", "day-mood", "--folder", tmp_path / "own", env=env)
    folder = tmp_path / "own/day-mood"

    assert (made.exit_code, made.stdout) == (0, f"Made {folder}\n")
    assert failures(folder) == []
    assert types_in(folder).types[0].title == "Day mood"
    checked = run("types", "check", folder, env=env)
    assert (checked.exit_code, checked.stdout) == (0, f"day-mood is valid: {len(CHECKS)} checks passed\n")
    with served(tmp_path / "data", CONFLICTO_ACTIVITY_TYPES=str(tmp_path / "own")) as server:
        assert server.call("GET", "/activity-types/day-mood")["icon"] == "💡"


def test_make_makes_one_too(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "new-type", "NAME=mood", f"FOLDER={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert failures(tmp_path / "mood") == []


@pytest.mark.parametrize("name", ["Mood", "1st", "", "a/b", "x" * 33, "toast"])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, env: dict[str, str], name: str) -> None:
    (tmp_path / "toast").mkdir()

    done = run("types", "new", name, "--folder", tmp_path, env=env)

    assert done.exit_code == 2
    assert done.stderr.strip()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toast"]


def test_every_failed_check_of_a_broken_type_is_reported(tmp_path: Path, env: dict[str, str]) -> None:
    run("types", "new", "mood", "--folder", tmp_path, env=env)
    (tmp_path / "mood/README.md").unlink()
    (tmp_path / "mood/i18n/en.json").write_text("{}")

    done = run("types", "check", tmp_path / "mood", env=env)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "mood/i18n/en.json:1: lacks config.question. Add the text." in done.stderr
    assert "README.md: is missing. Write it with the sections Picture, Config, Answer, Results." in done.stderr


def test_types_are_listed(env: dict[str, str]) -> None:
    listed = run("types", "list", env=env | {"CONFLICTO_ACTIVITY_TYPES": str(TOAST)}).stdout

    assert "toast 2.1  Toast\n" in listed
    assert len(listed.splitlines()) > 10


def test_a_bad_type_is_left_out_and_reported_and_the_server_starts(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/activity.json").write_text('{"type": "good"}')
    folders = f"{tmp_path / 'bad'}:{TOAST}"

    listed = run("types", "list", env=env | {"CONFLICTO_ACTIVITY_TYPES": folders})
    assert listed.exit_code == 1
    assert "toast 2.1  Toast\n" in listed.stdout
    assert "The activity type bad (folder) is left out:\n  bad/activity.json:1 at /version: is required." in listed.stderr
    with served(tmp_path / "data", CONFLICTO_ACTIVITY_TYPES=folders) as server:
        assert server.call("GET", "/activity-types/toast")["title"] == "Toast"
        logged = [line for line in (tmp_path / "data/log").read_text().splitlines() if "activity-type-rejected" in line]
    assert [
        line for line in logged if "bad/activity.json" in line and "is required" in line and "Write one to three numbers" in line
    ]


def test_a_type_with_all_parts_passes_its_tests(tmp_path: Path, env: dict[str, str]) -> None:
    made = run("types", "new", "mood", "--folder", tmp_path, "--views", "--secret", "--package", env=env)
    folder = tmp_path / "conflicto-mood/src/conflicto_mood/mood"

    tested = run("types", "test", folder, env=env)

    assert made.stdout == f"Made {tmp_path / 'conflicto-mood'}\n"
    assert tested.exit_code == 0, tested.stderr
    assert tested.stdout == f"mood is valid: {len(CHECKS)} checks and all property tests passed\n"
    (folder / "ui/screen.js").write_text("export default class {")
    refused = run("types", "test", folder, env=env)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "mood/ui/screen.js:1: is no module of ECMAScript 2026" in refused.stderr


def test_types_are_listed_with_their_origin(env: dict[str, str]) -> None:
    listed = run("types", "list", "--origin", env=env | {"CONFLICTO_ACTIVITY_TYPES": str(TOAST)}).stdout

    assert "toast 2.1  Toast  folder\n" in listed
    assert "poll 1  Poll  included\n" in listed


def test_declarations_for_editors_lie_where_views_import_modules(tmp_path: Path, env: dict[str, str]) -> None:
    done = run("types", "sdk", tmp_path, env=env)

    assert (done.exit_code, done.stdout) == (0, f"Wrote the declarations of sdk for the views of types in {tmp_path}\n")
    assert "export declare class ActivityElement" in (tmp_path / "sdk/v1.d.ts").read_text()
    with served(tmp_path / "data") as server:
        build = re.search(r"/s/[0-9a-f]{10}/", server.text("/host"))
        assert build
        assert server.text(f"{build[0]}sdk/v1.d.ts") == (tmp_path / "sdk/v1.d.ts").read_text()
