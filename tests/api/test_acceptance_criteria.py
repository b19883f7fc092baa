"""Acceptance criteria of the plan (design §9) that concern the API; each test names its number.

Times are not asserted here, since a busy machine would distort them. `python -m bench` measures
them against the floor.
"""

import asyncio
import json
import re
from itertools import product
from typing import Any

import pytest
from sqlalchemy import inspect, text

from conflicto import migrations
from conflicto.access.roles import Role
from conflicto.app import App
from conflicto.platform.db.engine import Database
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.problems import registry
from conflicto.settings import Settings
from tests.support.api import METRICS_TOKEN, Api, Event, Seat, make_event
from tests.support.checks import accepted, activity_of, refused
from tests.support.clocks import HandClock
from tests.support.patience import PATIENCE_S
from tests.support.queries import counted_statements
from tests.support.shapes import SHAPES
from tests.support.walking import filled, walked
from tools.check_coverage import OVERALL, shortfalls

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def path_of(event: Event, activity: dict[str, Any], below: str = "") -> str:
    return f"{event.path}/activities/{activity['id']}{below}"


async def crowd(event: Event, size: int) -> list[Seat]:
    return list(await asyncio.gather(*(event.join(f"Phone {number}") for number in range(size))))


async def polled(event: Event, activity: dict[str, Any], token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    paths = (f"{event.path}/status", path_of(event, activity, "/status"))
    session, status = [accepted(await event.api.get(path, token=token)) for path in paths]
    return session, status


async def test_criterion_01_session_status_has_status_current_activity_and_participants(api: Api) -> None:
    event = await make_event(api)
    poll, seats = await event.activity(status="active"), await crowd(event, 3)
    for token in (event.host, event.screen, seats[0].token):
        body = accepted(await api.get(f"{event.path}/status", token=token))
        assert (body["session_id"], body["status"], body["current_activity_id"]) == (event.id, "active", poll["id"])
        assert (body["participant_count"], body["shown_activity_id"], body["locked"]) == (3, poll["id"], False)
        assert INSTANT.fullmatch(body["last_updated"])


async def test_criterion_02_activity_status_has_counts_and_timestamps(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active"), await event.join()
    before = (await polled(event, poll, event.host))[1]
    sent = accepted(await event.answer(poll, anna, 1), 201)
    after = (await polled(event, poll, event.host))[1]
    assert (before["response_count"], before["last_response_at"]) == (0, None)
    assert (after["activity_id"], after["status"], after["response_count"]) == (poll["id"], "active", 1)
    assert after["last_response_at"] == after["last_updated"] == sent["updated_at"] > before["last_updated"]


async def test_criterion_03_responses_since_a_timestamp_are_exact(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    rows = [accepted(await event.answer(poll, seat, 1), 201) for seat in await crowd(event, 5)]
    for place, row in enumerate(rows):
        page = accepted(await api.get(path_of(event, poll, f"/responses/since/{row['updated_at']}"), token=event.host))
        assert page["items"] == rows[place + 1 :]
        assert page["count"] == len(page["items"])


@pytest.mark.usefixtures("undisturbed")
async def test_criterion_04_polling_reads_nothing_from_the_database(api: Api) -> None:
    event = await make_event(api)
    poll, seats = await event.activity(status="active", responses_visibility="participants"), await crowd(event, 20)
    tokens = (event.host, event.screen, *(seat.token for seat in seats))
    feeds = (f"{event.path}/changes/since", path_of(event, poll, "/responses/since"))
    requests = [(f"{event.path}/status", token) for token in tokens] + [
        (path_of(event, poll, "/status"), token) for token in tokens
    ]
    for feed, token in product(feeds, tokens):
        page = accepted(await api.get(f"{feed}/0", token=token))
        requests += [(f"{feed}/{page['cursor']}", token)]
    with counted_statements(api.app.platform.db) as seen:
        for _ in range(3):
            polls = await asyncio.gather(*(api.get(path, token=token) for path, token in requests))
            assert {answer.status_code for answer in polls} == {200}
    assert seen == []


async def test_criterion_05_crud_works_with_many_json_structures(api: Api) -> None:
    assert len(SHAPES) >= 10
    event = await make_event(api)
    anna = await event.join()
    for shape in map(json.loads, SHAPES.values()):
        made = await event.activity(config=shape, secret=[shape])
        assert (await activity_of(event, made))["config"] == shape
        changed = accepted(await api.patch(path_of(event, made), {"config": [shape, 1]}, token=event.host))
        assert (changed["config"], changed["secret"]) == ([shape, 1], [shape])
        accepted(await event.move(made, "active"))
        assert accepted(await event.answer(made, anna, shape), 201)["response_data"] == shape
        accepted(await api.delete(path_of(event, made), token=event.host), 204)
        refused(await api.get(path_of(event, made), token=event.host), 404, "not-found")


async def test_criterion_06_polling_agrees_with_every_lifecycle_change(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(), await event.join()
    for status, current in (("published", None), ("active", poll["id"]), ("expired", None), ("active", poll["id"])):
        accepted(await event.move(poll, status))
        for token in (event.host, event.screen, anna.token):
            session, activity = await polled(event, poll, token)
            assert (activity["status"], session["current_activity_id"]) == (status, current)
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    for token in (event.host, event.screen, anna.token):
        session, activity = await polled(event, poll, token)
        assert (session["status"], session["current_activity_id"], activity["status"]) == ("completed", None, "expired")


async def test_criterion_07_fifty_participants_and_a_host_work_side_by_side(api: Api) -> None:
    event = await make_event(api)
    poll, seats = await event.activity(status="active"), await crowd(event, 50)

    async def phone(seat: Seat) -> int:
        for _ in range(4):
            await polled(event, poll, seat.token)
        return (await event.answer(poll, seat, 1)).status_code

    async def host() -> str:
        made = await event.activity(config={"a": 1})
        changed = accepted(await api.patch(path_of(event, made), {"config": {"a": 2}}, token=event.host))
        assert await activity_of(event, made) == changed
        accepted(await api.delete(path_of(event, made), token=event.host), 204)
        return made["id"]

    answers = await asyncio.gather(*(phone(seat) for seat in seats), *(host() for _ in range(5)))
    assert answers[:50] == [201] * 50
    assert len(set(answers[50:])) == 5
    assert (await polled(event, poll, event.host))[1]["response_count"] == 50


async def test_criterion_08_the_next_poll_shows_an_update_and_is_due_within_three_seconds(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(), await event.join()
    for token in (event.host, event.screen, anna.token):
        assert int((await api.get(f"{event.path}/status", token=token)).headers["poll-after"]) <= 3000
    accepted(await event.move(poll, "active"))
    assert (await polled(event, poll, anna.token))[1]["status"] == "active"
    accepted(await event.answer(poll, anna, 1), 201)
    for token in (event.host, event.screen):
        assert (await polled(event, poll, token))[1]["response_count"] == 1
    clock.advance(5)
    assert (await polled(event, poll, anna.token))[1]["response_count"] == 1


async def test_criterion_09_incremental_reads_and_containment_use_an_index(api: Api) -> None:
    event = await make_event(api)
    poll, anna = await event.activity(status="active"), await event.join()
    accepted(await event.answer(poll, anna, {"choice": "A"}), 201)
    by_feed = "SELECT * FROM responses WHERE activity_id = {id} AND ts > 5 AND ts <= 9 ORDER BY ts LIMIT 101"
    contained = 'SELECT * FROM responses WHERE response_data @> \'{"choice": "A"}\''

    def plans(tx: Any) -> list[str]:
        if tx.dialect.name == "sqlite":
            return [str(tx.all(text("EXPLAIN QUERY PLAN " + by_feed.format(id="x'" + poll["id"].replace("-", "") + "'"))))]
        tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
        paths = (by_feed.format(id=f"'{poll['id']}'"), contained)
        return [str(tx.all(text("EXPLAIN " + query.replace(":", r"\:")))) for query in paths]

    shown = await api.app.platform.db.read(plans)
    assert re.search(r"USING INDEX|Index Scan", shown[0])
    assert "ix_responses_activity_feed" in shown[0]
    assert all("Bitmap Index Scan" in plan for plan in shown[1:])
    found = await api.get(path_of(event, poll, '/responses?contains={"choice":"A"}'), token=event.host)
    assert [row["response_data"] for row in accepted(found)["items"]] == [{"choice": "A"}]


@pytest.mark.catalogue("O-07")
async def test_criterion_10_a_flood_hurts_nobody_but_its_sender(settings: Settings, clock: HandClock) -> None:
    limited = settings.model_copy(update={"rate_limits": True})
    async with App(limited, clock=clock).running() as app:
        event = await make_event(Api(app))
        poll, noisy, calm = await event.activity(status="active"), await event.join("Noisy"), await event.join("Calm")
        clock.monotonic_s = lambda: 1000.0 + clock.shift_s
        answers = [await event.api.get(f"{event.path}/status", token=noisy.token) for _ in range(610)]
        assert {answer.status_code for answer in answers[:600]} == {200}
        over = next(answer for answer in answers if answer.status_code == 429)
        refused(over, 429, "too-many-requests")
        assert int(over.headers["retry-after"]) >= 1
        assert re.fullmatch(r'"poll";r=0;t=\d+', over.headers["ratelimit"])
        assert answers[0].headers["ratelimit-policy"] == over.headers["ratelimit-policy"] == '"poll";q=600;w=60'
        accepted(await event.answer(poll, noisy, 1), 201)
        for token in (calm.token, event.host, event.screen):
            await polled(event, poll, token)
        clock.advance(60)
        await polled(event, poll, noisy.token)
        await event.api.http.aclose()


async def test_criterion_11_every_error_explains_what_is_wrong(api: Api) -> None:
    known = registry()
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in known)
    assert all(error.title and error.__doc__ and error.kind in STATUS for error in known.values())
    assert len({error.title for error in known.values()}) == len(known)
    event = await make_event(api)
    problem = refused(
        await api.post(f"{event.path}/activities", {"config": {}, "order_index": "1"}, token=event.host), 422, "invalid-input"
    )
    assert {error["pointer"]: bool(error["message"]) for error in problem["errors"]} == {"/type": True, "/order_index": True}


async def test_criterion_12_the_document_is_complete_and_true(api: Api) -> None:
    served = accepted(await api.get("/openapi.json"))
    operations = {f"{method.upper()} {path}" for path, item in served["paths"].items() for method in item}
    assert operations == {route.name for route in api.app.edge.routes}
    assert served == json.loads(json.dumps(api.app.edge.api_document.content))
    for route in api.app.edge.routes:
        operation = served["paths"][route.path][route.method.lower()]
        assert operation["summary"]
        assert operation["x-roles"] == (sorted(route.roles) or ["anyone"])
        assert ("requestBody" in operation) == (route.body is not None), route.name


def test_criterion_13_the_promised_coverage_is_above_the_requirement() -> None:
    assert OVERALL >= 95
    poor = {"totals": {"percent_covered": OVERALL - 0.1}, "files": {}}
    assert shortfalls(poor)
    assert not shortfalls(poor | {"totals": {"percent_covered": OVERALL}})


@pytest.mark.catalogue("O-06")
async def test_criterion_14_every_reading_endpoint_answers_while_everyone_answers(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflicto.platform.http.health.PROBE_TIMEOUT_S", PATIENCE_S)  # the OpenAPI document is generated meanwhile
    event = await make_event(api)
    poll = await event.activity(status="active", results_visibility="always", responses_visibility="participants")
    seats = await crowd(event, 20)
    first = accepted(await event.answer(poll, seats[0], 1), 201)
    accepted(await api.post(f"{event.path}/overlay", {"overlay": "names"}, token=event.host))  # or screens may not read them
    tokens = {Role.ADMIN: api.admin, Role.HOST: event.host, Role.SCREEN: event.screen, Role.PARTICIPANT: seats[0].token}
    tokens[Role.METRICS] = METRICS_TOKEN
    ids = {"session_id": event.id, "activity_id": poll["id"], "participant_id": seats[0].id, "response_id": first["id"],
           "link_id": first["id"], "export_id": await event.exported(), "code": event.code, "timestamp": "0", "type": "poll"}  # fmt: skip
    reads = []
    for route in walked(api.app.edge.routes):
        if route.method == "GET":
            query = f"?nickname=N&code={event.code}" if route.path.endswith("/nicknames/validate") else ""
            path = filled(route, **ids) + query
            readers = {Role.HOST} if route.path.endswith("/export") else route.roles  # one export at a time, a limit of the package
            reads += [api.get(path, token=tokens[role]) for role in readers or {Role.HOST}]
    answers = await asyncio.gather(*reads, *(event.answer(poll, seat, 2) for seat in seats))
    refused = [(answer.url.path, answer.text) for answer in answers if answer.status_code not in {200, 201}]
    assert [each for each in refused if "export-busy" not in each[1]] == []  # heavy work is queued
    assert {path.rpartition("/")[2] for path, _ in refused} <= {"export"}
    assert (await polled(event, poll, event.host))[1]["response_count"] == 20


@pytest.mark.in_process
async def test_criterion_15_memory_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {
        "session_state.session_cache.MAX_SESSIONS": 3,
        "session_state.session_cache.MAX_DELETED_IDS": 3,
        "access.tokens.MAX_CACHED_TOKENS": 4,
    }
    for name, most in limits.items():
        monkeypatch.setattr(f"conflicto.{name}", most)
    app, events = api.app, [await make_event(api) for _ in range(6)]
    for event in events:
        await (await event.open()).join()
        accepted(await api.get(f"{event.path}/status", token=event.screen))
        accepted(await api.get(f"/sessions/by-code/{event.code}"))
    for missing in range(1, 9):
        refused(await api.get(f"/sessions/{missing}/status", token=api.admin), 404, "not-found")
    counted = len(app.platform.metrics._requests)
    for number in range(30):
        assert (await api.http.request(f"BREW{number}", f"/api/v1/x{number}")).status_code == 404
        assert (await api.http.request(f"BREW{number}", "/api/v1/sessions")).status_code == 405
    assert (len(app.domain.sessions._states), len(app.domain.sessions._deleted_ids)) == (3, 3)
    assert len(app.domain.tokens._verified) <= 4
    assert len(app.platform.metrics._requests) <= counted + 2


def test_criterion_15_the_schema_can_be_taken_back_and_forth(database_url: str) -> None:
    def tables() -> set[str]:
        db = Database(database_url)
        with db.writer_connection() as connection:
            found = set(inspect(connection).get_table_names())
        db.close()
        return found - {"alembic_version"}

    head = tables()
    assert {"sessions", "activities", "participants", "responses", "feed_heads"} <= head
    migrations.downgrade(database_url, "base")
    assert tables() == set()
    migrations.upgrade(database_url)
    assert tables() == head
