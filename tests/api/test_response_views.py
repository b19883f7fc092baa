"""Readers of responses: lists and filters, moderation, anonymity."""

import json
from typing import Any

import pytest

from tests.support.api import Api, Event, Seat, make_event


def of(event: Event, activity: dict[str, Any], below: str = "") -> str:
    return f"{event.path}/activities/{activity['id']}/responses{below}"


def data(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [item["response_data"] for item in answer.json()["items"]]


async def feed(event: Event, activity: dict[str, Any], token: str, since: str = "0") -> dict[str, Any]:
    answer = await event.api.get(of(event, activity, f"/since/{since}"), token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def status(event: Event, activity: dict[str, Any], token: str) -> dict[str, Any]:
    return (await event.api.get(f"{event.path}/activities/{activity['id']}/status", token=token)).json()


async def moderate(event: Event, activity: dict[str, Any], sent: Any, moderation: str, token: str | None = None) -> Any:
    path = of(event, activity, "/" + sent.json()["id"])
    return await event.api.patch(path, {"moderation": moderation}, token=token or event.host)


async def test_one_sees_ones_own_answers(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    for number in range(3):
        await event.answer(wall, anna, number)
    await event.answer(wall, bert, "other")

    page = await api.get(of(event, wall, "/mine?limit=2"), token=anna.token)

    assert data(page) == [0, 1]
    assert {"total": None, "limit": 2, "offset": 0, "has_next": True, "has_prev": False}.items() <= page.json().items()
    assert data(await api.get(of(event, wall, "/mine?limit=2&offset=2"), token=anna.token)) == [2]
    me = (await api.get("/participants/me", token=anna.token)).json()
    assert (me["id"], me["nickname"], [each["response_data"] for each in me["responses"]]) == (anna.id, "Anna", [0, 1, 2])
    assert (await api.get(of(event, wall, "/mine"), token=event.host)).status_code == 403
    assert (await api.get("/participants/me", token=event.host)).status_code == 403


async def test_own_answers_go_with_their_activity(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()
    await event.answer(poll, anna, 1)
    await api.delete(f"{event.path}/activities/{poll['id']}", token=event.host)

    assert (await api.get("/participants/me", token=anna.token)).json()["responses"] == []
    assert (await api.get(of(event, poll, "/mine"), token=anna.token)).status_code == 404
    assert (await api.get(of(event, poll, "/since/0"), token=event.host)).status_code == 404


async def test_list_pages_in_feed_order(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    sent = [await event.answer(wall, anna, number) for number in range(5)]
    await api.put(of(event, wall, "/" + sent[0].json()["id"]), {"response_data": "edited"}, token=anna.token)
    await api.delete(of(event, wall, "/" + sent[1].json()["id"]), token=anna.token)

    pages = [await api.get(of(event, wall, f"?limit=2&offset={offset}"), token=event.host) for offset in (0, 2, 4)]

    assert [data(page) for page in pages] == [[2, 3], [4, "edited"], []]
    assert [page.json()["total"] for page in pages] == [4, 4, 4]
    assert [(page.json()["has_next"], page.json()["has_prev"]) for page in pages] == [(True, False), (False, True), (False, True)]
    assert (await api.get(of(event, wall), token=anna.token)).status_code == 403
    assert (await api.get(of(event, wall), token=event.screen)).status_code == 403


async def test_list_refuses_unknown_fields(api: Api) -> None:
    event = await make_event(api, active=False)
    poll = await event.activity()

    for query in ("limit=0", "limit=1001", "limit=x", "offset=-1", "round=0", "participant_id=0", "contains=%7B"):
        refused = await api.get(of(event, poll, "?" + query), token=event.host)
        assert refused.status_code == (400 if query.startswith("contains") else 422), query


async def test_list_filters(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    await event.answer(poll, anna, "a1")
    await event.answer(poll, bert, "b1")
    await api.post(f"{event.path}/activities/{poll['id']}/rounds", token=event.host)
    await event.answer(poll, anna, "a2")

    def filtered(query: str) -> Any:
        return api.get(of(event, poll, "?" + query), token=event.host)

    assert data(await filtered(f"participant_id={anna.id}")) == ["a1", "a2"]
    assert data(await filtered("round=1")) == ["a1", "b1"]
    assert data(await filtered(f"round=2&participant_id={anna.id}")) == ["a2"]
    assert data(await filtered(f"round=2&participant_id={bert.id}")) == []
    assert (await filtered("round=1")).json()["total"] is None
    assert (await filtered("")).json()["total"] == 3


ANSWERS: list[Any] = [
    {"choice": "Pizza", "n": 1}, {"choice": "Curry", "n": 1.0}, {"choice": ["Pizza", "Curry"]}, ["Pizza", {"a": {"b": [1, 2]}}],
    "Pizza", 1, True, None, {}, [], {"choice": None}, {"deep": {"a": 1, "b": 2}},
]  # fmt: skip
CONTAINED: list[tuple[Any, list[int]]] = [
    ({"choice": "Pizza"}, [0]), ({"n": 1}, [0, 1]), ({"choice": ["Pizza"]}, [2]), (["Pizza"], [3]), ("Pizza", [3, 4]), (1, [5]),
    (True, [6]), (None, [7]), ({}, [0, 1, 2, 8, 10, 11]), ([], [3, 9]), ({"choice": None}, [10]), ({"deep": {"a": 1}}, [11]),
    ([{"a": {"b": [2]}}], [3]), ({"choice": "Curry", "n": 1}, [1]), ("nothing", []),
]  # fmt: skip


async def test_contains_means_the_same_on_both_databases(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    for answer in ANSWERS:
        assert (
            await event.answer(wall, anna, answer) if answer is not None else await post_null(event, wall, anna)
        ).status_code == 201

    for part, places in CONTAINED:
        query = {"contains": json.dumps(part)}
        found = await api.request("GET", of(event, wall), token=event.host, params=query)
        assert data(found) == [ANSWERS[place] for place in places], part
        if len(places) > 1:
            last = await api.request(
                "GET", of(event, wall), token=event.host, params={**query, "limit": 1, "offset": len(places) - 1}
            )
            assert data(last) == [ANSWERS[places[-1]]]
            assert last.json()["has_next"] is False


async def post_null(event: Event, activity: dict[str, Any], seat: Seat) -> Any:
    return await event.api.post(of(event, activity), {"response_data": None}, token=seat.token)


@pytest.mark.parametrize("bound", ["MAX_SCANNED_ROWS", "MAX_SCANNED_CHARACTERS", "MAX_COMPARISONS"])
async def test_scan_ends_at_its_bound(api: Api, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"conflicto.responses.queries.{bound}", 5 if bound == "MAX_COMPARISONS" else 2)
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    for number in range(3):
        await event.answer(wall, anna, [number])

    found = await api.get(of(event, wall, "?contains=[7]"), token=event.host)

    if api.app.platform.db.dialect.name == "sqlite":
        assert (found.status_code, found.json()["code"]) == (422, "scan-too-long")
    else:
        assert data(found) == []


# Moderation ---------------------------------------------------------------------------------------


async def test_unmoderated_answers_cannot_be_hidden(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    sent = await event.answer(poll, await event.join(), 1)

    refused = await moderate(event, poll, sent, "hidden")

    assert (refused.status_code, refused.json()["code"]) == (409, "moderation-off")
    assert (await moderate(event, poll, sent, "gone")).status_code == 422


@pytest.mark.catalogue("D-08")
async def test_hidden_answer_becomes_a_tombstone_for_all_but_the_host(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", moderation="after", responses_visibility="participants")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    sent = await event.answer(wall, anna, "rude")
    before = {token: (await feed(event, wall, token))["cursor"] for token in (event.screen, bert.token)}
    assert (await moderate(event, wall, sent, "hidden", bert.token)).status_code == 403

    hidden = (await moderate(event, wall, sent, "hidden")).json()

    assert (hidden["moderation"], hidden["revision"], hidden["response_data"]) == ("hidden", 2, "rude")
    assert hidden["updated_at"] > sent.json()["updated_at"]
    for token, cursor in before.items():
        items = (await feed(event, wall, token, cursor))["items"]
        assert [(item["id"], item["deleted"], item["response_data"]) for item in items] == [(hidden["id"], True, None)]
        assert (await feed(event, wall, token))["items"] == []
    assert [item["response_data"] for item in (await feed(event, wall, event.host))["items"]] == ["rude"]
    assert (await api.get(of(event, wall, "/" + hidden["id"]), token=anna.token)).status_code == 404
    assert data(await api.get(of(event, wall, "/mine"), token=anna.token)) == []
    assert (await moderate(event, wall, sent, "hidden")).json() == hidden
    shown = (await moderate(event, wall, sent, "visible")).json()
    assert shown["revision"] == 3
    assert [item["response_data"] for item in (await feed(event, wall, bert.token, before[bert.token]))["items"]] == ["rude"]


async def test_answers_wait_for_approval(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", moderation="before", responses_visibility="participants", response_policy="many")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    start = await feed(event, wall, bert.token)
    first, second = [await event.answer(wall, anna, number) for number in (1, 2)]

    assert first.json()["moderation"] == "pending"
    assert await feed(event, wall, bert.token, start["cursor"]) == start | {"since": start["cursor"]}
    for token, count in ((event.host, 2), (event.screen, 0), (bert.token, 0)):
        assert (await status(event, wall, token))["response_count"] == count
    approved = (await moderate(event, wall, first, "visible")).json()
    page = await feed(event, wall, bert.token, start["cursor"])
    assert [(item["response_data"], item["updated_at"]) for item in page["items"]] == [(1, approved["updated_at"])]
    assert (await status(event, wall, event.screen))["response_count"] == 1
    await moderate(event, wall, second, "hidden")
    assert await feed(event, wall, bert.token, page["cursor"]) == page | {"since": page["cursor"], "items": [], "count": 0}
    shown = await status(event, wall, event.screen)
    assert (shown["response_count"], shown["last_response_at"]) == (1, approved["updated_at"])
    assert (await status(event, wall, event.host))["response_count"] == 2


async def test_edited_answer_waits_for_approval_again(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", moderation="before", responses_visibility="screen")
    anna = await event.join()
    sent = await event.answer(wall, anna, "kind")
    await moderate(event, wall, sent, "visible")
    cursor = (await feed(event, wall, event.screen))["cursor"]

    edited = await api.put(of(event, wall, "/" + sent.json()["id"]), {"response_data": "rude"}, token=anna.token)

    assert edited.json()["moderation"] == "pending"
    items = (await feed(event, wall, event.screen, cursor))["items"]
    assert [(item["deleted"], item["response_data"]) for item in items] == [(True, None)]
    again = await event.answer(wall, anna, "ruder")
    assert (again.json()["moderation"], again.json()["revision"]) == ("pending", 4)


async def test_what_the_host_hid_stays_hidden(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", moderation="after", responses_visibility="screen")
    anna = await event.join()
    sent = await event.answer(wall, anna, "rude")
    await moderate(event, wall, sent, "hidden")
    own = of(event, wall, "/" + sent.json()["id"])

    assert (await api.put(own, {"response_data": "still rude"}, token=anna.token)).status_code == 404
    assert (await api.delete(own, token=anna.token)).status_code == 404
    again = [await event.answer(wall, anna, "ruder"), await event.answer(wall, anna, "rudest")]

    assert [answer.json()["moderation"] for answer in again] == ["hidden"] * 2
    assert (await feed(event, wall, event.screen))["items"] == []


async def test_deleting_a_hidden_answer_reaches_whoever_saw_it(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", moderation="after", responses_visibility="participants")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    sent = await event.answer(wall, anna, "rude")
    cursor = (await feed(event, wall, bert.token))["cursor"]
    await moderate(event, wall, sent, "hidden")
    await api.delete(of(event, wall, "/" + sent.json()["id"]), token=event.host)

    for token in (bert.token, event.screen):
        items = (await feed(event, wall, token, cursor))["items"]
        assert [(item["id"], item["deleted"]) for item in items] == [(sent.json()["id"], True)]


# Anonymity ----------------------------------------------------------------------------------------


async def test_no_reader_sees_who_answered_an_anonymous_activity(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(
        status="active", anonymous=True, min_group=1, moderation="after", responses_visibility="participants"
    )
    anna, bert = await event.join("Anna"), await event.join("Bert")
    sent = await event.answer(poll, anna, 1)
    one = of(event, poll, "/" + sent.json()["id"])

    assert sent.json()["participant_id"] == anna.id
    assert (await api.get(one, token=anna.token)).json()["participant_id"] == anna.id
    assert (await api.get("/participants/me", token=anna.token)).json()["responses"][0]["participant_id"] == anna.id
    await event.move(poll, "expired")
    seen = [
        (await api.get(one, token=event.host)).json(),
        (await moderate(event, poll, sent, "hidden")).json(),
        (await moderate(event, poll, sent, "visible")).json(),
        *(await api.get(of(event, poll), token=event.host)).json()["items"],
    ]
    for token in (event.host, event.screen, bert.token):
        seen += (await feed(event, poll, token))["items"]
    for token in (event.host, event.screen):
        changes = (await api.get(f"{event.path}/changes/since/0", token=token)).json()["items"]
        seen += [item["data"] for item in changes if item["entity"] == "response"]
    assert len(seen) == 9
    assert {item["participant_id"] for item in seen} == {None}
    refused = await api.get(of(event, poll, f"?participant_id={anna.id}"), token=event.host)
    assert (refused.status_code, refused.json()["code"]) == (409, "author-hidden")
