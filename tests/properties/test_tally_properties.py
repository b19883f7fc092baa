"""Incremental tallies: equal to a fresh count after any changes, in any order."""

import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.aggregation.spill.store import SpillStore
from conflicto.responses.model import Moderation, ParticipantResponse
from conflicto.results.tally import RoundTally, TallyInputs, filter_results, results_by_name
from tests.support.samples import response

SPEC = {
    "whole": {"path": "", "op": "count", "top": 3},
    "inner": {"path": "/a", "op": "count"},
    "number": {"path": "/a", "op": "number", "bins": 4},
    "bounded": {"path": "", "op": "number", "min": -2, "max": 7.5},
    "words": {"path": "", "op": "words"},
    "rank": {"path": "", "op": "rank", "of": [1, "x", True]},
    "votes": {"path": "", "op": "votes"},
    "score": {"path": "", "op": "score", "key": "/right", "speed": True, "tolerance": 0.5},
}
BORDA = {"path": "", "op": "rank", "rule": "borda", "of": [1, "x", True]}
MEDIAN = {"path": "", "op": "median", "min": -2}
AMONG = SPEC | {"votes": {"path": "", "op": "votes", "among": "answers"}, "rank": BORDA, "bounded": MEDIAN}
MEMBERS = {
    "given": {"path": "", "op": "amounts", "of": ["a", "b", "é"], "missing": "zero"},
    "listed": {"path": "", "op": "amounts", "of": ["r1"], "option": "/target", "amount": "/vote"},
    "quartiles": {"path": "", "op": "quartiles", "of": ["a", "é"], "percentiles": [10], "min": -5},
    "pairs": {"path": "", "op": "pairs", "of": [1, "x", True, "a"], "top": 3},
    "matches": {"path": "", "op": "pairs", "of": ["a", "b"], "with": ["x", True, 1]},
    "cells": {
        "path": "", "op": "grid", "x": "/a", "y": "/b", "columns": 4, "rows": 3, "names": ["first"],
        "x_min": -3, "x_max": 9, "y_min": -3, "y_max": 9,
    },
    "middle": {"path": "/a", "op": "median", "percentiles": [10, 90]},
    "score": {"path": "", "op": "score", "rule": "distance", "key": "/at", "tolerance": 2, "speed": True, "partial": "closeness"},
}  # fmt: skip
BASIS = TallyInputs(msgspec.json.encode(SPEC).decode(), '{"right":1,"at":{"a":1}}', 1_000_000, 10, counts_authors=True)

