from typing import Any

from bench.compare import compare


def committed(**ratios: float) -> dict[str, Any]:
    return {"rows": {name: {"ratio": ratio, "median": 1} for name, ratio in ratios.items()}}


def measured(**ratios: float) -> dict[str, dict[str, float]]:
    return {name: {"ratio": ratio} for name, ratio in ratios.items()}


def lost(file: dict[str, Any], *runs: dict[str, dict[str, float]]) -> list[str]:
    return [each.name for each in compare(file, runs)[0] if each.lost]


def test_a_ratio_is_lost_when_every_run_lost_more_than_a_quarter() -> None:
    assert lost(committed(polls=2.0), measured(polls=1.49), measured(polls=1.0)) == ["polls"]


def test_one_good_run_is_enough() -> None:
    assert lost(committed(polls=2.0), measured(polls=0.5), measured(polls=1.9)) == []


def test_a_quarter_and_what_is_better_than_before_is_kept() -> None:
    assert lost(committed(polls=2.0, submit=0.2), measured(polls=1.5, submit=0.9)) == []


def test_each_row_is_validated_by_itself() -> None:
    assert lost(committed(polls=2.0, submit=0.2), measured(polls=2.0, submit=0.1)) == ["submit"]


def test_a_row_that_was_not_committed_or_has_no_ratio_is_named_and_loses_nothing() -> None:
    file = committed(polls=2.0)
    file["rows"]["memory"] = {"median": 90}

    compared, unknown = compare(file, [measured(polls=2.0, memory=0.1, new=0.1)])

    assert [each.name for each in compared] == ["polls"]
    assert unknown == ["memory", "new"]


def test_a_file_without_rows_loses_nothing() -> None:
    assert compare({}, [measured(polls=2.0)]) == ([], ["polls"])


def test_the_line_has_both_runs_and_how_much_each_lost() -> None:
    (only,), _ = compare(committed(polls=2.0), [measured(polls=1.0), measured(polls=1.2)])

    assert str(only) == "LOST  polls: 1.00 × (-50%), 1.20 × (-40%) the floor, committed 2.00 ×"


def test_a_row_that_keeps_its_ratio_to_one_mark_is_not_lost() -> None:
    # As on another processor: the client limits us and nginx, and the floor is nearer
    # to both.
    file = {"rows": {"polls": {"ratio": 3.5, "of_nginx": 1.0}}}

    assert lost(file, {"polls": {"ratio": 2.3, "of_nginx": 0.95}}) == []
    assert lost(file, {"polls": {"ratio": 2.3, "of_nginx": 0.6}}) == ["polls"]


def test_a_mark_that_one_side_lacks_is_not_compared() -> None:
    assert lost({"rows": {"polls": {"ratio": 3.5, "of_nginx": 1.0}}}, measured(polls=2.3)) == ["polls"]
    assert lost({"rows": {"polls": {"ratio": 3.5}}}, {"polls": {"ratio": 3.4, "of_nginx": 0.1}}) == []
