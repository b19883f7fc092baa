"""The leaderboard: counted points, visibility and time."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from conflicto.activities.commands.edit import NewActivity, add_activity
from conflicto.activities.model import Content
from conflicto.activities.queries import activities_with_contents
from conflicto.feed.poll_handler import MAX_CONFIGS_PER_READ
from conflicto.platform.db.transaction import ReadTx
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused
from tests.support.queries import counted_statements

SPEC = {"score": {"path": "", "op": "score", "key": "/right"}}


async def quiz(event: Event, right: Any, **fields: Any) -> dict[str, Any]:
    return await event.activity(aggregate=SPEC, secret={"right": right}, status="active", **fields)


async def end(event: Event, activity: dict[str, Any]) -> None:
    accepted(await event.move(activity, "expired"))
    accepted(await event.api.post(f"{event.path}/activities/{activity['id']}/reveal", {"results": True}, token=event.host))


async def board(event: Event, token: str, query: str = "") -> Any:
    return accepted(await event.api.get(f"{event.path}/leaderboard{query}", token=token))


async def places(event: Event, token: str) -> list[tuple[str, int, int]]:
    return [(each["nickname"], each["points"], each["rank"]) for each in (await board(event, token))["items"]]


async def test_points_are_added_up_over_activities_and_ties_share_a_rank(api: Api) -> None:
    event = await make_event(api)
    anna, bert, cleo = [await event.join(name) for name in ("Anna", "Bert", "Cleo")]
    for right, answers in (("a", ("a", "a", "b")), ("b", ("b", "a", "b"))):
        question = await quiz(event, right)
        for seat, answer in zip((anna, bert, cleo), answers, strict=True):
            accepted(await event.answer(question, seat, answer), 201)
        await end(event, question)
    accepted(await event.answer(await event.activity(status="active"), cleo, "unscored"), 201)

    everyone = [
        ("Anna", 2000, 1),
        *sorted([("Bert", 1000, 2), ("Cleo", 1000, 2)], key=lambda each: {"Bert": bert, "Cleo": cleo}[each[0]].id),
    ]
    for token in (event.host, event.screen, anna.token):
        assert await places(event, token) == everyone
    first = await board(event, cleo.token, "?limit=1")
    assert ([each["nickname"] for each in first["items"]], first["total"], first["me"]) == (
        ["Anna"],
        3,
        {"points": 1000, "rank": 2},
    )
    assert "me" not in await board(event, event.screen)
    stranger = await event.join("Dora")
    assert (await board(event, stranger.token))["me"] is None
    scores = [accepted(await api.get("/participants/me", token=seat.token))["points"] for seat in (anna, cleo, stranger)]
    assert scores == [2000, 1000, None]
    refused(await api.get(f"{event.path}/leaderboard?limit=0", token=event.host), 422, "invalid-input")


async def test_a_board_over_many_activities_reads_their_json_some_at_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(tx: ReadTx, ids: Sequence[UUID]) -> Any:
        read.append(len(ids))
        return activities_with_contents(tx, ids)

    monkeypatch.setattr("conflicto.results.leaderboard_handler.activities_with_contents", counted)
    event = await make_event(api)
    seat = await event.join("Anna")
    content = Content(config="{}", secret='{"right":1}', aggregate=json.dumps(SPEC))
    new = NewActivity(type="lunch", content=content, order_index=0)
    made = await api.app.domain.writer.run(
        event.id, lambda tx: [add_activity(tx, event.id, new) for _ in range(MAX_CONFIGS_PER_READ + 2)]
    )
    for each in made:
        accepted(await event.move({"id": str(each.id)}, "active"))
        accepted(await event.answer({"id": str(each.id)}, seat, 1), 201)
    assert await places(event, event.host) == [("Anna", 1000 * len(made), 1)]
    assert read == [MAX_CONFIGS_PER_READ, 2]


async def test_points_stay_with_the_host_until_results_are_revealed_and_answering_ended(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    question = await quiz(event, 1, results_visibility="always")
    accepted(await event.answer(question, anna, 1), 201)

    async def seen() -> list[bool]:
        own = accepted(await api.get("/participants/me", token=anna.token))["points"]
        visible = [bool(await places(event, token)) for token in (event.host, event.screen, anna.token)]
        assert own == (1000 if visible[2] else None), "the own seat has the score of the leaderboard"
        return visible

    path = f"{event.path}/activities/{question['id']}"
    assert await seen() == [True, False, False]
    assert (await board(event, anna.token))["me"] is None
    accepted(await api.post(f"{path}/reveal", {"results": True}, token=event.host))
    assert await seen() == [True, False, False]
    accepted(await event.move(question, "expired"))
    assert await seen() == [True, True, True]
    accepted(await api.post(f"{path}/reveal", {"results": False}, token=event.host))
    assert await seen() == [True, False, False]
    await api.post(f"{path}/reveal", {"results": True}, token=event.host)
    accepted(await api.post(f"{path}/rounds", {}, token=event.host))
    assert await seen() == [False, False, False]
    hosts_only = await quiz(event, 1, results_visibility="host")
    accepted(await event.answer(hosts_only, anna, 1), 201)
    await end(event, hosts_only)
    assert await seen() == [True, False, False]


async def test_anonymous_activities_rank_nobody(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    question = await quiz(event, 1, anonymous=True)
    accepted(await event.answer(question, anna, 1), 201)
    await end(event, question)
    for token in (event.host, event.screen, anna.token):
        assert (await board(event, token))["items"] == []


async def test_who_left_has_no_place_and_a_new_name_is_shown(api: Api) -> None:
    event = await make_event(api)
    anna, bert, cleo = [await event.join(name) for name in ("Anna", "Bert", "Cleo")]
    question = await quiz(event, 1)
    for seat, answer in ((anna, 1), (bert, 1), (cleo, 0)):
        accepted(await event.answer(question, seat, answer), 201)
    await end(event, question)
    assert len(await places(event, event.host)) == 3
    accepted(await api.delete(f"/participants/{anna.id}", token=event.host), 204)
    accepted(await api.patch("/participants/me", {"nickname": "Berta"}, token=bert.token))
    for fresh in (False, True):
        if fresh:
            await api.app.domain.sessions.find(event.id, fresh=True)
        for token in (event.host, event.screen, cleo.token):
            assert await places(event, token) == [("Berta", 1000, 1), ("Cleo", 0, 2)]


@pytest.mark.usefixtures("undisturbed")
async def test_answers_move_the_hosts_board_and_a_board_at_rest_costs_no_query(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    question = await quiz(event, 1, moderation="after")
    sent = accepted(await event.answer(question, anna, 0), 201)
    assert await places(event, event.host) == [("Anna", 0, 1)]
    accepted(await event.answer(question, anna, 1))
    assert await places(event, event.host) == [("Anna", 1000, 1)]
    await end(event, question)
    assert await places(event, anna.token) == [("Anna", 1000, 1)]
    with counted_statements(api.app.platform.db) as seen:
        for token in (event.host, event.screen, anna.token):
            assert await places(event, token) == [("Anna", 1000, 1)]
        assert (await board(event, anna.token))["me"] == {"points": 1000, "rank": 1}
    assert seen == []
    path = f"{event.path}/activities/{question['id']}/responses/{sent['id']}"
    accepted(await api.patch(path, {"moderation": "hidden"}, token=event.host))
    assert (await places(event, event.screen), await places(event, event.host)) == ([], [("Anna", 1000, 1)])
