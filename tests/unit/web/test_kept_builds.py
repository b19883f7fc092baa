"""Files of earlier builds: served after a restart, bounded, and never damaged."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conflicto.platform.clock import Clock
from conflicto.web import kept_builds
from conflicto.web.assets import Asset, make_asset
from conflicto.web.kept_builds import KeptBuilds

JS = "text/javascript; charset=utf-8"
SHARED = make_asset(JS, b"export const shared = 1;")


def files(text: str) -> dict[str, Asset]:
    return {"sdk/v1.js": SHARED, "types/wave/screen.js": make_asset(JS, text.encode())}


def name_of(number: int) -> str:
    return f"{number:010x}"


def keep(folder: Path, number: int, text: str = "") -> None:
    """Store a build, as used `number` seconds after 1970."""
    KeptBuilds(folder, Clock()).keep(name_of(number), files(text or f"// {number}"))
    os.utime(folder / "builds" / f"{name_of(number)}.json", (number, number))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "builds"


def test_a_later_process_serves_the_files_of_an_earlier_build(folder: Path) -> None:
    keep(folder, 1, "// first")
    keep(folder, 2, "// second")
    later = KeptBuilds(folder, Clock())

    assert later.find(name_of(1), "types/wave/screen.js") == files("// first")["types/wave/screen.js"]
    assert later.find(name_of(2), "types/wave/screen.js") == files("// second")["types/wave/screen.js"]
    assert later.find(name_of(1), "sdk/v1.js") == SHARED
    assert len(list((folder / "files").iterdir())) == 3, "equal files are stored once"


@pytest.mark.parametrize(
    ("build", "name"),
    [("../builds", "sdk/v1.js"), (name_of(9), "sdk/v1.js"), (name_of(1), "../../secret.js"), (name_of(1), "sdk/v2.js"),
     (name_of(1), "types/wave/screen.svg"), (name_of(1), "")],
)  # fmt: skip
def test_nothing_else_is_found(folder: Path, build: str, name: str) -> None:
    (folder.parent / "secret.js").write_text("secret")
    KeptBuilds(folder, Clock()).keep(name_of(1), files("") | {"types/wave/screen.svg": make_asset("image/svg+xml", b"<p>")})

    assert KeptBuilds(folder, Clock()).find(build, name) is None


def test_the_builds_used_last_are_kept_within_a_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_builds, "MAX_BUILDS", 3)
    for number in (1, 2, 3):
        keep(folder, number)
    assert KeptBuilds(folder, Clock()).find(name_of(1), "sdk/v1.js") == SHARED, "reading marks a build as used"
    keep(folder, 4)

    found = [number for number in (1, 2, 3, 4) if KeptBuilds(folder, Clock()).find(name_of(number), "sdk/v1.js")]
    assert found == [1, 3, 4]
    assert len(list((folder / "files").iterdir())) == 4, "no file stays without a build"


def test_the_builds_are_kept_within_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = [os.urandom(2_000).hex() for _ in range(3)]
    keep(folder, 1, noise[0])
    stored = sum(file.stat().st_size for file in (folder / "files").iterdir())
    monkeypatch.setattr(kept_builds, "MAX_KEPT_BYTES", 2 * stored)
    keep(folder, 2, noise[1])
    keep(folder, 3, noise[2])

    assert sum(file.stat().st_size for file in (folder / "files").iterdir()) <= 2 * stored
    assert KeptBuilds(folder, Clock()).find(name_of(1), "sdk/v1.js") is None
    assert KeptBuilds(folder, Clock()).find(name_of(3), "types/wave/screen.js") is not None


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10])


def _turn(file: Path) -> None:
    file.write_bytes(make_asset(JS, b"alert(1)").gzipped)


@pytest.mark.parametrize("damage", [_cut, _turn, Path.unlink])
def test_a_damaged_file_is_not_served_and_is_written_again(folder: Path, damage: Callable[[Path], None]) -> None:
    keep(folder, 1)
    for file in (folder / "files").iterdir():
        damage(file)
    assert KeptBuilds(folder, Clock()).find(name_of(1), "sdk/v1.js") is None

    keep(folder, 1)
    assert KeptBuilds(folder, Clock()).find(name_of(1), "sdk/v1.js") == SHARED


def test_a_damaged_list_costs_its_build_only(folder: Path) -> None:
    keep(folder, 1)
    _cut(folder / "builds" / f"{name_of(1)}.json")
    keep(folder, 2)

    assert KeptBuilds(folder, Clock()).find(name_of(1), "sdk/v1.js") is None
    assert KeptBuilds(folder, Clock()).find(name_of(2), "sdk/v1.js") == SHARED


def test_workers_that_start_together_keep_every_file(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: KeptBuilds(folder, Clock()).keep(name_of(number % 3), files(f"// {number % 3}")), range(24)))

    assert all(KeptBuilds(folder, Clock()).find(name_of(number), name) for number in range(3) for name in files(""))


def test_a_folder_that_cannot_be_made_costs_earlier_builds_only(tmp_path: Path) -> None:
    (tmp_path / "builds").write_text("a file is in the way")
    kept = KeptBuilds(tmp_path / "builds", Clock())

    kept.keep(name_of(1), files(""))
    assert kept.find(name_of(1), "sdk/v1.js") is None
