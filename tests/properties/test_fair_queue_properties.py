"""The fair queue: no session starves, each keeps its order, and conflicts never run together."""

from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conflicto.platform.db.fair_queue import Command, FairQueue

SENT = st.tuples(st.integers(0, 4), st.lists(st.sampled_from("abc"), max_size=2, unique=True))
"""A session and keys."""


def command(number: int, topic: int, keys: list[str]) -> Command:
    nobody: Any = None
    return Command((topic,), nobody, number, tuple(f"{topic}{key}" for key in keys), 0.0, nobody)


@given(st.lists(st.lists(SENT, max_size=12), max_size=6), st.integers(1, 7))
def test_groups_are_fair_and_keep_what_they_must(arrivals: list[list[tuple[int, list[str]]]], most: int) -> None:
    turns, waiting, sent = FairQueue(), defaultdict[int, list[Command]](list), 0
    last = len(arrivals) + sum(map(len, arrivals))
    for burst in [*arrivals, *([[]] * last)]:
        for topic, keys in burst:
            made = command(sent, topic, keys)
            waiting[topic].append(made)
            turns.add(made)
            sent += 1
        lines = [topic for topic, line in waiting.items() if line]
        group = turns.next_group(most)

        assert (len(group) > 0) == bool(lines)
        assert len(group) <= most
        keys_met = [key for each in group for key in each.keys]
        assert len(keys_met) == len(set(keys_met))
        for topic in lines:
            mine = [each for each in group if each.topics == (topic,)]
            assert mine == [each for each in waiting[topic] if each in mine], "a session keeps its order"
            assert mine or len(lines) > most, "every session gets its turn"
            for each in mine:
                before = waiting[topic][: waiting[topic].index(each)]
                assert all(set(each.keys).isdisjoint(other.keys) for other in before if other not in mine), (
                    "commands with a common key keep their order"
                )
            waiting[topic] = [each for each in waiting[topic] if each not in mine]
    assert not turns
    assert not any(waiting.values())


def test_more_lines_than_places_take_turns_too() -> None:
    turns = FairQueue()
    for number in range(3):
        for topic in range(10):
            turns.add(command(number, topic, []))

    groups = [[each.topics[0] for each in turns.next_group(4)] for _ in range(8)]

    assert [topic for group in groups for topic in group] == [*range(10), *range(10), *range(10)]
    assert not turns


def test_places_that_are_left_over_go_to_the_longest_line() -> None:
    turns = FairQueue()
    for number in range(20):
        turns.add(command(number, 1, []))
    turns.add(command(0, 2, []))

    assert len(turns.next_group(10)) == 10
    assert len(turns.next_group(20)) == 11
