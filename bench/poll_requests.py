"""Requests of the poll suite for one scenario, with the expected responses."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.blocking_connection import PREFIX, BlockingConnection
from bench.client import BenchmarkError, request_bytes
from bench.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.servers import Server

PAGE = 100
SETTLE_S = 6.0
"""Longest age of participants' counts, s. Tags change once more until then after the last write."""


@dataclass(frozen=True, slots=True)
class PollRequest:
    """One kind of poll: requests to send in turn, expected status and size of the response body."""

    key: str
    name: str
    requests: Sequence[bytes]
    status: int
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scenario without further writes, and the addresses of its feed."""

    scenario: Scenario
    about: str
    newest: str
    before_newest: str


def prepare(scenario: Scenario) -> Prepared:
    """Send more answers than a page holds, from existing seats.

    Call `wait_for_snapshot` before you poll.
    """
    activity = scenario.open_activity("many")
    about = f"{PREFIX}{scenario.path}/activities/{activity}"
    answers = scenario.answers(activity, [token for _, token in scenario.seats])
    with scenario.server.connect() as line:
        for request in (answers * (PAGE // len(answers) + 1))[:-1]:
            line.timed(request, 201)
        before = _newest(scenario, about)
        line.timed(answers[-1], 201)
    return Prepared(scenario, about, _newest(scenario, about), before)


def wait_for_snapshot() -> None:
    """Wait until participants' counts no longer change."""
    time.sleep(SETTLE_S)


def poll_requests(prepared: Prepared) -> list[PollRequest]:
    """Return the polls of a scenario."""
    scenario, feed = prepared.scenario, f"{prepared.about}/responses/since"
    tokens, hosts = [token for _, token in scenario.seats], [scenario.host]
    with scenario.server.connect() as line:
        return [
            *_both(line, "session", f"{PREFIX}{scenario.path}/status", tokens),
            *_both(line, "activity", f"{prepared.about}/status", tokens),
            _poll_request(line, "since-nothing", "responses since, nothing new", f"{feed}/{prepared.newest}", hosts),
            _poll_request(line, "since-one", "responses since, 1 new", f"{feed}/{prepared.before_newest}", hosts),
            _poll_request(line, "results", "results", f"{prepared.about}/results", hosts),
            _poll_request(line, "since-page", f"responses since, page of {PAGE}", f"{feed}/0?limit={PAGE}", hosts),
        ]


def known_status(scenario: Scenario) -> PollRequest:
    """Return the most frequent poll: the session's status, unchanged."""
    with scenario.server.connect() as line:
        return _both(line, "session", f"{PREFIX}{scenario.path}/status", [token for _, token in scenario.seats])[1]


def response_bytes(server: Server, request: PollRequest) -> int:
    """Send one request and return the bytes of the response.

    Another response ends the benchmark.
    """
    with server.connect() as line:
        status, body = line.send(request.requests[0])
        if (status, len(body)) != (request.status, request.size):
            message = (
                f"{server.name}, {request.name}: expected {request.status} with {request.size} B, got {status} with {len(body)} B"
            )
            raise BenchmarkError(message)
        return len(line.last_head) + 4 + len(body)


def _newest(scenario: Scenario, about: str) -> str:
    with scenario.server.connect(scenario.host) as line:
        return line.call("GET", f"{about.removeprefix(PREFIX)}/responses/since/now")["cursor"]


def _both(line: BlockingConnection, what: str, path: str, tokens: list[str]) -> tuple[PollRequest, PollRequest]:
    unknown = _poll_request(line, f"{what}-status-200", f"{what} status, 200", path, tokens)
    headers = {"if-none-match": line.header("etag") or ""}
    return unknown, _poll_request(line, f"{what}-status-304", f"{what} status, 304", path, tokens, headers)


def _poll_request(
    line: BlockingConnection, key: str, name: str, path: str, tokens: list[str], headers: dict[str, str] | None = None
) -> PollRequest:
    """Send one request to learn status and size."""
    requests = [request_bytes("GET", path, token=token, headers=headers) for token in tokens]
    status, body = line.send(requests[0])
    expected = 304 if headers else 200
    if status != expected:
        message = f"{name}: expected {expected}, got {status}: {body[:300]!r}"
        raise BenchmarkError(message)
    return PollRequest(key, name, requests, status, len(body))
