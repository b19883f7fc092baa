"""Results of each operation for answers that a person can count."""

import re
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from typing import Any
from unicodedata import normalize
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import conflicto
from conflicto.aggregation.operations import OPERATIONS
from conflicto.aggregation.quantiles import QUARTERS
from conflicto.responses.model import Moderation
from conflicto.results.tally import RoundTally, TallyInputs
from tests.support.samples import response
from tests.support.tallies import result, results_of, tallied


def test_count_counts_each_value_and_each_element_once_for_each_answer() -> None:
    found = result({"op": "count"}, "a", ["a", "a", "b"], ["b"], 1, 1.0, True, {"y": 1, "x": 2}, {"x": 2.0, "y": 1}, None, [])
    assert found["answers"] == 9
    assert found["values"] == [
        {"value": "a", "count": 2}, {"value": "b", "count": 2}, {"value": 1, "count": 2}, {"value": {"x": 2, "y": 1}, "count": 2},
        {"value": None, "count": 1}, {"value": True, "count": 1},
    ]  # fmt: skip
    assert found["others"] == 0


def test_count_lists_the_most_frequent_and_sums_up_the_others() -> None:
    found = result({"op": "count", "top": 1}, "a", "b", "b", ["c", "a", "b"], "x" * 1_100)
    assert (found["values"], found["others"], found["answers"]) == ([{"value": "b", "count": 3}], 3, 4)


def test_number_of_whole_numbers_is_exact_and_has_whole_bins() -> None:
    found = result({"op": "number"}, 1, 5, 2, 2.0, "3", True, None, [4])
    assert {name: found[name] for name in ("answers", "sum", "mean", "min", "max")} == {
        "answers": 4, "sum": 10, "mean": 2.5, "min": 1, "max": 5,
    }  # fmt: skip
    assert [(each["from"], each["to"], each["count"]) for each in found["histogram"]] == [
        (1, 1, 1), (2, 2, 2), (3, 3, 0), (4, 4, 0), (5, 5, 1),
    ]  # fmt: skip
    wide = result({"op": "number", "bins": 3}, 0, 9, 10)["histogram"]
    assert [(each["from"], each["to"], each["count"]) for each in wide] == [(0, 3, 1), (4, 7, 0), (8, 10, 2)]


def test_number_of_parts_adds_up_as_if_on_paper() -> None:
    found = result({"op": "number", "bins": 2}, 0.1, 0.2, 0.3, 0.4, *[0.1] * 6, 1e16, -1e16)
    assert found["sum"] == 1.6
    assert result({"op": "number", "bins": 2}, 0.5, 1.0, 1.5)["histogram"] == [
        {"from": 0.5, "to": 1.0, "count": 1}, {"from": 1.0, "to": 1.5, "count": 2},
    ]  # fmt: skip
    assert result({"op": "number"}, 0.5, 0.5)["histogram"] == [{"from": 0.5, "to": 0.5, "count": 2}]


def test_number_leaves_out_what_lies_beyond_its_bounds() -> None:
    found = result({"op": "number", "min": 0, "max": 10, "bins": 2}, -1, 1e308, 4.5, 10, 11)
    assert (found["answers"], found["sum"]) == (2, 14.5)
    assert found["histogram"] == [{"from": 0, "to": 5.0, "count": 1}, {"from": 5.0, "to": 10, "count": 1}]


def test_number_of_nothing_and_of_the_absurd() -> None:
    assert result({"op": "number"}) == {
        "op": "number", "answers": 0, "sum": 0, "mean": None, "min": None, "max": None, "histogram": [],
    }  # fmt: skip
    assert [each["count"] for each in result({"op": "number", "min": 1, "max": 2}, "x")["histogram"]] == [0, 0]
    huge = result({"op": "number"}, 1.7e308, 1.7e308, -1.7e308, 5e-324)
    assert sum(each["count"] for each in huge["histogram"]) == 4
    assert huge["mean"] == 1.7e308 / 4


