import json
from pathlib import Path

import pytest

from tools.check_coverage import main, shortfalls


def report(total: float, **files: float) -> dict:
    return {
        "totals": {"percent_covered": total},
        "files": {
            path.replace("__", "/") + ".py": {"summary": {"percent_covered": covered}, "missing_lines": [3], "missing_branches": []}
            for path, covered in files.items()
        },
    }


def test_a_kept_promise_is_silent():
    assert shortfalls(report(95.0, src__conflicto__feed__pages=100.0, src__conflicto__app=80.0)) == []


def test_a_total_below_the_floor_is_reported():
    assert len(shortfalls(report(94.9))) == 1


@pytest.mark.parametrize(
    "place", ["src__conflicto__feed__pages", "src__conflicto__access__tokens", "src__conflicto__platform__strict_json"]
)
def test_uncovered_lines_of_a_fully_covered_module_are_reported(place: str):
    assert len(shortfalls(report(99.0, **{place: 99.9}))) == 1


def test_main_exits_with_1_for_a_shortfall(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps(report(10.0)))

    assert main(str(path)) == 1
    assert "95 %" in capsys.readouterr().out