NUMBERS = st.one_of(st.integers(-3, 9), st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False))
TEXTS = st.one_of(
    st.sampled_from(["x", "X", "ß", "SS", "a b", "  ", "ﷺ "]), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VOTES = st.fixed_dictionaries(
    {
        "target": st.sampled_from(["r1", *(str(UUID(int=number)) for number in range(3))]),
        "vote": st.one_of(st.sampled_from([1, -1, 0, 1.0, True, "1"]), NUMBERS),
    }
)
JSON = st.one_of(
    NUMBERS,
    VOTES,
    st.lists(VOTES, max_size=3),
    st.lists(SCALARS, max_size=5),
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abé"), inner, max_size=3)),
    st.dictionaries(st.sampled_from("abé"), NUMBERS | st.sampled_from(["x", True]), min_size=1),
    st.fixed_dictionaries({"a": SCALARS | st.lists(SCALARS, max_size=4)}),
)
WRITING = JSON.map(lambda value: ("write", (value, None))) | st.tuples(JSON, JSON).map(lambda both: ("write", both))
"""A response's data, and the data that others see instead, if any."""

OTHER = st.sampled_from([("delete", None), *((moderation, None) for moderation in Moderation)])
STEPS = st.lists(st.tuples(st.integers(0, 5), WRITING | OTHER), max_size=30)


def step(
    rows: dict[int, ParticipantResponse], number: int, what: str, value: Any, ts: int
) -> tuple[ParticipantResponse | None, ParticipantResponse] | None:
    before = rows.get(number)
    if what == "write":
        base = before or response(id=UUID(int=number), participant_id=number % 3, created_ts=ts)
        text, masked = (None if each is None else msgspec.json.encode(each).decode() for each in value)
        after = replace(base, ts=ts, received_us=1_000_000 + ts * 500_000, deleted=False, text=text or "null", masked=masked)
    elif before is None or before.deleted:
        return None
    elif what == "delete":
        after = replace(before, ts=ts, deleted=True, text=None, masked=None)
    else:
        after = replace(before, ts=ts, moderation=Moderation(what))
    rows[number] = after
    return before, after


def results_by_audience(tally: RoundTally) -> list[Any]:
    halves = [
        (tally.audience(is_host=host).count, results_by_name(tally, is_host=host, is_scored=True, is_anonymous=False))
        for host in (True, False)
    ]
    return [msgspec.json.decode(msgspec.json.encode(halves)), sorted(tally.points(is_host=True)), dict(tally.authors)]


@settings(max_examples=400)
@given(STEPS, st.sampled_from([SPEC, AMONG, MEMBERS]), st.booleans(), st.randoms(use_true_random=False))
def test_a_tally_that_followed_equals_a_recount(
    steps: list[tuple[int, Any]], spec: dict[str, Any], moderated: bool, chance: random.Random
) -> None:
    basis = BASIS._replace(aggregate=msgspec.json.encode(spec).decode(), is_moderated=moderated)
    followed, rows = RoundTally(basis), dict[int, ParticipantResponse]()
    for ts, (number, (what, value)) in enumerate(steps, 1):
        change = step(rows, number, what, value, ts)
        if change:
            followed.change(*change)

    again = list(rows.values())
    chance.shuffle(again)
    counted_at_once = basis._replace(is_moderated=False)
    recounted = RoundTally(counted_at_once)
    for each in again:
        recounted.change(None, each)
    assert results_by_audience(followed) == results_by_audience(recounted)

    shown, written = RoundTally(counted_at_once), RoundTally(counted_at_once)
    for each in filter(lambda row: row.is_visible, again):
        shown.change(None, replace(each, text=each.masked or each.text, masked=None))
        written.change(None, replace(each, masked=None))
    count, by_name = results_by_audience(followed)[0][1]
    assert count == sum(each.is_visible for each in again)
    assert by_name == results_by_audience(shown)[0][0][1] | {"score": results_by_audience(written)[0][0][1]["score"]}, (
        "others see the masked data with the score of the original"
    )

    for each in again:
        recounted.change(each, replace(each, deleted=True, text=None))
    assert results_by_audience(recounted) == results_by_audience(RoundTally(counted_at_once))


@settings(max_examples=300)
@given(STEPS, st.sampled_from([SPEC, MEMBERS]), st.integers(1, 4), st.booleans())
def test_what_was_dumped_in_parts_adds_up_to_the_whole(
    steps: list[tuple[int, Any]], spec: dict[str, Any], parts: int, moderated: bool
) -> None:
    basis = BASIS._replace(aggregate=msgspec.json.encode(spec).decode())
    rows: dict[int, ParticipantResponse] = {}
    for ts, (number, (what, value)) in enumerate(steps, 1):
        step(rows, number, what, value, ts)
    live = [each for each in rows.values() if not each.deleted]

    whole, taken = RoundTally(basis), RoundTally(basis._replace(is_moderated=moderated))
    for part in range(parts):
        counted = RoundTally(basis)
        for each in live[part::parts]:
            whole.add(each)
            counted.add(each)
        taken.merge(msgspec.msgpack.decode(msgspec.msgpack.encode(counted.dump())))
    assert results_by_audience(taken) == results_by_audience(whole)

    for each in live:
        taken.remove(each)
    assert results_by_audience(taken) == results_by_audience(RoundTally(basis)), "every response can be withdrawn"


def results_of_stored(tally: RoundTally, spill: SpillStore) -> list[Any]:
    results = tally.detach().results(spill)
    halves = [
        (count, filter_results(tally.names, results_of, is_scored=True, is_anonymous=False))
        for count, results_of in (results.live, results.visible)
    ]
    points = sorted((who, earned) for part in tally.detach().points(spill, is_host=True) for who, earned in part.items())
    return [msgspec.json.decode(msgspec.json.encode(halves)), points, dict(tally.authors)]


@settings(max_examples=400)
@given(STEPS, st.sampled_from([SPEC, AMONG, MEMBERS]), st.booleans(), st.randoms(use_true_random=False))
def test_a_tally_on_disk_equals_a_recount_in_memory(
    steps: list[tuple[int, Any]], spec: dict[str, Any], moderated: bool, chance: random.Random
) -> None:
    basis = BASIS._replace(aggregate=msgspec.json.encode(spec).decode(), is_moderated=moderated)
    spill = SpillStore(2**26)
    followed, rows = RoundTally(basis), dict[int, ParticipantResponse]()
    for ts, (number, (what, value)) in enumerate(steps, 1):
        change = step(rows, number, what, value, ts)
        if change:
            followed.change(*change)
        if chance.random() < 0.3:
            followed.detach().store(spill)
            assert followed.memory_share <= (0.1 if spec is MEMBERS else 0), "bounded states stay in memory"

    again = list(rows.values())
    chance.shuffle(again)
    recounted = RoundTally(basis._replace(is_moderated=False))
    for each in again:
        recounted.change(None, each)
    assert results_of_stored(followed, spill) == results_by_audience(recounted)

    for each in again:
        followed.change(each, replace(each, deleted=True, text=None))
    assert results_of_stored(followed, spill) == results_by_audience(RoundTally(basis))
    for left in ("SELECT count(*) FROM entries", "SELECT count(*) FROM items"):
        assert spill._connection.execute(left).fetchone() == (0,), "nothing remains of removed responses"
    spill.close()


@settings(max_examples=200)
@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1, max_size=40))
def test_whole_numbers_are_added_exactly_and_every_one_is_in_a_bin(values: list[int]) -> None:
    tally = RoundTally(TallyInputs('{"n":{"path":"","op":"number"}}', None, None, None))
    for value in values:
        tally.add(response(text=str(value)))
    encoded = msgspec.json.encode(results_by_name(tally, is_host=True, is_scored=True, is_anonymous=False)["n"]).decode()
    assert f'"sum":{sum(values)},' in encoded
    found = msgspec.json.decode(encoded)
    assert (found["min"], found["max"], found["answers"]) == (min(values), max(values), len(values))
    bins = found["histogram"]
    assert [each["count"] for each in bins] == [sum(each["from"] <= value <= each["to"] for value in values) for each in bins]
    assert sum(each["count"] for each in bins) == len(values)