def test_words_are_counted_without_case_and_shown_as_most_wrote_them() -> None:
    found = result(
        {"op": "words"}, "Pizza pizza", ["PIZZA", "Curry"], ["pizza"], "\uff30\uff29\uff3a\uff3a\uff21", "curry", 7, "", [" ", None]
    )
    assert found["answers"] == 5
    assert found["words"] == [{"word": "PIZZA", "count": 4}, {"word": "Curry", "count": 2}]
    whole = result({"op": "words", "split": False, "top": 1}, " Town  hall ", "town hall", "x", "y" * 201)
    assert (whole["words"], whole["others"], whole["answers"]) == ([{"word": "Town hall", "count": 2}], 1, 3)


def test_rank_awards_points_by_place() -> None:
    found = result({"op": "rank"}, ["a", "b", "c"], ["b", "a"], ["b", "b"], "a", [], list(range(101)))
    assert found["answers"] == 3
    assert found["ranking"] == [
        {"value": "b", "points": 5, "first": 2}, {"value": "a", "points": 4, "first": 1}, {"value": "c", "points": 1, "first": 0},
    ]  # fmt: skip
    only = result({"op": "rank", "of": ["a", "b", "z"]}, ["x", "b", "a"], ["x"])
    assert [(each["value"], each["points"]) for each in only["ranking"]] == [("b", 2), ("a", 1), ("z", 0)]


BALLOTS: tuple[Any, ...] = (["oa"], ["oa"], ["oa"], ["ob", "oc", "od", "oe", "oa"])
OPTIONS = ["oa", "ob", "oc", "od", "oe"]


def ranking(entry: dict[str, Any], *answers: Any, **basis: Any) -> list[tuple[Any, float, int]]:
    found = result({"op": "rank", **entry}, *answers, **basis)["ranking"]
    return [(each["value"], each["points"], each["first"]) for each in found]


def test_rank_by_the_borda_count_puts_first_what_most_people_rank_first() -> None:
    borda = {"rule": "borda", "of": OPTIONS}
    assert ranking(borda, *BALLOTS) == [("oa", 12, 3), ("ob", 8.5, 1), ("oc", 7.5, 0), ("od", 6.5, 0), ("oe", 5.5, 0)]
    assert ranking(borda | {"unranked": "zero"}, *BALLOTS) == [
        ("oa", 12, 3),
        ("ob", 4, 1),
        ("oc", 3, 0),
        ("od", 2, 0),
        ("oe", 1, 0),
    ]
    assert ranking({}, *BALLOTS)[:2] == ranking({"rule": "modified"}, *BALLOTS)[:2] == [("ob", 5, 1), ("oa", 4, 3)]


def test_rank_by_the_borda_count_takes_shared_places_and_leaves_out_what_is_no_option() -> None:
    borda = {"rule": "borda", "of": ["a", "b", "c", "d"]}
    assert ranking(borda, [["b", "c", "b"], "a"]) == [("b", 2.5, 1), ("c", 2.5, 1), ("a", 1, 0), ("d", 0, 0)]
    assert ranking(borda, ["x", "d", "d", [], ["d", "y"], "a"])[:2] == [("d", 3, 1), ("a", 2, 0)]
    assert result({"op": "rank", **borda}, ["x"], [], "a", None, [["y"]])["answers"] == 0
    assert ranking(borda | {"of": [["a", "b"], "c"]}, [["a", "b"]])[0] == (["a", "b"], 1, 1)


def test_rank_reads_its_options_from_the_config() -> None:
    config = {"options": [{"id": each} for each in OPTIONS]}
    entry = {"rule": "borda", "of": "/options/*/id"}
    assert ranking(entry, *BALLOTS, config=config) == ranking({"rule": "borda", "of": OPTIONS}, *BALLOTS)
    assert result({"op": "rank", **entry}, *BALLOTS, config={"options": 7})["answers"] == 0
    of_config = TallyInputs('{"r":{"path":"","op":"rank","of":"/options"}}', None, None, None, config='{"options":["a"]}')
    assert of_config.digest != of_config._replace(config='{"options":["b"]}').digest, "stored segments are counted again"


