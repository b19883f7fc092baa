"""What the polls ask: one kind of request after the other, made for one stage, with what must come back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import BenchFailed, request_bytes
from bench.line import PREFIX, Line
from bench.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.servers import Server

PAGE = 100
SETTLE_S = 6.0
"""Participants are shown counts at most 5 s old: after the last write, answers and tags change once more until then."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of poll: the requests to send in turn, and the status and the size of the body that answers each."""

    key: str
    name: str
    requests: Sequence[bytes]
    status: int
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stage to which nothing is written any more, and the addresses of its feed."""

    stage: Stage
    about: str
    newest: str
    before_newest: str


def prepare(stage: Stage) -> Prepared:
    """Let the seats, which must be there, send more answers than a page holds; ask only after `settle`."""
    activity = stage.open_activity("many")
    about = f"{PREFIX}{stage.path}/activities/{activity}"
    answers = stage.answers(activity, [token for _, token in stage.seats])
    with stage.server.line() as line:
        for request in (answers * (PAGE // len(answers) + 1))[:-1]:
            line.timed(request, 201)
        before = _newest(stage, about)
        line.timed(answers[-1], 201)
    return Prepared(stage, about, _newest(stage, about), before)


def settle() -> None:
    """Wait until participants' counts no longer change."""
    time.sleep(SETTLE_S)


def every_ask(prepared: Prepared) -> list[Ask]:
    """Return the polls of a stage."""
    stage, feed = prepared.stage, f"{prepared.about}/responses/since"
    tokens, hosts = [token for _, token in stage.seats], [stage.host]
    with stage.server.line() as line:
        return [
            *_both(line, "session", f"{PREFIX}{stage.path}/status", tokens),
            *_both(line, "activity", f"{prepared.about}/status", tokens),
            _ask(line, "since-nothing", "responses since, nothing new", f"{feed}/{prepared.newest}", hosts),
            _ask(line, "since-one", "responses since, 1 new", f"{feed}/{prepared.before_newest}", hosts),
            _ask(line, "results", "results", f"{prepared.about}/results", hosts),
            _ask(line, "since-page", f"responses since, page of {PAGE}", f"{feed}/0?limit={PAGE}", hosts),
        ]


def known_status(stage: Stage) -> Ask:
    """Return the poll that almost everybody sends almost always: the session's status, which has not changed."""
    with stage.server.line() as line:
        return _both(line, "session", f"{PREFIX}{stage.path}/status", [token for _, token in stage.seats])[1]


def answer_bytes(server: Server, ask: Ask) -> int:
    """Ask once, and return how long the answer is on the wire; another answer than the expected one ends the bench."""
    with server.line() as line:
        status, body = line.send(ask.requests[0])
        if (status, len(body)) != (ask.status, ask.size):
            message = f"{server.name}, {ask.name}: expected {ask.status} with {ask.size} B, got {status} with {len(body)} B"
            raise BenchFailed(message)
        return len(line.last_head) + 4 + len(body)


def _newest(stage: Stage, about: str) -> str:
    with stage.server.line(stage.host) as line:
        return line.call("GET", f"{about.removeprefix(PREFIX)}/responses/since/now")["cursor"]


def _both(line: Line, what: str, path: str, tokens: list[str]) -> tuple[Ask, Ask]:
    unknown = _ask(line, f"{what}-status-200", f"{what} status, 200", path, tokens)
    headers = {"if-none-match": line.header("etag") or ""}
    return unknown, _ask(line, f"{what}-status-304", f"{what} status, 304", path, tokens, headers)


def _ask(line: Line, key: str, name: str, path: str, tokens: list[str], headers: dict[str, str] | None = None) -> Ask:
    """Ask once, to learn status and size."""
    requests = [request_bytes("GET", path, token=token, headers=headers) for token in tokens]
    status, body = line.send(requests[0])
    expected = 304 if headers else 200
    if status != expected:
        message = f"{name}: expected {expected}, got {status}: {body[:300]!r}"
        raise BenchFailed(message)
    return Ask(key, name, requests, status, len(body))
