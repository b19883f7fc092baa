"""`/metrics` compared with the requests of the test."""

import asyncio

import pytest

from conflicto.platform.metrics.definitions import METRICS
from conflicto.platform.metrics.deprecated import OLD_NAMES
from conflicto.platform.metrics.route_metrics import route_metrics
from tests.support.api import Api, make_event
from tests.support.checks import accepted, eventually, refused
from tests.support.scrape import Samples, grown, parse
from tests.support.wire import connected, get, listening


async def test_invalid_requests_are_counted(api: Api) -> None:
    before = await scrape(api)

    async with listening(api.app) as port:
        for _ in range(2):
            async with connected(port) as line:
                await line.send(b"this is not HTTP\r\n\r\n")
                assert b"not-http" in await line.rest()

    assert grown(before, await scrape(api), "conflicto_problems_total", "other", "unknown", "not-http") == 2


ACTIONS = {
    "conflicto_activities_total": {
        "active", "create", "delete", "extend", "focus", "new_round", "page", "patch", "read", "replace", "reset", "reveal",
        "set_status", "transition",
    },
    "conflicto_polls_total": {
        "activity_status", "changes_since", "events", "leaderboard", "responses_since", "results", "session_status",
    },
    "conflicto_responses_total": {"delete", "edit", "moderate", "submit"},
}  # fmt: skip
"""First labels that dashboards of operators query. They come from names of functions in Python."""


async def test_a_renamed_function_does_not_rename_a_label(api: Api) -> None:
    found: dict[str, set[str]] = {}
    for each in route_metrics(api.app.edge.routes).values():
        found.setdefault(each.metric.name, set()).add(each.label)

    assert found == ACTIONS


ONLY_WITH_REDIS = {"conflicto_redis_up", "conflicto_pubsub_connected", "conflicto_doorbells"}
ONLY_WITH_WORKERS = {"conflicto_supervisor_resident_memory_bytes", "conflicto_supervisor_memory_bytes"}


async def scrape(api: Api) -> Samples:
    return parse((await api.get("/metrics", token=api.admin)).text)


