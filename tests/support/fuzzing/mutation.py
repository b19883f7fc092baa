"""Seeded damage to valid requests, like that of attackers, broken clients and broken proxies."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.support.fuzzing.cases import Case
from tests.support.fuzzing.dictionary import HEADERS, JSON_VALUES, METHODS, PIECES, QUERY, SEGMENTS
from tests.support.hostile import WHOLE

_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[^\x00-\x20\x7f-\xff]+")


def mutated(seeds: list[Case], seed: str, index: int) -> Case:
    """Return case `index` of a seed; it never changes and does not depend on other cases."""
    random = Random(f"{seed}/{index}")
    case = random.choice(seeds)
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3))):
        case = random.choices(*_WAYS_AND_WEIGHTS)[0](case, random, seeds)
    return case


def sendable(case: Case) -> bool:
    """Return whether an HTTP parser would accept this head.

    Heads that are not HTTP belong to the tests over sockets.
    """
    names = all(_FIELD.fullmatch(name) and not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value) for name, value in case.headers)
    return bool(names and _FIELD.fullmatch(case.method) and _TARGET.fullmatch(case.target))


def _value(case: Case, random: Random, seeds: list[Case]) -> Case:
    """Replace a value by another."""
    spans = [match.span() for match in _VALUE.finditer(case.body)]
    if not spans:
        return _query(case, random, seeds)
    start, end = random.choice(spans)
    value = random.choice(JSON_VALUES)
    return replace(case, body=case.body[:start] + value + case.body[end:])


def _member(case: Case, random: Random, seeds: list[Case]) -> Case:
    """Add a duplicate member, in any spelling, or an unknown one."""
    names = [match[0] for match in _VALUE.finditer(case.body) if match[0].startswith(b'"')] or [b'"x"']
    name = random.choice(
        [*names, b'"a"', b'"unknown"', b'"participant_id"', b'"response_data"', b'"\\u0061"', b'""', b'"' + b"k" * 128 + b'"']
    )
    at = random.choice([match.start() + 1 for match in re.finditer(rb"\{", case.body)] or [0])
    return replace(case, body=case.body[:at] + name + b":" + random.choice(JSON_VALUES) + b"," + case.body[at:])


def damaged(text: bytes, random: Random) -> bytes:
    """Return the bytes with a part inserted, removed, doubled, changed or cut off."""
    at = random.randrange(len(text) + 1)
    to = min(len(text), at + random.choice((1, 1, 2, 7, 40)))
    return random.choice((
        lambda: text[:at] + random.choice(PIECES) + text[at:],
        lambda: text[:at] + random.choice(PIECES) + text[to:],
        lambda: text[:at] + text[to:],
        lambda: text[:at] + text[at:to] * random.choice((2, 3, 50)) + text[to:],
        lambda: text[:at] + bytes([random.randrange(256)]) + text[at + 1 :],
        lambda: text[:at],
    ))()  # fmt: skip


def _body(case: Case, random: Random, seeds: list[Case]) -> Case:
    return replace(case, body=damaged(case.body, random))


def _other_body(case: Case, random: Random, seeds: list[Case]) -> Case:
    return replace(case, body=random.choice((*WHOLE, random.choice(seeds).body, random.choice(JSON_VALUES))))


def _wrapped(case: Case, random: Random, seeds: list[Case]) -> Case:
    levels = random.choice((1, 5, 31, 33, 400, 2_000))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    spans = [match.span() for match in _VALUE.finditer(case.body)] or [(0, len(case.body))]
    start, end = random.choice(spans)
    return replace(case, body=case.body[:start] + opening * levels + case.body[start:end] + closing * levels + case.body[end:])


def _header(case: Case, random: Random, seeds: list[Case]) -> Case:
    name, value = random.choice(HEADERS)
    kept = tuple(each for each in case.headers if each[0] != name or random.random() < 0.2)
    return replace(case, headers=(*kept, (name, value)))


def _broken_header(case: Case, random: Random, seeds: list[Case]) -> Case:
    if not case.headers:
        return case
    at = random.randrange(len(case.headers))
    name, value = case.headers[at]
    changed = random.choice(((), ((name, damaged(value, random)),), ((name, value),) * 2, ((damaged(name, random), value),)))
    return replace(case, headers=case.headers[:at] + changed + case.headers[at + 1 :])


def _segment(case: Case, random: Random, seeds: list[Case]) -> Case:
    path, mark, query = case.target.partition(b"?")
    parts = path.split(b"/")
    parts[random.randrange(len(parts))] = random.choice(SEGMENTS)
    return replace(case, target=b"/".join(parts) + mark + query)


def _query(case: Case, random: Random, seeds: list[Case]) -> Case:
    path, _, query = case.target.partition(b"?")
    fields = [*([query] if query and random.random() < 0.5 else []), *random.choices(QUERY, k=random.choice((1, 1, 2)))]
    return replace(case, target=path + b"?" + b"&".join(fields))


def _target(case: Case, random: Random, seeds: list[Case]) -> Case:
    return replace(case, target=damaged(case.target, random))


def _method(case: Case, random: Random, seeds: list[Case]) -> Case:
    return replace(case, method=random.choice(METHODS))


def _pieces(case: Case, random: Random, seeds: list[Case]) -> Case:
    return replace(case, piece=random.choice((1, 7, 64)))


Way = Callable[[Case, Random, list[Case]], Case]
_WAYS: dict[Way, int] = {
    _value: 8, _member: 3, _body: 5, _other_body: 1, _wrapped: 2, _header: 4, _broken_header: 2, _segment: 4, _query: 3, _target: 2,
    _method: 1, _pieces: 1,
}  # fmt: skip
_WAYS_AND_WEIGHTS = (list(_WAYS), list(_WAYS.values()))