def test_values_are_compared_in_nfc_and_shown_in_it() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    found = result({"op": "count"}, composed, decomposed, [composed, decomposed], {"\u00e9": [composed]}, {"e\u0301": [decomposed]})
    assert found["values"] == [{"value": composed, "count": 3}, {"value": {"\u00e9": [composed]}, "count": 2}]
    both = result({"op": "count"}, {"\u00e9": 1, "e\u0301": 2})["values"]
    assert both == [{"value": {"\u00e9": 1, "e\u0301": 2}, "count": 1}], "names of one object stay separate"
    for right, typed in ((composed, decomposed), (decomposed, composed), ([composed, "x"], ["x", decomposed])):
        assert result({"op": "score", "key": "/r"}, typed, "cafe", secret={"r": right})["correct"] == 1
    assert ranking({"of": [decomposed]}, [composed]) == [(composed, 1, 1)]
    assert ranking({"of": [decomposed, "x"], "rule": "borda"}, [composed])[0] == (composed, 1, 1)


def test_votes_count_the_last_answer_of_a_participant_for_a_target() -> None:
    def vote(target: str, vote: Any) -> dict[str, Any]:
        return {"target": target, "vote": vote}

    found = result(
        {"op": "votes"}, (1, vote("q", 1)), (1, vote("q", 1)), (2, vote("q", -1)), (2, vote("q", 1)), (3, [vote("p", -1), vote("q", 1)]),
        (4, vote("r", 1)), (4, vote("r", 0)), (5, vote("q", 2)), (5, {"text": "Why?"}), (6, vote("q", True)),
    )  # fmt: skip
    assert found["answers"] == 7
    assert found["targets"] == [{"target": "q", "up": 3, "down": 0}, {"target": "p", "up": 0, "down": 1}]


def test_votes_among_answers_count_for_what_is_there_and_seen() -> None:
    visible, hidden = (response(id=UUID(int=number), created_ts=number, text='{"text":"Why?"}') for number in (1, 2))
    votes = [
        response(id=UUID(int=10 + number), participant_id=number, created_ts=10 + number, text=f'{{"target":"{target}","vote":1}}')
        for number, target in enumerate([visible.id, visible.id, hidden.id, UUID(int=9), UUID(int=10)])
    ]
    tally = RoundTally(TallyInputs('{"r":{"path":"","op":"votes","among":"answers"}}', None, None, None))
    for each in (visible, hidden, *votes):
        tally.add(each)
    both = [(str(visible.id), 2), (str(hidden.id), 1)]
    assert [(each["target"], each["up"]) for each in results_of(tally)["targets"]] == both
    assert results_of(tally)["answers"] == 5

    tally.change(hidden, replace(hidden, moderation=Moderation.HIDDEN))
    assert [(each["target"], each["up"]) for each in results_of(tally)["targets"]] == both[:1]
    tally.change(replace(hidden, moderation=Moderation.HIDDEN), hidden)
    assert [(each["target"], each["up"]) for each in results_of(tally)["targets"]] == both


def test_score_awards_points_to_correct_answers() -> None:
    entry = {"op": "score", "key": "/correct"}
    found = result(entry, "b", "a", "b", secret={"correct": "b"})
    assert found == {
        "op": "score", "answers": 3, "correct": 2, "best": [{"participant_id": 1, "points": 1000}, {"participant_id": 3, "points": 1000}],
    }  # fmt: skip
    assert result({**entry, "points": 5}, ["x", "y"], ["y", "x", "x"], ["x"], secret={"correct": ["y", "x"]})["correct"] == 2
    assert result({**entry, "tolerance": 0.1}, 1.1, 0.9, 1.11, "1", True, secret={"correct": 1})["correct"] == 2
    assert result(entry, 1.0, "1", True, secret={"correct": 1})["correct"] == 1
    assert result(entry, None, "x", secret={"other": None})["correct"] == 0
    assert result(entry, "x" * 2_000, secret={"correct": "y" * 2_000})["correct"] == 0


