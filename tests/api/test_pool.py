"""Anonymous rounds: a pool releases responses in groups; before, only authors read their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from conflicto.app import App
from conflicto.responses.pool import model as pool_model
from conflicto.responses.pool import store as pool_store
from tests.support import pools
from tests.support.api import Api, Event
from tests.support.checks import accepted, refused
from tests.support.clocks import HandClock
from tests.support.pools import answer_all, changes, listed, mine, of, open_pool, sound, status, stored, tick, views


@pytest.fixture(autouse=True)
def virtual_time(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    pools.shift_database(monkeypatch, clock)


@pytest.fixture
async def api(app: App) -> AsyncIterator[Api]:
    api = Api(app)
    yield api
    sound(app)
    await api.http.aclose()


async def test_before_the_release_only_the_author_receives_anything(api: Api) -> None:
    event, poll, seats = await open_pool(api, 6)
    others = (event.host, event.screen, seats[5].token)
    before = await views(api, event, poll, *others)
    listed = await changes(event, seats[0].token)

    sent = accepted(await event.answer(poll, seats[0], {"a": 1}), 201)
    again = accepted(await event.answer(poll, seats[0], {"a": 2}), 200)
    for number in range(1, 5):
        accepted(await event.answer(poll, seats[number], number), 201)

    assert await views(api, event, poll, *others) == before
    assert (again["id"], again["revision"], again["participant_id"]) == (sent["id"], 1, seats[0].id)
    assert UUID(sent["id"]).version == 4
    assert [item["response_data"] for item in await mine(event, poll, seats[0])] == [{"a": 2}]
    page = await changes(event, seats[0].token, listed["cursor"])
    assert [(item["id"], item["data"]["response_data"]) for item in page["items"]] == [(sent["id"], {"a": 2})]
    assert page["cursor"] > listed["cursor"]
    whole = await changes(event, seats[0].token)
    assert [item["id"] for item in whole["items"] if item["entity"] == "response"] == [sent["id"]]
    one = of(event, poll, f"responses/{sent['id']}")
    assert accepted(await api.get(one, token=seats[0].token)) == again
    for token in (event.host, seats[1].token):
        refused(await api.get(one, token=token), 404, "not-found")
    me = accepted(await api.get("/participants/me", token=seats[0].token))
    assert [each["id"] for each in me["responses"]] == [sent["id"]]


@pytest.mark.parametrize(("group", "size", "first"), [(3, 5, 0), (3, 6, 3), (3, 9, 6), (1, 2, 1), (2, 4, 2), (5, 9, 0)])
async def test_ticks_release_all_but_a_group_and_the_end_releases_the_rest(
    api: Api, app: App, clock: HandClock, group: int, size: int, first: int
) -> None:
    event, poll, seats = await open_pool(api, size, min_group=group)
    sent = await answer_all(event, poll, seats)
    await tick(app, clock, 0)
    assert await listed(event, poll) == []

    await tick(app, clock)
    assert len(await listed(event, poll)) == first
    assert (await status(event, poll))["withheld"] is (first == 0)
    await tick(app, clock)
    assert len(await listed(event, poll)) == first

    accepted(await event.move(poll, "expired"))
    rows = await listed(event, poll)
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in sent)
    assert {row["id"]: row["response_data"] for row in rows} == {row["id"]: row["response_data"] for row in sent}
    assert stored(app, "SELECT count(*) FROM pooled_responses") == [(0,)]
    for row in rows:
        assert row["created_at"] == row["updated_at"] == row["received_at"]
        assert (row["revision"], row["participant_id"]) == (1, None)
    stamps = [int(row["updated_at"][-7:-1]) for row in rows]
    assert len(set(stamps)) == len(rows)
    for earlier, later in pairwise(stamps[:first] if first else stamps):
        assert later - earlier == 1
    assert (await status(event, poll))["response_count"] == size


async def test_a_batch_comes_in_a_random_order_of_its_own(api: Api) -> None:
    event, poll, seats = await open_pool(api, 8)
    orders = set()
    for _ in range(4):
        await answer_all(event, poll, seats)
        accepted(await event.move(poll, "expired"))
        rows = await listed(event, poll)
        orders.add(tuple(row["response_data"] for row in rows[-8:]))
        poll = accepted(await api.post(of(event, poll, "rounds"), {}, token=event.host))
    assert len(orders) > 1


async def test_a_small_round_releases_nothing_ever(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 2, min_group=3, duration_seconds=60)
    await answer_all(event, poll, seats)
    for _ in range(3):
        await tick(app, clock)
    accepted(await event.move(poll, "expired"))
    for token in (event.host, event.screen, seats[0].token):
        found = await status(event, poll, token)
        assert (found["response_count"], found["withheld"], found["last_response_at"]) == (0, True, None)
    assert await listed(event, poll) == []
    assert len(await mine(event, poll, seats[0])) == 1
    again = accepted(await api.post(of(event, poll, "rounds"), {}, token=event.host))
    assert again["round"] == 2
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    assert await listed(event, poll) == []
    assert '"response_data"' not in (await api.get(f"{event.path}/export?format=jsonl", token=event.host)).text
    unasked = await event.api.get(of(event, poll, "results?round=1"), token=event.host)
    assert accepted(unasked)["response_count"] == 0


async def _end_by_expiry(event: Event, poll: dict[str, Any]) -> None:
    accepted(await event.move(poll, "expired"))


async def _end_by_round(event: Event, poll: dict[str, Any]) -> None:
    accepted(await event.api.post(of(event, poll, "rounds"), {}, token=event.host))


async def _end_by_other(event: Event, poll: dict[str, Any]) -> None:
    await event.activity(status="active")


async def _end_by_session(event: Event, poll: dict[str, Any]) -> None:
    accepted(await event.api.patch(event.path, {"status": "completed"}, token=event.host))


@pytest.mark.parametrize("end", [_end_by_expiry, _end_by_round, _end_by_other, _end_by_session])
@pytest.mark.parametrize("group", [3, 0])
async def test_every_end_of_answering_releases_the_rest_in_its_transaction(api: Api, end: Any, group: int) -> None:
    event, poll, seats = await open_pool(api, 4, min_group=group)
    await answer_all(event, poll, seats)
    await end(event, poll)
    rows = await listed(event, poll)
    assert sorted(row["response_data"] for row in rows) == [0, 1, 2, 3]
    assert {row["round"] for row in rows} == {1}


async def test_an_end_in_time_releases_the_rest(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 3, duration_seconds=7)
    await answer_all(event, poll, seats)
    clock.advance(8)
    app.domain.expiry._changed.set()
    await app.domain.writer.run(event.id, pools.expire, UUID(poll["id"]))
    assert len(await listed(event, poll)) == 3


async def test_only_ticks_release_and_each_of_them_once(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 12)
    await answer_all(event, poll, seats[:6])
    await tick(app, clock)
    assert len(await listed(event, poll)) == 3
    for number, seat in enumerate(seats[6:]):
        accepted(await event.answer(poll, seat, number), 201)
    await app.domain.writer.run(event.id, pools.release, UUID(poll["id"]))
    assert len(await listed(event, poll)) == 3
    await tick(app, clock)
    assert len(await listed(event, poll)) == 9


async def test_two_workers_release_a_batch_once(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 9)
    await answer_all(event, poll, seats)
    if app.platform.db.is_shared:
        async with App(app.platform.settings, clock=clock).running() as other:
            clock.advance(5)
            for each in (other, app, other):
                await each.domain.releases.scan()
                await each.domain.releases.release_due_pools()
            rows = await listed(event, poll)
    else:
        clock.advance(5)
        for _ in range(3):
            await app.domain.writer.run(event.id, pools.release, UUID(poll["id"]))
        rows = await listed(event, poll)
    assert len(rows) == len({row["id"] for row in rows}) == 6


async def test_after_a_crash_the_next_process_goes_on_from_the_rows(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 9)
    await answer_all(event, poll, seats)
    async with _restarted(app, clock) as (other, fresh):
        await tick(fresh, clock)
        there = Event(other, event.id, event.code, event.host, event.screen)
        assert len(await listed(there, poll)) == 6
        accepted(await there.move(poll, "expired"))
        assert len(await listed(there, poll)) == 9


async def test_scripted_participants_never_count(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 8)
    await app.domain.writer.run((), pools.play_by_script, [seat.id for seat in seats[:6]])
    await answer_all(event, poll, seats)
    await tick(app, clock)
    accepted(await event.move(poll, "expired"))
    assert await listed(event, poll) == []
    again = accepted(await api.post(of(event, poll, "rounds"), {}, token=event.host))
    third = await event.join("Third")
    await answer_all(event, again, [*seats, third])
    accepted(await event.move(again, "expired"))
    assert len(await listed(event, again)) == 9


async def test_without_a_group_each_answer_has_a_delay_of_its_own(
    api: Api, app: App, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays = iter([0, 25_000_000, 10_000_000])
    monkeypatch.setattr(pool_model, "secret_number", lambda most: next(delays))
    event, poll, seats = await open_pool(api, 1, min_group=0, response_policy="many")
    for number in range(3):
        accepted(await event.answer(poll, seats[0], number), 201)
    seen = []
    for seconds in (4.5, 0.6, 9, 1, 14, 2):
        await tick(app, clock, seconds)
        seen.append([row["response_data"] for row in await listed(event, poll)])
    assert seen == [[], [0], [0], [0, 2], [0, 2], [0, 2, 1]]
    assert (await status(event, poll))["withheld"] is False


async def test_policies_and_keys_hold_across_pool_and_feed(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 7, response_policy="first")
    keys = [{"idempotency-key": f'"key-{number}-of-sixteen"'} for number in range(7)]
    sent = [accepted(await event.answer(poll, seat, "x", headers=key), 201) for seat, key in zip(seats, keys, strict=True)]
    refused(await event.answer(poll, seats[0], "y"), 409, "already-answered")
    assert accepted(await event.answer(poll, seats[0], "x", headers=keys[0]), 201) == sent[0]
    await tick(app, clock)
    for seat, key, row in zip(seats, keys, sent, strict=True):
        refused(await event.answer(poll, seat, "y"), 409, "already-answered")
        assert accepted(await event.answer(poll, seat, "x", headers=key), 201)["id"] == row["id"]
        refused(await api.delete(of(event, poll, f"responses/{row['id']}"), token=seat.token), 409, "already-answered")


@pytest.mark.parametrize("policy", ["one", "many"])
async def test_a_pooled_answer_counts_as_one_for_results_after_answering(api: Api, policy: str) -> None:
    event, poll, seats = await open_pool(api, 4, results_visibility="after_answer", response_policy=policy)
    results = of(event, poll, "results")
    for seat in seats[:2]:
        refused(await api.get(results, token=seat.token), 403, "results-hidden")
    sent = accepted(await event.answer(poll, seats[0], 1), 201)
    assert accepted(await api.get(results, token=seats[0].token))["response_count"] == 0
    refused(await api.get(results, token=seats[1].token), 403, "results-hidden")
    accepted(await api.delete(of(event, poll, f"responses/{sent['id']}"), token=seats[0].token), 204)
    refused(await api.get(results, token=seats[0].token), 403, "results-hidden")


async def test_held_hidden_and_masked_answers_stay_so_through_the_pool(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 8, moderation="before")
    sent = await answer_all(event, poll, seats)
    assert {row["moderation"] for row in sent} == {"pending"}
    await tick(app, clock)
    rows = await listed(event, poll)
    assert {row["moderation"] for row in rows} == {"pending"}
    assert await seen_by(event, poll, event.screen) == []
    accepted(await api.patch(of(event, poll, f"responses/{rows[0]['id']}"), {"moderation": "visible"}, token=event.host))
    assert [row["id"] for row in await seen_by(event, poll, event.screen)] == [rows[0]["id"]]


async def seen_by(event: Event, poll: dict[str, Any], token: str) -> list[dict[str, Any]]:
    return accepted(await event.api.get(of(event, poll, "responses/since/0"), token=token))["items"]


async def test_the_feed_has_every_released_answer_once_from_every_position(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 10)
    cursors = {name: [(await changes(event, token))["cursor"]] for name, token in (("host", event.host), ("screen", event.screen))}
    for number, seat in enumerate(seats):
        accepted(await event.answer(poll, seat, number), 201)
        if number in {5, 8}:
            await tick(app, clock)
        for name, token in (("host", event.host), ("screen", event.screen)):
            cursors[name].append((await changes(event, token))["cursor"])
    accepted(await event.move(poll, "expired"))
    async with _restarted(app, clock) as (other, _):
        cold = Event(other, event.id, event.code, event.host, event.screen)
        for name, token in (("host", event.host), ("screen", event.screen)):
            assert len(set(cursors[name])) <= 3, "nothing changes between releases"
            for cursor in {*cursors[name], "0"}:
                warm = await changes(event, token, cursor)
                ids = [item["id"] for item in warm["items"] if item["entity"] == "response"]
                assert len(ids) == len(set(ids))
                assert warm == await changes(cold, token, cursor)
        for seat in seats:
            assert await changes(event, seat.token) == await changes(cold, seat.token)


async def test_results_equal_a_recount_of_the_released_rows(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 12, aggregate={"n": {"path": "", "op": "count"}})
    for number, seat in enumerate(seats):
        accepted(await event.answer(poll, seat, number % 3), 201)
        if number == 8:
            await tick(app, clock)
        rows = await listed(event, poll)
        results = accepted(await api.get(of(event, poll, "results"), token=event.host))
        assert results["response_count"] == len(rows) == (await status(event, poll))["response_count"]
        values = {each["value"]: each["count"] for each in results["results"]["n"]["values"]} if rows else {}
        assert all(values.get(value, 0) == sum(row["response_data"] == value for row in rows) for value in range(3))


@asynccontextmanager
async def _restarted(app: App, clock: HandClock) -> AsyncIterator[tuple[Api, App]]:
    async with App(app.platform.settings, clock=clock).running() as fresh:
        other = Api(fresh)
        yield other, fresh
        await other.http.aclose()


async def test_texts_are_read_only_where_something_can_be_released(
    api: Api, app: App, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, poll, few = await open_pool(api, 5, min_group=3)
    await answer_all(small, poll, few)
    alone, wall, people = await open_pool(api, 3, min_group=0)
    await answer_all(alone, wall, people)
    reads: list[int] = []
    read = pool_store._read_round

    def counted(*args: Any, **named: Any) -> Any:
        rows = read(*args, **named)
        reads.append(len(rows))
        return rows

    monkeypatch.setattr(pool_store, "_read_round", counted)
    await tick(app, clock, 4)
    await tick(app, clock, 0.5)
    assert sum(reads) == 0
    await tick(app, clock, 30)
    assert sum(reads) == len(await listed(alone, wall)) == 3
    assert await listed(small, poll) == []
