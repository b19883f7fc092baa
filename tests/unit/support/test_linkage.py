"""The linkage attack itself: it finds authors in revealing bodies, and none in others."""

from math import comb
from typing import Any

import pytest

from tests.support.linkage import Attack, Sight, gather, parsed, strategies, tail, token

PEOPLE = {"Anna": "Anna", "Bert": "Bert", "Cleo": "Cleo"}
WORDS = {name: token(number) for number, name in enumerate(PEOPLE)}
AUTHORS = {word: name for name, word in WORDS.items()}
UUID_OF_SECOND = "{:08x}-{:04x}-7000-8000-000000000000"


def instant(second: float) -> str:
    return f"2026-11-29T01:00:{second:09.6f}Z"


def named_by(*bodies: dict[str, Any]) -> set[str]:
    """Return the kinds of strategies that name all three authors."""
    found = gather([Sight(1_000.0 + number, body) for number, body in enumerate(bodies)], PEOPLE)
    return {name.partition(":")[0] for name, guesses in strategies(found) if guesses == AUTHORS}


def people_at(*seconds: float) -> dict[str, Any]:
    return {"items": [{"nickname": name, "seen_at": instant(at)} for name, at in zip(PEOPLE, seconds, strict=True)]}


def answers(*order: str, **columns: Any) -> dict[str, Any]:
    return {"items": [{"response_data": WORDS[name], **{key: of[name] for key, of in columns.items()}} for name in order]}


def test_a_record_that_holds_both_is_seen() -> None:
    assert "one record" in named_by({"a": answers(*PEOPLE, nickname={name: name for name in PEOPLE})})


def test_times_that_lie_near_each_other_are_joined() -> None:
    at = {"Anna": instant(7.1), "Bert": instant(3.2), "Cleo": instant(40.4)}
    assert {"nearest", "order"} <= named_by({"p": people_at(7.0, 3.0, 40.0), "a": answers("Cleo", "Anna", "Bert", created_at=at)})


def test_the_time_in_an_id_is_joined() -> None:
    moment_ms = {name: 1_795_914_000_000 + 1_000 * number for number, name in enumerate(("Bert", "Anna", "Cleo"))}
    ids = {name: UUID_OF_SECOND.format(ms >> 16, ms & 0xFFFF) for name, ms in moment_ms.items()}
    assert "order" in named_by({"p": people_at(2, 1, 3), "a": answers("Cleo", "Anna", "Bert", id=ids)})


def test_places_in_lists_are_joined() -> None:
    assert "order" in named_by({"p": people_at(1, 2, 3), "a": answers("Anna", "Bert", "Cleo")})
    assert "reverse order" in named_by({"p": people_at(1, 2, 3), "a": answers("Cleo", "Bert", "Anna")})


def test_what_changes_between_two_bodies_is_joined() -> None:
    bodies = [{"p": people_at(0, 0, 0), "a": answers()}]
    for number in range(1, 4):
        seen = [1.0 * (place < number) for place in range(3)]
        bodies.append({"p": people_at(*seen), "a": answers(*sorted(list(PEOPLE)[:number], reverse=True))})
    assert "same" in named_by(*bodies)


def test_a_count_that_rises_is_joined_with_an_order() -> None:
    counted = [{"n": {"responses": number}, "p": people_at(*(9.0 * (place < number) for place in range(3)))} for number in range(4)]
    assert "count" in named_by(
        *counted, counted[-1] | {"a": answers("Anna", "Bert", "Cleo", order_index={"Anna": 1, "Bert": 2, "Cleo": 3})}
    )


def test_neutral_bodies_identify_nobody() -> None:
    attack = Attack()
    for number in range(60):
        order = [list(PEOPLE)[(number + place) % 3] for place in range(3)]
        body = {"p": people_at(1, 2, 3), "a": answers(*order, created_at=dict.fromkeys(PEOPLE, instant(9)))}
        attack.learn(gather([Sight(1.0, body)], PEOPLE), AUTHORS)
    assert attack.scores
    assert attack.leaks(3) == {}


@pytest.mark.parametrize(("trials", "hits"), [(10, 0), (10, 5), (10, 10), (48, 33)])
def test_the_tail_is_that_of_the_binomial_distribution(trials: int, hits: int) -> None:
    exact = sum(comb(trials, n) * (1 / 3) ** n * (2 / 3) ** (trials - n) for n in range(hits, trials + 1))
    assert tail(trials, hits, 1 / 3) == (pytest.approx(exact) if hits > trials / 3 else 1.0)


def test_bodies_of_every_kind_are_read() -> None:
    assert parsed("application/json", '{"a":1}') == {"a": 1}
    assert parsed("text/csv; charset=utf-8", "\ufeffa,b\r\n1,2\r\n") == {"rows": [{"a": "1", "b": "2"}]}
    assert parsed("text/plain; version=0.0.4", '# HELP x y\nx_total{a="b"} 2.0\n') == {'x_total{a="b"}': 2.0}
    assert parsed("application/jsonl", '{"a":1}\n{"a":2}\n') == {"rows": [{"a": 1}, {"a": 2}]}
