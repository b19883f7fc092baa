"""Anonymous responses that are edited, withdrawn, or left behind in the pool."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from conflicto.app import App
from conflicto.responses.queries import pooled_authors
from conflicto.responses.recent_responses import RecentResponses
from tests.support import pools
from tests.support.api import Api
from tests.support.checks import accepted, refused
from tests.support.clocks import HandClock
from tests.support.pools import (
    answer_all,
    answer_all_again,
    changes,
    listed,
    mine,
    of,
    open_pool,
    sound,
    status,
    stored,
    tick,
    views,
)


@pytest.fixture(autouse=True)
def virtual_time(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    pools.shift_database(monkeypatch, clock)


@pytest.fixture
async def api(app: App) -> AsyncIterator[Api]:
    api = Api(app)
    yield api
    sound(app)
    await api.http.aclose()


async def test_who_leaves_takes_what_waits_and_detaches_what_was_released(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 10)
    sent = await answer_all(event, poll, seats)
    keys = {"idempotency-key": '"a-key-of-sixteen"'}
    await tick(app, clock)
    released = {row["id"] for row in await listed(event, poll)}
    out = [seat for seat, row in zip(seats, sent, strict=True) if row["id"] in released]
    inside = [seat for seat, row in zip(seats, sent, strict=True) if row["id"] not in released]
    accepted(await event.answer(poll, out[0], "edited", headers=keys), 200)
    cursor = (await changes(event, event.host))["cursor"]

    accepted(await api.delete("/participants/me", token=out[0].token), 204)
    accepted(await api.delete(f"/participants/{out[1].id}?responses=delete", token=event.host), 204)
    accepted(await api.delete(f"/participants/{out[2].id}?responses=keep", token=event.host), 204)
    accepted(await api.delete("/participants/me?responses=keep", token=inside[0].token), 204)
    flood = {"name_contains": out[3].nickname, "responses": "delete"}
    accepted(await api.post(f"{event.path}/participants/remove", flood, token=event.host))

    items = (await changes(event, event.host, cursor))["items"]
    assert {item["entity"] for item in items} == {"participant"}
    gone = {seat.id for seat in (*out[:4], inside[0])}
    authors = [row[0] for row in stored(app, "SELECT participant_id FROM responses")]
    assert gone.isdisjoint(authors)
    assert authors.count(None) == 4
    assert gone.isdisjoint(row[0] for row in stored(app, "SELECT participant_id FROM pooled_responses WHERE NOT is_spent"))
    assert stored(app, "SELECT count(*) FROM idempotency_keys WHERE owner IS NOT NULL") == [(0,)]
    assert {row["id"] for row in await listed(event, poll)} == released
    accepted(await event.move(poll, "expired"))
    assert {row["id"] for row in await listed(event, poll)} == released, "two people are too few"


async def test_withdrawing_drops_pooled_answers_and_detaches_released_ones(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 7)
    sent = await answer_all(event, poll, seats)
    await tick(app, clock)
    released = {row["id"]: row for row in await listed(event, poll)}
    waiting = next(number for number, row in enumerate(sent) if row["id"] not in released)
    shown = next(number for number, row in enumerate(sent) if row["id"] in released)
    cursors = {number: (await changes(event, seats[number].token))["cursor"] for number in (waiting, shown)}
    before = await views(api, event, poll, event.host, event.screen)

    for number in (waiting, shown):
        one = of(event, poll, f"responses/{sent[number]['id']}")
        accepted(await api.delete(one, token=seats[number].token), 204)
        refused(await api.get(one, token=seats[number].token), 404, "not-found")
        assert await mine(event, poll, seats[number]) == []
    assert await views(api, event, poll, event.host, event.screen) == before

    items = (await changes(event, seats[waiting].token, cursors[waiting]))["items"]
    assert [(item["id"], item["deleted"]) for item in items] == [(sent[waiting]["id"], True)]
    assert (await changes(event, seats[shown].token, cursors[shown]))["items"] == []
    again = accepted(await event.answer(poll, seats[waiting], "again"), 200)
    assert again["id"] == sent[waiting]["id"]
    refused(await event.answer(poll, seats[shown], "twice"), 409, "already-answered")
    accepted(await event.move(poll, "expired"))
    rows = await listed(event, poll)
    assert len(rows) == 7
    assert "again" in [row["response_data"] for row in rows]
    assert "twice" not in [row["response_data"] for row in rows]


async def test_edits_go_through_the_pool(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 12)
    sent = await answer_all(event, poll, seats)
    await tick(app, clock)
    released = {row["id"]: row for row in await listed(event, poll)}
    editors = [number for number, row in enumerate(sent) if row["id"] in released][:2]
    before = await views(api, event, poll, event.host, event.screen)
    one = of(event, poll, f"responses/{sent[editors[0]]['id']}")
    edited = accepted(await api.put(one, {"response_data": "new"}, token=seats[editors[0]].token))
    other = accepted(await event.answer(poll, seats[editors[1]], "newer"), 200)
    assert await views(api, event, poll, event.host, event.screen) == before
    assert (edited["revision"], other["revision"], other["id"]) == (2, 2, sent[editors[1]]["id"])
    assert [row["response_data"] for row in await mine(event, poll, seats[editors[0]])] == ["new"]
    items = (await changes(event, seats[editors[0]].token))["items"]
    assert [item["data"]["response_data"] for item in items if item["entity"] == "response"] == ["new"]

    await tick(app, clock)
    accepted(await event.move(poll, "expired"))
    rows = {row["id"]: row for row in await listed(event, poll)}
    assert len(rows) == 12
    for number, value in zip(editors, ("new", "newer"), strict=True):
        row = rows[sent[number]["id"]]
        assert (row["response_data"], row["revision"]) == (value, 2)
        assert row["received_at"] == row["updated_at"] > released[row["id"]]["updated_at"]
        assert row["created_at"] == released[row["id"]]["created_at"]


@pytest.mark.parametrize("ends", [False, True])
async def test_one_new_answer_is_not_released_among_edits(api: Api, app: App, clock: HandClock, *, ends: bool) -> None:
    event, poll, seats = await open_pool(api, 12)
    sent = await answer_all(event, poll, seats)
    accepted(await event.move(poll, "expired"))
    accepted(await event.move(poll, "active"))
    for _ in range(4):
        late = await event.join("Late")
        accepted(await event.answer(poll, late, "alone"), 201)
        for number, seat in enumerate(seats):
            accepted(await event.answer(poll, seat, ["edited", clock.shift_s, number]), 200)
        await tick(app, clock)
        edited = [row for row in await listed(event, poll) if row["revision"] > 1]
        assert edited, "edits of twelve people are released"
        if ends:
            accepted(await event.move(poll, "expired"))
        assert {row["id"] for row in await listed(event, poll)} == {row["id"] for row in sent}
        assert (await status(event, poll))["response_count"] == 12, "one more would be identifiable as the latecomer's"
        if ends:
            accepted(await event.move(poll, "active"))
        accepted(await api.delete("/participants/me", token=late.token), 204)


async def test_edits_of_too_few_are_released_among_other_rows(api: Api, app: App) -> None:
    event, poll, seats = await open_pool(api, 8)
    sent = await answer_all(event, poll, seats)
    accepted(await event.move(poll, "expired"))
    first = {row["id"]: row for row in await listed(event, poll)}
    accepted(await event.move(poll, "active"))
    late = await event.join("Late")
    accepted(await event.answer(poll, seats[0], "edited"), 200)
    accepted(await event.answer(poll, late, "alone"), 201)
    accepted(await event.move(poll, "expired"))

    rows = {row["id"]: row for row in await listed(event, poll)}
    assert len(rows) == 8, "one new response would be identifiable among the earlier ones"
    assert rows[sent[0]["id"]]["response_data"] == "edited"
    assert all(row["updated_at"] > first[row["id"]]["updated_at"] for row in rows.values())
    assert {row["revision"] for row in rows.values()} == {2}
    assert len(stored(app, "SELECT id FROM pooled_responses")) == 1


async def test_a_host_deletes_by_id_and_clears_a_round_with_its_pool(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 7)
    sent = await answer_all(event, poll, seats)
    await tick(app, clock)
    row = (await listed(event, poll))[0]
    author = next(seat for seat, each in zip(seats, sent, strict=True) if each["id"] == row["id"])
    accepted(await event.answer(poll, author, "edited"), 200)
    accepted(await api.delete(of(event, poll, f"responses/{row['id']}"), token=event.host), 204)
    assert await mine(event, poll, author) == []
    await tick(app, clock)
    assert row["id"] not in {each["id"] for each in await listed(event, poll)}
    assert stored(app, "SELECT count(*) FROM pooled_responses") == [(3,)]

    cursor = (await changes(event, seats[0].token))["cursor"]
    accepted(await api.post(of(event, poll, "reset"), token=event.host), 204)
    assert await listed(event, poll) == []
    for seat in seats:
        assert await mine(event, poll, seat) == []
    items = (await changes(event, seats[0].token, cursor))["items"]
    assert [(item["id"], item["deleted"]) for item in items] in ([(sent[0]["id"], True)], [])
    await answer_all_again(event, poll, seats)
    accepted(await event.move(poll, "expired"))
    assert len(await listed(event, poll)) == 7


async def test_answer_without_an_author_is_moderated_and_loaded_like_others(api: Api, app: App, clock: HandClock) -> None:
    event, poll, seats = await open_pool(api, 10, moderation="after")
    sent = await answer_all(event, poll, seats)
    await tick(app, clock)
    (row, *_) = await listed(event, poll)
    author = next(seat for seat, each in zip(seats, sent, strict=True) if each["id"] == row["id"])
    accepted(await api.delete("/participants/me?responses=keep", token=author.token), 204)

    accepted(await api.patch(of(event, poll, f"responses/{row['id']}"), {"moderation": "hidden"}, token=event.host))
    items = (await changes(event, event.host))["items"]
    app.domain.sessions._drop(event.id)

    again = (await changes(event, event.host))["items"]
    assert [each for each in again if each["entity"] == "response"] == [each for each in items if each["entity"] == "response"]
    assert [each["moderation"] for each in await listed(event, poll) if each["id"] == row["id"]] == ["hidden"]


async def test_an_answer_during_the_lookup_of_authors_repeats_the_lookup(
    api: Api, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, poll, seats = await open_pool(api, 3, results_visibility="after_answer")
    accepted(await event.answer(poll, seats[0], 1), 201)
    app.domain.sessions._drop(event.id)
    await status(event, poll, seats[0].token)
    head = app.domain.sessions._states[event.id]
    looked = 0

    def overtaken(*args: Any) -> set[int]:
        nonlocal looked
        looked += 1
        head.position += looked == 1
        return pooled_authors(*args)

    monkeypatch.setattr("conflicto.results.results_handler.pooled_authors", overtaken)
    path = of(event, poll, "results")
    for _ in range(2):
        head.parts[RecentResponses].pooled_authors.clear()
        accepted(await api.get(path, token=seats[0].token))
    head.position -= 1

    assert looked == 2