async def test_responses_are_counted_as_accepted_and_as_refused_with_the_reason(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    before = await scrape(api)

    accepted(await event.answer(poll, anna, 1), 201)
    accepted(await event.answer(poll, anna, 2))
    await event.move(poll, "expired")
    refused(await event.answer(poll, anna, 3), 409, "activity-not-open")
    after = await scrape(api)

    assert grown(before, after, "conflicto_responses_total", "submit", "accepted") == 2
    assert grown(before, after, "conflicto_responses_total", "submit", "refused") == 1
    route = "/api/v1/sessions/{session_id}/activities/{activity_id}/responses"
    assert grown(before, after, "conflicto_problems_total", "POST", route, "activity-not-open") == 1
    assert grown(before, after, "conflicto_request_body_bytes_count") == 4
    assert grown(before, after, "conflicto_commits_total") == 4, "a refusal by the writer has a transaction too"
    assert grown(before, after, "conflicto_commit_commands_sum") == 4
    assert grown(before, after, "conflicto_commit_seconds_count") == 4
    assert grown(before, after, "conflicto_feed_lag_seconds_count") == 3
    assert 0 < grown(before, after, "conflicto_commit_seconds_sum") < 10


async def test_activities_are_counted_by_action_with_refusals_of_the_framework(api: Api) -> None:
    event = await make_event(api)
    before = await scrape(api)

    poll = await event.activity()
    path = f"{event.path}/activities/{poll['id']}"
    accepted(await api.patch(path, {"title": "Lunch?"}, token=event.host))
    refused(await api.patch(path, {"title": 7}, token=event.host), 422, "invalid-input")
    accepted(await api.delete(path, token=event.host), 204)
    after = await scrape(api)

    for action, outcome in (("create", "accepted"), ("patch", "accepted"), ("patch", "refused"), ("delete", "accepted")):
        assert grown(before, after, "conflicto_activities_total", action, outcome) == 1, (action, outcome)
    route = "/api/v1/sessions/{session_id}/activities/{activity_id}"
    assert grown(before, after, "conflicto_problems_total", "PATCH", route, "invalid-input") == 1


@pytest.mark.in_process
async def test_polls_are_counted_by_kind_outcome_and_path(api: Api) -> None:
    event = await make_event(api)
    await event.activity(status="active")
    before = await scrape(api)

    tag = (await api.get(f"{event.path}/status", token=event.host)).headers["etag"]
    for _ in range(3):
        assert (await api.get(f"{event.path}/status", token=event.host, headers={"if-none-match": tag})).status_code == 304
    after = await scrape(api)

    kinds = {labels for name, labels in after if name == "conflicto_polls_total" and labels[0] == "session_status"}
    samples = {labels[1:]: grown(before, after, "conflicto_polls_total", *labels) for labels in kinds}
    assert samples["accepted", "slow"] == 1
    assert samples["unchanged", "fast"] == 3


@pytest.mark.in_process
async def test_one_of_64_fast_responses_is_timed_by_route(api: Api) -> None:
    event = await make_event(api)
    path, route = f"{event.path}/status", "/api/v1/sessions/{session_id}/status"
    request = get(path, event.host)
    async with listening(api.app) as port, connected(port) as line:
        for _ in range(129):
            await line.send(request)
            assert (await line.answer())[0] == 200
    samples = await scrape(api)

    assert samples["conflicto_fast_path_seconds_count", (route,)] == 2
    assert samples["conflicto_fast_path_seconds_sum", (route,)] > 0


async def test_a_long_poll_is_counted_as_waiting_and_then_by_its_outcome(api: Api) -> None:
    event = await make_event(api)
    cursor = accepted(await api.get(f"{event.path}/changes/since/now", token=event.host))["cursor"]
    before = await scrape(api)

    wait = asyncio.create_task(api.get(f"{event.path}/changes/since/{cursor}?wait=20", token=event.host))

    async def held() -> bool:
        return api.app.edge.long_poll.waiting == 1

    await eventually(held)
    assert (await scrape(api))["conflicto_long_polls_waiting", ()] == 1
    await event.activity()
    await wait
    after = await scrape(api)

    assert after["conflicto_long_polls_waiting", ()] == 0
    assert grown(before, after, "conflicto_long_polls_total", "told") == 1


async def test_every_metric_of_the_table_is_exposed_and_no_other(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    await event.answer(poll, anna, 1)
    refused(await event.answer(poll, anna, 1, headers={"idempotency-key": "a" * 500}), 400, "idempotency-key-invalid")
    await api.get(f"{event.path}/status", token=event.host)
    await api.get(f"{event.path}/status?wait=1", token=event.host)

    text = (await api.get("/metrics", token=api.admin)).text

    samples = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert samples == {*(metric.name for metric in METRICS), *OLD_NAMES} - ONLY_WITH_REDIS - ONLY_WITH_WORKERS
    values = await scrape(api)
    assert values["conflicto_pool_limit", ()] >= values["conflicto_pool_open", ()] >= values["conflicto_pool_used", ()] >= 0
    assert values["conflicto_query_seconds_count", ()] > 0
    assert values["conflicto_workers", ()] == 1


async def test_known_vulnerabilities_of_the_interpreter_are_exposed_to_operators_only(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.platform.interpreter.vulnerabilities.running_version", lambda: (3, 11, 7))
    metrics = (await api.get("/metrics", api.admin)).text
    assert 'conflicto_interpreter_vulnerabilities{state="guarded"} 2.0' in metrics
    assert 'conflicto_interpreter_vulnerabilities{state="exposed"} 0.0' in metrics
    assert "3.11" not in (await api.get("/health/ready")).text


async def test_times_are_exposed_by_route_and_unknown_paths_share_one(api: Api) -> None:
    event = await make_event(api)
    for index in range(3):
        await api.get(f"/nothing/{index}")
    accepted(await api.get(event.path, token=event.host))

    samples = parse((await api.get("/metrics", token=api.admin)).text)
    counted = {labels: number for (name, labels), number in samples.items() if name == "conflicto_request_seconds_count"}

    assert counted["GET", "/api/v1/sessions/{session_id}"] == 1
    assert counted["GET", "unknown"] == 3
