"""A linkage attack: joins everything that one role may read, to name the authors of responses.

It knows only JSON, CSV and Prometheus text. It splits bodies into records. A record that names a
person gives columns of persons. A record with a response gives columns of responses.

The columns are instants, numbers, places in a list, and the time in a UUIDv7. A further column
holds the moments at which a record appeared, changed or vanished since the body before.

Every column of persons is joined with every column of responses.
"""

import csv
import io
import json
import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise, product
from typing import Any
from uuid import UUID

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
OWN_ID = re.compile(r"[0-9a-f-]{36}")
TOKEN = re.compile(r"word[0-9a-f]{12}")
UUID7 = 7
MAX_STEP = 50
"""Maximum step of a counter that may count responses."""

MIN_MOMENTS = 2
"""Minimum number of different moments that form an order."""

Column = dict[str, tuple[float, ...]]
"""Values by person or response, in the order of their observation."""


def token(number: int) -> str:
    """Return the content of a response. The test looks up its author by this alone."""
    return f"word{number:012x}"


def parsed(content_type: str, text: str) -> Any:
    """Return a body as JSON values, from any format."""
    if "json" in content_type and "jsonl" not in content_type and "ndjson" not in content_type:
        return json.loads(text)
    if "text/csv" in content_type:
        return {"rows": list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))}
    if "text/plain" in content_type:
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}
    return {"rows": [json.loads(line) for line in text.splitlines()]}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, f"{name}.{key}")
    elif isinstance(value, list):
        for each in value:
            if not isinstance(each, dict):
                yield from _leaves(each, name)
    else:
        yield name, value


