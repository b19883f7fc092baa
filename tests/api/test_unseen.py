"""Anonymous answers change neither metrics nor logs before their release."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from structlog.testing import capture_logs

from conflicto.app import App
from conflicto.platform.db import timed_cursors
from conflicto.platform.metrics.deferred_requests import MAX_TIMES, DeferredRequests
from conflicto.settings import Settings
from tests.support import pools
from tests.support.api import Api, Event, Seat
from tests.support.checks import accepted
from tests.support.clocks import HandClock
from tests.support.pools import answer_all, open_pool, tick
from tests.support.queries import counted_statements
from tests.support.scrape import Samples, grown, parse

pytestmark = pytest.mark.in_process

SUBMIT = "/api/v1/sessions/{session_id}/activities/{activity_id}/responses"
METRICS = ("GET", "/metrics", "200")

OF_THE_PROCESS = {
    "conflicto_uptime_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total", "conflicto_event_loop_lag_seconds",
    "conflicto_writer_queue", "conflicto_pool_used", "conflicto_pool_open", "conflicto_memory_bytes", "conflicto_cpu_seconds_total",
}  # fmt: skip
"""Metrics that change with any work, including the pool's tick every 5 s."""


@pytest.fixture(autouse=True)
def virtual_time(undisturbed: None, monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    pools.shift_database(monkeypatch, clock)


@pytest.fixture(autouse=True)
def every_statement_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Advance the stopwatch of statements by a second at each reading."""
    monkeypatch.setattr(timed_cursors, "perf_counter", count().__next__)


@pytest.fixture
async def app(settings: Settings, clock: HandClock) -> AsyncIterator[App]:
    with capture_logs() as lines:
        async with App(settings.model_copy(update={"access_log": True}), clock=clock).running() as running:
            running.log_lines = lines
            yield running


@pytest.fixture
async def api(app: App) -> AsyncIterator[Api]:
    api = Api(app)
    yield api
    await api.http.aclose()


async def scrape(api: Api) -> Samples:
    """Return the metrics without process figures and the counts of this request."""
    families = parse((await api.get("/metrics", token=api.admin)).text)
    return {
        key: value
        for key, value in families.items()
        if key[0] not in OF_THE_PROCESS
        and not key[0].startswith("conflicto_event_loop_late")
        and key[1] != METRICS
        and not (key[0].startswith("conflicto_request_seconds") and key[1][0] == "GET")
    }


def lines_of(app: App) -> list[dict[str, Any]]:
    """Return the log without requests for metrics and without the order of ids."""
    return [line for line in app.log_lines if line.get("route") != "/metrics"]


async def polled(event: Event, seat: Seat, cursor: str, *, wait: bool = False) -> tuple[int, str]:
    """Poll like a phone, and return the status and the next cursor."""
    found = await event.api.get(f"{event.path}/changes/since/{cursor}" + ("?wait=1" if wait else ""), token=seat.token)
    assert found.status_code in {200, 304}
    return found.status_code, found.headers["feed-cursor"]


async def test_before_the_release_no_metric_and_no_log_line_reveals_an_answer(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 6)
    cursor = accepted(await api.get(f"{event.path}/changes/since/0", token=seats[0].token))["cursor"]
    before, lines = await scrape(api), lines_of(app)

    sent = accepted(await event.answer(poll, seats[0], {"a": 1}), 201)
    accepted(await event.answer(poll, seats[1], {"a": 2}, headers={"idempotency-key": "k1"}), 201)
    accepted(await event.answer(poll, seats[1], {"a": 2}, headers={"idempotency-key": "k1"}), 201)
    one = f"{event.path}/activities/{poll['id']}/responses/{sent['id']}"
    accepted(await api.put(one, {"response_data": {"a": 3}}, token=seats[0].token))
    accepted(await api.delete(one, token=seats[0].token), 204)
    for _ in range(2):
        await tick(app, clock)
    after = await scrape(api)
    assert [line for line in lines if line["event"] == "slow-query"]
    moved = {key: (before.get(key), value) for key, value in after.items() if before.get(key) != value}

    assert lines_of(app)[len(lines) :] == []
    assert moved == {}
    status, cursor = await polled(event, seats[0], cursor)
    assert status == 200
    await polled(event, seats[0], cursor)
    after = await scrape(api)
    assert (
        grown(before, after, "conflicto_requests_total", "GET", "/api/v1/sessions/{session_id}/changes/since/{timestamp}", "304")
        == 2
    )
    assert grown(before, after, "conflicto_polls_total", "changes_since", "unchanged", "fast") == 2
    assert lines_of(app) == lines


async def test_a_release_counts_as_many_requests_as_it_released(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 7)
    before = await scrape(api)
    await answer_all(event, poll, seats)

    await tick(app, clock)
    after = await scrape(api)
    assert grown(before, after, "conflicto_responses_total", "submit", "accepted") == 4
    assert grown(before, after, "conflicto_requests_total", "POST", SUBMIT, "201") == 4
    assert grown(before, after, "conflicto_request_seconds_count", "POST", SUBMIT) == 4
    (line,) = [line for line in lines_of(app) if line["event"] == "answers-released"]
    assert line | {"log_level": "info"} == {
        "event": "answers-released", "log_level": "info", "method": "POST", "route": SUBMIT, "answers": 4,
    }  # fmt: skip

    for number, seat in enumerate(seats):
        assert (await event.answer(poll, seat, [number])).status_code in {200, 201}
    accepted(await event.move(poll, "expired"))
    end = await scrape(api)
    assert grown(before, end, "conflicto_requests_total", "POST", SUBMIT, "201") == 7
    assert grown(before, end, "conflicto_requests_total", "POST", SUBMIT, "200") == 4, "edits of released answers"


async def test_answers_under_a_name_and_refused_ones_are_counted_at_once(api: Api, app: App) -> None:
    """The control: without a pool, all of these metrics and lines change."""
    event, poll, seats = await open_pool(api, 2, anonymous=False)
    before, lines = await scrape(api), len(lines_of(app))

    accepted(await event.answer(poll, seats[0], 1), 201)
    after = await scrape(api)

    for name in ("conflicto_request_body_bytes_count", "conflicto_commits_total", "conflicto_committed_events_total"):
        assert grown(before, after, name) >= 1, name
    assert grown(before, after, "conflicto_requests_total", "POST", SUBMIT, "201") == 1
    assert grown(before, after, "conflicto_request_seconds_count", "POST", SUBMIT) == 1
    (line,) = [line for line in lines_of(app)[lines:] if line.get("route") == SUBMIT]
    assert (line["status"], line["address"]) == (201, "127.0.0.1")

    accepted(await event.move(poll, "expired"))
    before = await scrape(api)
    assert (await event.answer(poll, seats[0], 2)).status_code == 409
    assert grown(before, await scrape(api), "conflicto_responses_total", "submit", "refused") == 1


async def test_the_note_that_a_session_is_nearly_full_does_not_move_with_an_answer(
    settings: Settings, clock: HandClock, app: App
) -> None:
    small = settings.model_copy(update={"max_session_bytes": 40_000})
    async with App(small, clock=clock).running() as running:
        api = Api(running)
        event, poll, seats = await open_pool(api, 6)

        async def is_near() -> bool:
            return accepted(await api.get(f"{event.path}/status", token=event.host))["near_cap"]

        assert await is_near() is False
        for seat in seats:
            accepted(await event.answer(poll, seat, "x" * 5_000), 201)
        assert await is_near() is False
        await tick(running, clock)
        assert await is_near() is True
        await api.http.aclose()


async def test_one_query_reads_all_pools(api: Api, app: App) -> None:
    event, poll, seats = await open_pool(api, 1)
    accepted(await event.answer(poll, seats[0], 1), 201)
    with counted_statements(app.platform.db) as few:
        await app.domain.releases.scan()
    others = [await open_pool(api, 1) for _ in range(3)]
    also, open_there, people = others[1]
    accepted(await also.answer(open_there, people[0], 1), 201)
    app.domain.releases._scheduled.clear()
    with counted_statements(app.platform.db) as many:
        await app.domain.releases.scan()

    assert len([each for each in many if "pooled_responses" in each]) == 1
    assert len(many) == len(few)
    assert {str(each) for each in app.domain.releases._scheduled} == {poll["id"], open_there["id"]}


async def test_ids_of_requests_do_not_count_them(api: Api) -> None:
    ids = [(await api.get("/health/live")).headers["x-request-id"] for _ in range(20)]
    assert len({each[:2] for each in ids}) > 5
    assert ids != sorted(ids)


def test_times_that_wait_are_bounded_and_never_more_than_what_is_released() -> None:
    recorded: list[tuple[int, int]] = []

    class Requests:
        def count_responses(self, route: str, method: str, status: int, amount: int, seconds: Any) -> None:
            recorded.append((amount, len(seconds)))

    deferred = DeferredRequests(Requests())
    for number in range(MAX_TIMES + 50):
        deferred.add(number)
    deferred.release("/a", "POST", 201, 3)
    deferred.release("/a", "POST", 200, 0)
    deferred.release("/a", "POST", 201, 5_000)
    deferred.release("/a", "POST", 201, 2)
    assert recorded == [(3, 3), (5_000, MAX_TIMES - 3), (2, 0)]