def test_score_falls_to_half_over_the_duration() -> None:
    entry = {"op": "score", "key": "", "speed": True, "points": 100}
    timed = {"secret": 1, "started_us": 1_000_000, "duration_seconds": 4}
    assert [each["points"] for each in result(entry, 1, 1, 1, 1, 1, 1, 1, **timed)["best"]] == [100, 88, 75, 63, 50, 50, 50]
    assert result(entry, 1, secret=1)["best"] == [{"participant_id": 1, "points": 100}]


def test_score_takes_the_best_of_several_answers_of_one_participant() -> None:
    tally = tallied({"op": "score", "key": ""}, (1, 1), (1, 1), (1, 0), (2, 0), secret=1)
    assert sorted(tally.points(is_host=True)) == [(1, 1000), (2, 0)]
    assert results_of(tally)["best"] == [{"participant_id": 1, "points": 1000}]
    assert results_of(tally, is_anonymous=True)["best"] == [{"participant_id": None, "points": 1000}]
    assert results_of(tally, is_scored=False) == {"op": "score", "answers": 4, "correct": None, "best": []}


@pytest.mark.parametrize("deep", ['{"a":{"b":[1]}}', '{"a":{"b":{"0":1}}}'])
def test_a_path_leads_into_objects_and_arrays(deep: str) -> None:
    tally = RoundTally(TallyInputs('{"r":{"path":"/a/b/0","op":"count"}}', None, None, None))
    tally.add(response(text=deep))
    for elsewhere in ('{"a":{"b":[]}}', '{"a":[]}', "7", "null", '{"a":{"b":"1"}}'):
        tally.add(response(text=elsewhere))
    assert (results_of(tally)["answers"], tally.audience(is_host=True).count) == (1, 6)


@pytest.mark.parametrize(
    ("op", "most", "answers"),
    [("count", [7] * 200, 1), ("count", [7] * 201, 0), ("words", ["x"] * 201, 0), ("rank", ["x"] * 201, 0)],
)
def test_arrays_too_long_are_of_no_use(op: str, most: list[Any], answers: int) -> None:
    assert result({"op": op}, most)["answers"] == answers


def test_control_characters_part_words_and_belong_to_none() -> None:
    found = result({"op": "words"}, "calm\0sea", "\x1bcalm", "\0", "\x85")
    assert found["words"] == [{"word": "calm", "count": 2}, {"word": "sea", "count": 1}]
    whole = result({"op": "words", "split": False}, "calm\0sea", "calm sea")
    assert whole["words"] == [{"word": "calm sea", "count": 2}]


def test_an_answer_has_so_many_words_and_votes_on_so_many_targets() -> None:
    text = " ".join(f"w{number}" for number in range(600))
    assert result({"op": "words", "top": 1000}, text)["words"][-1]["count"] == 1
    assert len(result({"op": "words", "top": 1000}, text)["words"]) == 500
    assert result({"op": "votes"}, [{"target": "q", "vote": 1}] * 201)["answers"] == 0
    assert result({"op": "score", "key": ""}, [1] * 201, [1] * 200, secret=[1])["correct"] == 1


def test_the_median_and_its_quartiles_are_those_of_spreadsheets() -> None:
    found = result({"op": "median"}, 1, 2, 3, 4, "5", True, None, [4])
    assert found == {
        "op": "median", "answers": 4, "min": 1, "lower_quartile": 1.75, "median": 2.5, "upper_quartile": 3.25, "max": 4,
        "percentiles": [],
    }  # fmt: skip
    assert result({"op": "median"}, 7)["lower_quartile"] == 7
    assert result({"op": "median", "max": 3}, 1, 2, 300)["median"] == 1.5
    nothing = result({"op": "median"}, "a")
    assert {name: value for name, value in nothing.items() if name not in {"op", "answers", "percentiles"}} == dict.fromkeys(
        QUARTERS
    )