def _records(value: Any, name: str = "") -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield (place, index, leaves) of each object in a list, and of the whole body."""
    if isinstance(value, dict):
        if not name:
            yield name, -1, {key: leaf for key, leaf in _leaves(value) if not isinstance(leaf, list)}
        for key, each in value.items():
            yield from _records(each, f"{name}/{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, dict):
                yield f"{name}[]", index, dict(_leaves(each))
                yield from _records(each, f"{name}[]")


def _numbers(leaf: Any) -> Iterator[tuple[str, float]]:
    """Yield the values of a leaf as (kind, number)."""
    if isinstance(leaf, bool) or leaf is None:
        return
    if isinstance(leaf, int | float):
        yield "number", float(leaf)
    elif INSTANT.fullmatch(str(leaf)):
        yield "time", datetime.fromisoformat(leaf).timestamp()
    else:
        try:
            found = UUID(str(leaf))
        except ValueError:
            return
        if found.version == UUID7:
            yield "time", (found.int >> 80) / 1_000


@dataclass
class Sight:
    """The bodies that one role read at one moment (s), by URL."""

    at_s: float
    bodies: dict[str, Any]


@dataclass
class Evidence:
    """Columns of persons and of responses, and their links.

    `claims` are records that name both; `counters` rise at some moments.
    """

    people: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    answers: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    claims: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    counters: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))


def gather(sights: Iterable[Sight], people: dict[str, str]) -> Evidence:
    """Return the evidence in bodies.

    `people` maps the names and ids of persons, as bodies show them, to persons.
    """
    reader = _Reader(people)
    for sight in sights:
        for address, body in sight.bodies.items():
            reader.read(address, body, sight.at_s)
    return reader.found


class _Reader:
    """A reader of one role's bodies in order.

    It stores the body before of each URL, and the responses of ids.
    """

    def __init__(self, people: dict[str, str]) -> None:
        self.found = Evidence()
        self._people = people
        self._answers: dict[str, str] = {}
        self._before: dict[str, dict[tuple[str, str, str], str]] = {}

    def read(self, address: str, body: Any, at_s: float) -> None:
        """Split a body into records, and note which appeared, changed or vanished."""
        now: dict[tuple[str, str, str], str] = defaultdict(str)
        for place, index, leaves in _records(body):
            self._record(f"{address} {place}", index, leaves, now, at_s)
        old = self._before.get(address)
        for key in old.keys() | now.keys() if old is not None else ():
            if old is not None and old.get(key) != now.get(key):
                kind, place, who = key
                self._table(kind)["moment", f"{place} changed"][who].append(at_s)
        self._before[address] = now

    def _record(self, place: str, index: int, leaves: dict[str, Any], now: dict[tuple[str, str, str], str], at_s: float) -> None:
        texts = [str(leaf) for leaf in leaves.values()]
        persons = {self._people[text] for text in texts if text in self._people}
        words = {word for text in texts for word in TOKEN.findall(text)} | {
            self._answers[text] for text in texts if text in self._answers
        }
        if not (persons or words):
            self._count(place, index, leaves, at_s)
        if len(words) == 1:
            self._answers.update(dict.fromkeys((text for text in texts if _is_own_id(leaves, text)), next(iter(words))))
        for persona, word in product(persons, words):
            self.found.claims[place][word].add(persona)
        for kind, group in (("person", persons), ("answer", words)):
            if len(group) == 1:
                (who,) = group
                now[kind, place, who] += repr(sorted(leaves.items(), key=str))
                _note(self._table(kind), place, who, index, leaves)

    def _table(self, kind: str) -> dict[tuple[str, str], dict[str, list[float]]]:
        return self.found.people if kind == "person" else self.found.answers

    def _count(self, place: str, index: int, leaves: dict[str, Any], at_s: float) -> None:
        for name, leaf in leaves.items() if index < 0 else ():
            for _, number in _numbers(leaf):
                self.found.counters[f"{place}{name}"].append((at_s, number))


def _note(table: dict[tuple[str, str], dict[str, list[float]]], place: str, who: str, index: int, leaves: dict[str, Any]) -> None:
    table["place", f"{place} #"][who].append(float(index))
    for name, leaf in leaves.items():
        for sort, number in _numbers(leaf):
            values = table[sort, f"{place}{name}"][who]
            if not values or values[-1] != number:
                values.append(number)


def _is_own_id(leaves: dict[str, Any], text: str) -> bool:
    names = [name for name, leaf in leaves.items() if leaf == text and "activity" not in name]
    return bool(OWN_ID.fullmatch(text)) and any(name.endswith((".id", "id")) for name in names)


def _columns(table: dict[tuple[str, str], dict[str, list[float]]]) -> dict[str, list[tuple[str, Column]]]:
    """Return distinct columns with more than one value, by kind."""
    seen: set[Any] = set()
    columns: dict[str, list[tuple[str, Column]]] = defaultdict(list)
    for (sort, name), rows in table.items():
        for way, pick in (("", tuple), (" first", lambda v: (v[0],)), (" last", lambda v: (v[-1],))):
            column = {who: pick(values) for who, values in rows.items()}
            kind = "time" if sort in {"time", "moment"} else sort
            mark = (kind, tuple(sorted(column.items())))
            if len(set(column.values())) > 1 and mark not in seen:
                seen.add(mark)
                columns[kind].append((name + way, column))
    return columns


Guesses = dict[str, str]
"""The guessed person of each response; a strategy need not guess for all."""


def strategies(found: Evidence) -> Iterator[tuple[str, Guesses]]:
    """Yield the guesses of each pair of columns."""
    for place, claims in found.claims.items():
        yield f"one record: {place}", {word: next(iter(who)) for word, who in claims.items() if len(who) == 1}
    people, answers = _columns(found.people), _columns(found.answers)
    for a_kind, a_columns in answers.items():
        for a_name, answered in a_columns:
            for p_kind, p_columns in people.items():
                for p_name, persons in p_columns:
                    pair = f"{p_name} × {a_name}"
                    yield f"order: {pair}", _by_order(persons, answered)
                    yield f"reverse order: {pair}", _by_order(persons, {who: (-v[-1],) for who, v in answered.items()})
                    if a_kind == p_kind:
                        yield f"nearest: {pair}", _nearest(persons, answered, abs)
                        yield f"nearest before: {pair}", _nearest(persons, answered, lambda gap: gap if gap >= 0 else math.inf)
                        yield f"same: {pair}", _nearest(persons, answered, lambda gap: 0.0 if gap == 0 else math.inf)
    yield from _by_counts(found, people, answers)


def _by_order(persons: Column, answered: Column) -> Guesses:
    """Match the n-th person with the n-th response.

    Only columns of equal length and without repeated values match.
    """
    if len(persons) != len(answered) or len({v[-1] for v in persons.values()}) < len(persons):
        return {}
    if len({v[-1] for v in answered.values()}) < len(answered):
        return {}
    return dict(zip(sorted(answered, key=lambda a: answered[a][-1]), sorted(persons, key=lambda p: persons[p][-1]), strict=True))


def _nearest(persons: Column, answered: Column, distance: Any) -> Guesses:
    """Match each response with the person with the nearest value, if it is one person."""
    flat = sorted((value, who) for who, values in persons.items() for value in values)
    guesses = {}
    for word, values in answered.items():
        at = values[0]
        place = bisect_left(flat, (at, ""))
        near = [(distance(at - value), who) for value, who in flat[max(0, place - 3) : place + 4]]
        best = min((gap for gap, _ in near), default=math.inf)
        whose = {who for gap, who in near if gap == best}
        if best < math.inf and len(whose) == 1:
            guesses[word] = whose.pop()
    return guesses


def _by_counts(found: Evidence, people: dict[str, Any], answers: dict[str, Any]) -> Iterator[tuple[str, Guesses]]:
    """Match the n-th response of an order with the nearest person at a counter's n-th rise."""
    orders = [(name, column) for kind in ("place", "time", "number") for name, column in answers.get(kind, ())]
    seen: set[Any] = set()
    for counter, series in found.counters.items():
        steps = [(at, new - old) for (_, old), (at, new) in pairwise(series) if old < new]
        rises = [at for at, step in steps for _ in range(round(min(step, MAX_STEP)))]
        if len(set(rises)) < MIN_MOMENTS or tuple(rises) in seen:
            continue
        seen.add(tuple(rises))
        for name, column in orders:
            words = sorted(column, key=lambda word: column[word][-1])
            if len(words) == len(rises) and len({v[-1] for v in column.values()}) == len(column):
                moments = {word: (at,) for word, at in zip(words, rises, strict=True)}
                for p_name, persons in people.get("time", ()):
                    yield f"count: {counter} by {name} × {p_name}", _nearest(persons, moments, abs)


