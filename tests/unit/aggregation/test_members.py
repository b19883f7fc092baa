"""Results of operations on members of an answer: numbers of options, pairs, points and scores."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflicto.aggregation.correctness import RULES
from conflicto.aggregation.operation import Fold, ResponseMetadata, RoundContext, State
from conflicto.aggregation.spec import parse_spec, refers_to_config
from conflicto.aggregation.spill.store import SpillStore
from conflicto.platform.instants import US_PER_S
from tests.support.tallies import result


def amounts(entry: dict[str, Any], *answers: Any, **basis: Any) -> list[tuple[Any, ...]]:
    found = result({"op": "amounts", **entry}, *answers, **basis)["options"]
    return [(each["value"], each["answers"], each["sum"], each["mean"], each["share"]) for each in found]


def test_amounts_of_an_object_have_sums_means_and_shares() -> None:
    answers = {"a": 60, "b": 40}, {"a": 20, "c": 80}, {"b": "40", "z": 3}, [], 7
    assert amounts({"of": ["a", "b", "c", "d"]}, *answers) == [
        ("a", 2, 80, 40, 0.4), ("b", 1, 40, 40, 0.2), ("c", 1, 80, 80, 0.4), ("d", 0, 0, None, 0),
    ]  # fmt: skip
    assert amounts({"of": ["a", "b", "c", "d"], "missing": "zero"}, *answers) == [
        ("a", 2, 80, 40, 0.4), ("b", 1, 40, 20, 0.2), ("c", 1, 80, 40, 0.4), ("d", 0, 0, 0, 0),
    ]  # fmt: skip
    assert result({"op": "amounts", "of": ["a"]}, *answers)["answers"] == 2
    config = {"options": [{"id": "b"}, {"id": 2}]}
    assert amounts({"of": "/options/*/id"}, {"b": 1, "2": 3}, config=config) == [("b", 1, 1, 1, 0.25), (2, 1, 3, 3, 0.75)]
    assert amounts({"of": "/missing/*"}, {"b": 1}, config=config) == []


def test_amounts_of_a_list_are_those_of_its_elements() -> None:
    entry = {"of": ["a", {"x": 1}], "option": "/id", "amount": "/n"}
    answer = [{"id": "a", "n": 1}, {"id": "a", "n": 2}, {"id": {"x": 1.0}, "n": 5}, {"id": "b", "n": 9}, {"id": "a"}, 3]
    assert amounts(entry, answer) == [("a", 1, 3, 3, 0.375), ({"x": 1}, 1, 5, 5, 0.625)]
    assert result({"op": "amounts", **entry}, answer * 40)["answers"] == 0, "too long"


def test_amounts_are_exact_in_decimal_at_any_size() -> None:
    assert amounts({"of": ["a"]}, {"a": 0.1}, {"a": 0.2}) == [("a", 2, 0.3, 0.15, 1)]
    assert amounts({"of": ["a"]}, {"a": 1e16}, {"a": 0.1}, {"a": -1e16}, {"a": 5e-324})[0][2] == 0.1
    assert amounts({"of": ["a", "b"]}, {"a": -1, "b": 2}) == [("a", 1, -1, -1, None), ("b", 1, 2, 2, None)]
    assert amounts({"of": ["a"]}, {"a": 1.7e308}, {"a": 1.7e308}) == [("a", 2, None, 17 * 10**307, 1)]
    assert amounts({"of": ["a"]}, {"a": 2**53 - 1}, {"a": 2**53 - 1}, {"a": 1})[0][2] == 2**54 - 1


@given(
    st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 100) | st.integers(0, 1000).map(lambda n: n / 10)), max_size=20)
)
def test_amounts_equal_a_recount_in_fractions(answers: list[dict[str, float]]) -> None:
    found = amounts({"of": ["a", "b"]}, *answers)
    given = {name: [Fraction(repr(each[name])) for each in answers if name in each] for name in "ab"}
    total = sum(map(sum, given.values()))
    assert [each[1:3] for each in found] == [(len(values), float(sum(values))) for values in given.values()]
    assert [each[3] for each in found] == [float(sum(values) / len(values)) if values else None for values in given.values()]
    assert [each[4] for each in found] == [float(sum(values) / total) if total else None for values in given.values()]


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.floats(-1e9, 1e9) | st.integers(-99, 99)), max_size=20))
def test_quartiles_of_options_are_the_quartiles_of_their_numbers(answers: list[dict[str, float]]) -> None:
    found = result({"op": "quartiles", "of": ["a", "b", "c"], "percentiles": [90]}, *answers)["options"]
    assert [each["value"] for each in found] == ["a", "b", "c"]
    for option in found:
        alone = result({"op": "median", "path": f"/{option.pop('value')}", "percentiles": [90]}, *answers)
        assert option == {name: value for name, value in alone.items() if name != "op"}


def test_quartiles_take_numbers_of_lists_within_a_range() -> None:
    entry = {"op": "quartiles", "of": ["a", "b"], "option": "/id", "amount": "/n", "max": 10}
    answer = [{"id": "a", "n": 1}, {"id": "a", "n": 0.2}, {"id": "b", "n": 11}, {"id": "c", "n": 1}, 3]
    found = result(entry, answer, [{"id": "b", "n": 1.7e308}] * 2, {"a": 1})
    assert (found["answers"], [(each["answers"], each["median"]) for each in found["options"]]) == (1, [(1, 1.2), (0, None)])
    config = {"options": [{"id": "b"}]}
    assert result({"op": "quartiles", "of": "/options/*/id"}, {"b": 4}, config=config)["options"][0]["max"] == 4


def test_quartiles_on_disk_and_in_parts_equal_those_in_memory() -> None:
    entry = {"op": "quartiles", "of": ["a", "b"], "percentiles": [10]}
    answers = {"a": -2.5, "b": 0}, {"a": 7}, {"a": -2.5}, {"a": 1e300, "b": -0.0}, {"b": 0.5}, {"a": -3}
    fold = parse_spec(msgspec.json.encode({"r": {"path": "", **entry}}).decode())["r"].fold(RoundContext())
    read = [fold.read(each, ResponseMetadata(1, 0, 0, "")) for each in answers]
    whole, part, spill = fold.empty(), fold.empty(), SpillStore(2**22)
    number = spill.add_state()
    for each in read[:4]:
        whole.add(each)
    detached = whole.detach()
    detached.store(spill, number)
    for each in read[4:]:
        whole.add(each)
        part.add(each)
    whole.remove(read[1])
    detached = whole.detach()
    detached.store(spill, number)
    left = result(entry, *answers[:1], *answers[2:])
    assert msgspec.json.decode(msgspec.json.encode(detached.stored_result(spill, number))) == left
    assert (whole.entries, part.entries) == (0, 2)

    part.merge(msgspec.msgpack.decode(msgspec.msgpack.encode(_all_of(fold, read[:4]).dump())))
    part.remove(read[1])
    assert msgspec.json.decode(msgspec.json.encode(part.result())) == left
    spill.close()


def _all_of(fold: Fold, read: list[Any]) -> State:
    state = fold.empty()
    for each in read:
        state.add(each)
    return state


def test_pairs_of_a_list_are_each_two_of_its_options() -> None:
    found = result({"op": "pairs", "of": ["a", "b", "c"]}, ["b", "a"], ["a", "b", "c", "a"], ["a"], ["z", "y"], [], "ab")
    assert found["answers"] == 4
    assert [(each["first"], each["second"], each["count"]) for each in found["pairs"]] == [
        ("a", "b", 2),
        ("a", "c", 1),
        ("b", "c", 1),
    ]
    top = result({"op": "pairs", "of": ["a", "b", "c"], "top": 1}, ["a", "b", "c"])
    assert (len(top["pairs"]), top["truncated"]) == (1, True)


def test_pairs_of_an_object_are_its_names_and_values() -> None:
    entry = {"op": "pairs", "of": "/words/*", "with": ["Hund", "Katze", 3]}
    config = {"words": ["dog", "cat"]}
    found = result(entry, {"dog": "Hund", "cat": ["Katze", 3.0]}, {"dog": "Katze", "cow": "Hund"}, {"cat": "Kuh"}, config=config)
    assert [(each["first"], each["second"], each["count"]) for each in found["pairs"]] == [
        ("dog", "Hund", 1), ("dog", "Katze", 1), ("cat", "Katze", 1), ("cat", 3, 1),
    ]  # fmt: skip


def cells(entry: dict[str, Any], *answers: Any, **basis: Any) -> list[tuple[Any, ...]]:
    found = result({"op": "grid", **entry}, *answers, **basis)["cells"]
    return [(each["column"], each["row"], each["name"], each["count"]) for each in found]


def test_a_grid_counts_points_by_cell_with_names() -> None:
    points = {"x": 0, "y": 0}, {"x": 0.5, "y": 0.49}, {"x": 1, "y": 1}, {"x": 1.01, "y": 0}, {"x": 0.3}, [0, 0]
    assert cells({"columns": 2, "rows": 2, "names": ["head", "", "arm"]}, *points) == [
        (1, 1, "head", 1), (2, 1, None, 1), (2, 2, None, 1),
    ]  # fmt: skip
    config = {"columns": 2, "rows": 0, "wide": 10, "names": ["a", "b"]}
    entry = {"x": "/0", "y": "/1", "columns": "/columns", "rows": "/rows", "x_max": "/wide", "names": "/names/*"}
    assert cells(entry, [4, 0.05], [5, 0.1], [11, 0], config=config) == [(1, 1, "a", 1), (2, 2, None, 1)], "rows fall back to 10"
    assert cells({"x": "/0", "y": "/1", "x_min": 1, "x_max": "/wide"}, [1, 0], [2, 0], config={}) == [(1, 1, None, 1)], "a line"
    tenths = [{"x": each / 10, "y": 0} for each in range(11)]
    assert [each[3] for each in cells({}, *tenths)] == [1] * 9 + [2], "0.3 is in the fourth of ten"


def test_options_are_taken_from_the_config_where_it_holds_valid_ones() -> None:
    entry = {"op": "number", "bins": "/bins", "min": "/low", "max": "/high"}

    def bins(**config: Any) -> list[tuple[float, float]]:
        return [(each["from"], each["to"]) for each in result(entry, 1, 10, config=config)["histogram"]]

    assert bins(bins=2) == [(1, 5), (6, 10)]
    assert len(bins(bins=0)) == len(bins(bins="2")) == len(bins()) == 10
    assert bins(bins=1, low=0, high=20) == [(0, 20)]
    assert len(bins(bins=1, low=5, high=5)) == 10, "what contradicts itself is left out"
    text = msgspec.json.encode({"r": {"path": "", **entry}}).decode()
    assert refers_to_config(text)
    assert not refers_to_config('{"r":{"path":"","op":"number","bins":3}}')
    assert result({"op": "count", "top": "/top"}, 1, 2, config={"top": 1})["truncated"]


def is_right(entry: dict[str, Any], answer: Any, secret: Any) -> bool:
    return bool(result({"op": "score", **entry}, answer, secret=secret)["correct"])


@pytest.mark.parametrize(
    ("entry", "secret", "right", "wrong"),
    [
        (
            {"rule": "largest", "key": "/best"}, {"best": "b"},
            [{"a": 49, "b": 51}, {"b": 1}], [{"a": 99, "b": 1}, {"a": 50, "b": 50}, {"b": 0}, {}, "b", {"a": "b"}],
        ),
        ({"rule": "largest", "key": "/best"}, {"best": ["a", "b"]}, [{"a": 50, "b": 50, "c": 0}], [{"a": 60, "b": 40}, {"a": 50}]),
        ({"rule": "largest", "key": "/best"}, {"best": 2}, [[0, 1, 5], {"2": 3}], [[5, 1, 0]]),
        (
            {"rule": "share", "key": "", "tolerance": 0.1}, {"a": 60, "b": 40},
            [{"a": 60, "b": 40}, {"a": 7, "b": 3}, {"a": 0.5, "b": 0.5}], [{"a": 71, "b": 29}, {"a": 49, "b": 51}, {"a": 0}, {}, 6],
        ),
        ({"rule": "share", "key": ""}, {"a": 0.3, "b": 0.6}, [{"a": 1, "b": 2}], [{"a": 1, "b": 2.0001}, {"a": 1, "b": 2, "c": 0.1}]),
        (
            {"rule": "distance", "key": "/at", "tolerance": "/within"}, {"at": {"x": 0.1, "y": 0.2}, "within": 0.5},
            [{"x": 0.4, "y": 0.6}, {"x": 0.1, "y": 0.2, "z": 9}], [{"x": 0.4, "y": 0.6001}, {"x": 0.1}, {"x": "0.1", "y": 0.2}, []],
        ),
        ({"rule": "distance", "key": "", "tolerance": 5}, [0, 0], [[3, 4], [3, -4]], [[4, 4], [3], {}]),
        ({"rule": "distance", "key": ""}, 3, [3, 3.0], [4, "3", None]),
        (
            {"all": [{"path": "/x", "key": "/x", "tolerance": "/w"}, {"path": "/y", "key": "/y"}]}, {"x": 3, "y": "b", "w": 1},
            [{"x": 4, "y": "b"}, {"x": 2, "y": "b"}], [{"x": 5, "y": "b"}, {"x": 3, "y": "a"}, {"x": 3}, {"y": "b"}, 3],
        ),
        ({"all": [{"path": "/x", "key": "/x"}, {"path": "/y", "key": "/missing"}]}, {"x": 1}, [], [{"x": 1, "y": 1}, {"x": 1}]),
    ],
)  # fmt: skip
def test_score_compares_by_the_rule(entry: dict[str, Any], secret: Any, right: list[Any], wrong: list[Any]) -> None:
    assert [answer for answer in right if not is_right(entry, answer, secret)] == []
    assert [answer for answer in wrong if is_right(entry, answer, secret)] == []


def earned(entry: dict[str, Any], answer: Any, secret: Any) -> tuple[int, int]:
    """Return the points of an answer, and 1 if it counts as right."""
    found = result({"op": "score", **entry}, answer, secret=secret)
    return sum(each["points"] for each in found["best"]), found["correct"]


CLOSE = {"partial": "closeness", "rule": "distance", "key": "", "tolerance": 10}


@pytest.mark.parametrize(
    ("entry", "secret", "answers"),
    [
        (CLOSE, 100, {100: (1000, 1), 97: (700, 1), 110: (0, 1), 111: (0, 0), 100.1: (990, 1), 99.9999: (999, 1)}),
        (CLOSE | {"points": 3}, 0, {0: (3, 1), 3: (2, 1), 4: (1, 1), 7: (0, 1)}),
        (CLOSE | {"tolerance": 0}, 0, {0: (1000, 1), 1: (0, 0), '"0"': (0, 0)}),
        (CLOSE | {"tolerance": "/missing"}, 0, {0: (1000, 1), 1: (0, 0)}),
        (CLOSE | {"points": 10}, {"x": 0, "y": 0}, {'{"x":3,"y":4}': (5, 1), '{"x":1,"y":1}': (8, 1), '{"x":3}': (0, 0), "[3,4]": (0, 0)}),
        (CLOSE | {"key": "/none"}, {}, {1: (0, 0)}),
        (
            {"partial": "elements", "key": ""}, ["a", "b", "c"],
            {'["c","b","a"]': (1000, 1), '["a","b"]': (666, 0), '["a","b","z"]': (333, 0), '["y","z"]': (0, 0), '"a"': (333, 0),
             '["a","b","c","z"]': (666, 0), '["a","a"]': (333, 0), "[]": (0, 0)},
        ),
        ({"partial": "elements", "key": ""}, [], {"[]": (1000, 1), '["a"]': (0, 0), "[" + "1," * 200 + "1]": (0, 0)}),
        (
            {"partial": "members", "key": ""}, ["a", "b", "c"],
            {'["a","b","c"]': (1000, 1), '["a","c","b"]': (333, 0), '["a","b"]': (666, 0), '["a","b","c","d"]': (750, 0), '"a"': (0, 0)},
        ),
        (
            {"partial": "members", "key": "", "tolerance": 1}, {"dog": "Hund", "year": 1990},
            {'{"dog":"Hund","year":1991}': (1000, 1), '{"dog":"Hund","year":1992}': (500, 0), '{"cat":"Hund"}': (0, 0)},
        ),
        ({"partial": "members", "key": ""}, 7, {"7": (1000, 1), "8": (0, 0)}),
        (
            {"partial": "members", "all": [{"path": "/x", "key": "/x"}, {"path": "/y", "key": "/y"}, {"path": "/z", "key": "/z"}]},
            {"x": 1, "y": 2, "z": 3}, {'{"x":1,"y":2,"z":3}': (1000, 1), '{"x":1,"y":2}': (666, 0), '{"x":2}': (0, 0)},
        ),
        ({"partial": "members", "all": [{"path": "/x", "key": ""}]}, [1, 2], {'{"x":[2,1]}': (1000, 1), '{"x":[1]}': (0, 0)}),
    ],
)  # fmt: skip
def test_partial_credit_is_exact(entry: dict[str, Any], secret: Any, answers: dict[Any, tuple[int, int]]) -> None:
    given = {text: msgspec.json.decode(str(text)) for text in answers}
    assert {text: earned(entry, answer, secret) for text, answer in given.items()} == answers


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 1000))
def test_closeness_falls_in_a_line_and_is_rounded_down(distance: int, tolerance: int, points: int) -> None:
    right = max(Fraction(0), points * (1 - Fraction(distance, tolerance)))
    assert earned(CLOSE | {"tolerance": tolerance / 10, "points": points}, distance / 10, 0)[0] == int(right)


def test_partial_points_fall_with_time_too() -> None:
    entry = {"op": "score", "path": "", **CLOSE, "speed": True}
    context = RoundContext(100, 0, 10, None)
    fold = parse_spec(msgspec.json.encode({"s": entry}).decode())["s"].fold(context)
    assert fold.read(95, ResponseMetadata(1, 10 * US_PER_S, 0, "")).points == 250


def test_score_of_absurd_answers_is_no_error() -> None:
    many = {str(each): 5e-324 * each for each in range(200)}
    partial = [{"rule": "distance", "partial": "closeness"}, {"partial": "elements"}, {"partial": "members"}]
    for rule in [*({"rule": rule} for rule in RULES), *partial]:
        for answer in (many, many | {"x": 1}, [1e308] * 200, {"a": True}, None, 2**53, -1e308):
            for secret in (many, None, [], {"a": None}, -1e308):
                is_right(rule | {"key": "", "tolerance": 1e308}, answer, secret)