@given(st.lists(st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_quartiles_are_those_of_the_standard_library(values: list[float]) -> None:
    found = result({"op": "median"}, *values)
    expected = quantiles(values, n=4, method="inclusive")
    assert [found["lower_quartile"], found["median"], found["upper_quartile"]] == pytest.approx(expected)
    assert (found["min"], found["max"]) == (min(values), max(values))


def test_whole_numbers_beyond_doubles_keep_every_digit() -> None:
    least, most = 2**53 + 1, 2**53 + 3
    found = result({"op": "median"}, least, most)
    assert (found["min"], found["median"], found["max"]) == (least, 2**53 + 2, most)


def test_percentiles_lie_between_the_quartiles() -> None:
    found = result({"op": "median", "percentiles": [90, 10, 10]}, *range(101))
    assert found["percentiles"] == [{"percent": 10, "value": 10}, {"percent": 90, "value": 90}]
    assert result({"op": "median", "percentiles": [10]}, 0, 1)["percentiles"] == [{"percent": 10, "value": 0.1}]
    assert result({"op": "median", "percentiles": [10]})["percentiles"] == [{"percent": 10, "value": None}]


ENTRIES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "amounts": ({"of": ["a", "b"]}, [{"a": 1, "b": 2.5}]),
    "grid": ({"names": ["first"]}, [{"x": 0, "y": 0}, {"x": 1, "y": 0.5}]),
    "pairs": ({"of": ["a", "b"]}, [["a", "b"]]),
    "count": ({}, ["a", 1, None, {"x": [1]}]),
    "median": ({"percentiles": [5]}, [1, 2.5]),
    "quartiles": ({"of": ["a", "b"], "percentiles": [5]}, [{"a": 1}, {"a": 2.5}]),
    "number": ({"bins": 2}, [1, 2.5, 9]),
    "rank": ({"rule": "borda", "of": ["a", "b", "c"]}, [["a"], ["b", "a"]]),
    "score": ({"key": ""}, [1, 2]),
    "votes": ({}, [{"target": "t", "vote": 1}]),
    "words": ({}, ["calm sea"]),
}


@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize("is_empty", [False, True])
def test_results_have_the_form_that_their_operation_declares(op: str, is_empty: bool) -> None:
    options, answers = ENTRIES[op]
    found = result({"op": op, **options}, *(() if is_empty else answers), secret=1)
    schema = OPERATIONS[op].result
    assert schema.model_validate(found, strict=True).model_dump(by_alias=True) == found
    assert found["op"] == op
    assert found.keys() == {each.alias or name for name, each in schema.model_fields.items()}


def test_docs_list_every_operation_with_its_options_and_its_result() -> None:
    page = (Path(__file__).parents[3] / "docs/api.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(
            r"^\| `(\w+)` \| (.+) \|$",
            page[page.index("|---|---|---|", page.index("| `op` | Options")) :].split("\n\n")[0],
            re.MULTILINE,
        )
    )
    assert rows.keys() == OPERATIONS.keys()
    for op, operation in OPERATIONS.items():
        options, results = rows[op].split(" | ")
        assert set(operation.options) <= set(re.findall(r"`(\w+)`", options))
        common = {"op", "answers", "truncated"}
        assert {each.alias or name for name, each in operation.result.model_fields.items()} - common <= set(
            re.findall(r"`(\w+)`", results)
        )


def test_pages_draw_every_operation() -> None:
    charts = Path(conflicto.__file__).parent / "web/static/sdk/charts"
    listed = re.findall(r"^  (\w+): \{ charts: ", (charts / "operations.js").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(listed) == OPERATIONS.keys()
    assert {file.stem for file in charts.glob("*.js")} == OPERATIONS.keys() | {"operations", "cloud"}


def test_a_sum_beyond_doubles_is_left_out() -> None:
    found = result({"op": "number"}, 1.7e308, 1.7e308)
    assert (found["sum"], found["mean"]) == (None, 1.7e308)
    assert result({"op": "number"}, 1.7e308, -1.7e308, 1.7e308)["sum"] == 1.7e308


def test_signs_at_the_edges_and_hebrew_points_are_no_part_of_a_word() -> None:
    plain, pointed = "\u05e9\u05dc\u05d5\u05dd", normalize("NFC", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd")
    words = result({"op": "words"}, "calm~ =calm +calm calm^ calm| <calm>", f"{pointed} {plain}", pointed, "C++")["words"]
    assert {each["word"] for each in words} == {"calm", "C++", pointed}