@dataclass
class Score:
    """The number of guesses of a strategy, and of correct ones."""

    claims: int = 0
    right: int = 0


@dataclass
class Attack:
    """Scores of all strategies over many rounds."""

    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))

    def learn(self, found: Evidence, authors: dict[str, str]) -> None:
        """Count one round; `authors` maps responses to their authors."""
        for name, guesses in strategies(found):
            score = self.scores[name]
            score.claims += len(guesses)
            score.right += sum(authors.get(word) == who for word, who in guesses.items())

    def leaks(self, one_in: int, confidence: float = 0.99) -> dict[str, Score]:
        """Return strategies that are right more often than once in `one_in`.

        The confidence is joint over all strategies that were tried.
        """
        bound = (1 - confidence) / max(1, len(self.scores))
        return {
            name: each for name, each in self.scores.items() if each.claims and tail(each.claims, each.right, 1 / one_in) < bound
        }


def tail(trials: int, hits: int, chance: float) -> float:
    """Return the probability of at least `hits` hits in `trials` trials (binomial)."""
    if hits <= trials * chance:
        return 1.0
    logs = (
        math.lgamma(trials + 1)
        - math.lgamma(n + 1)
        - math.lgamma(trials - n + 1)
        + n * math.log(chance)
        + (trials - n) * math.log1p(-chance)
        for n in range(hits, trials + 1)
    )
    return math.fsum(math.exp(each) for each in logs)
