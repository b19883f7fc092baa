"""The word filter: author and host see the original, others see it masked or not at all."""

from typing import Any

import pytest

from conflicto.access.roles import Role
from conflicto.app import App
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, activity_of, raw, refused, session_of
from tests.support.walking import addresses, walked
from tests.support.wire import listening, streamed

WORD = "zyzzyva"
SPELLED = "Zyzzyva"
MASK = {"mode": "mask", "languages": [], "words": [WORD]}
HOLD = MASK | {"mode": "hold"}
OPEN = {"results_visibility": "always", "responses_visibility": "participants", "status": "active"}
SPEC = {
    "words": {"path": "/text", "op": "words"},
    "texts": {"path": "/text", "op": "count"},
    "right": {"path": "/text", "op": "score", "key": "/right"},
    "votes": {"path": "/votes", "op": "votes"},
}


def of(event: Event, activity: dict[str, Any], below: str = "") -> str:
    return f"{event.path}/activities/{activity['id']}{below}"


async def feed(event: Event, activity: dict[str, Any], token: str) -> list[Any]:
    items = accepted(await event.api.get(of(event, activity, "/responses/since/0"), token=token))["items"]
    return [item["response_data"] for item in items]


async def everything(event: Event, token: str, role: Role, known: dict[str, list[Any]]) -> str:
    """Return all bytes that a token can read from every URL."""
    collected = []
    for route in walked(event.api.app.edge.routes):
        if route.method == "GET" and not (route.roles and role not in route.roles):
            collected += [(await event.api.get(path, token=token)).text for path in addresses(route, known)]
    assert len(collected) > 15
    return "\n".join(collected)


async def test_it_is_off_until_the_host_sets_it(api: Api) -> None:
    event = await make_event(api)
    off = {"mode": "off", "languages": [], "words": []}
    assert (await session_of(event))["word_filter"] == off
    anna = await event.join("Shit Happens")
    wall = await event.activity(**OPEN)
    await event.answer(wall, anna, "shit")
    assert await feed(event, wall, event.screen) == ["shit"]

    wanted = {"mode": "mask", "languages": ["fr", "en", "en"], "words": ["b", "a", "b"]}
    kept = accepted(await api.patch(event.path, {"word_filter": wanted}, token=event.host))["word_filter"]

    assert kept == {"mode": "mask", "languages": ["en", "fr"], "words": ["b", "a"]}
    assert (await session_of(event))["word_filter"] == kept
    for token in (anna.token, event.screen):
        assert "word_filter" not in accepted(await api.get(event.path, token=token))
        changes = accepted(await api.get(f"{event.path}/changes/since/0", token=token))["items"]
        assert [set(item["data"]) & {"word_filter", "id"} for item in changes if item["entity"] == "session"] == [{"id"}]
    copy = accepted(await api.post(f"{event.path}/duplicate", token=api.admin), 201)
    assert copy["word_filter"] == kept
    assert accepted(await api.put(event.path, {"title": "Anew"}, token=event.host))["word_filter"] == off


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {"mode": "mask"},
        {"mode": "loud", "languages": ["en"]},
        {"mode": "mask", "languages": ["xx"]},
        {"mode": "hold", "words": ["..."]},
        {"mode": "hold", "words": ["x" * 61]},
        {"mode": "hold", "words": ["x"] * 201},
        {"languages": ["en"]},
        {"mode": "mask", "languages": ["en"], "more": 1},
    ],
)
async def test_what_is_no_filter_is_refused(api: Api, wrong: Any) -> None:
    event = await make_event(api)
    refused(await api.patch(event.path, {"word_filter": wrong}, token=event.host), 422, "invalid-input")
    refused(await api.post("/sessions", {"title": "x", "word_filter": wrong}, token=api.admin), 422, "invalid-input")


async def test_masked_words_reach_nobody_but_host_and_author(api: Api, app: App) -> None:
    event = await make_event(api, word_filter=MASK)
    anna, bert = await event.join(f"{SPELLED} Anna"), await event.join("Bert")
    wall = await event.activity(**OPEN, response_policy="many", aggregate=SPEC, secret={"right": f"the {SPELLED}"})
    sent = accepted(
        await event.answer(wall, anna, {"text": f"the {SPELLED}", "n": 1.50, "votes": [{"target": f"{SPELLED}!", "vote": 1}]}), 201
    )
    accepted(await event.answer(wall, bert, {"text": "fine"}), 201)
    known = {
        "session_id": [event.id], "activity_id": [wall["id"]], "response_id": [sent["id"]],
        "link_id": [sent["id"]], "export_id": [], "participant_id": [anna.id, bert.id],
        "code": [event.code], "timestamp": ["0"], "type": ["quiz"],
    }  # fmt: skip

    for token, role in ((event.screen, Role.SCREEN), (bert.token, Role.PARTICIPANT)):
        assert SPELLED not in await everything(event, token, role, known)
    accepted(await event.move(wall, "expired"))
    accepted(await api.post(of(event, wall, "/reveal"), {"results": True}, token=event.host))
    for token, role in ((event.screen, Role.SCREEN), (bert.token, Role.PARTICIPANT)):
        seen = await everything(event, token, role, known)
        assert SPELLED not in seen
        assert "the ***" in seen
        assert "*** Anna" in seen

    assert await feed(event, wall, bert.token) == [
        {"text": "the ***", "n": 1.5, "votes": [{"target": "***", "vote": 1}]},
        {"text": "fine"},
    ]
    whole = f'{{"text":"the {SPELLED}","n":1.5,"votes":[{{"target":"{SPELLED}!","vote":1}}]}}'
    for token in (event.host, anna.token):
        assert raw(await api.get(of(event, wall, f"/responses/{sent['id']}"), token=token), "response_data") == whole
    assert (await feed(event, wall, event.host))[0]["text"] == f"the {SPELLED}"
    assert SPELLED in await everything(event, anna.token, Role.PARTICIPANT, known)
    async with listening(app) as port, streamed(port, f"{event.path}/events?since=0", event.screen) as stream:
        await stream.until(4)
        assert [SPELLED in each["data"] for each in stream.received.events] == [False] * len(stream.received.events)
        assert any("the ***" in each["data"] for each in stream.received.events)


async def test_points_are_counted_by_what_was_written_and_results_by_what_is_shown(api: Api) -> None:
    event = await make_event(api, word_filter=MASK)
    anna, bert = await event.join(f"{SPELLED}!"), await event.join("Bert")
    wall = await event.activity(**OPEN, aggregate=SPEC, secret={"right": SPELLED})
    accepted(await event.answer(wall, bert, {"text": "wrong"}), 201)
    accepted(await event.answer(wall, anna, {"text": SPELLED}), 201)
    accepted(await event.move(wall, "expired"))
    accepted(await api.post(of(event, wall, "/reveal"), {"results": True}, token=event.host))

    for token, word, name in ((event.host, SPELLED, f"{SPELLED}!"), (event.screen, "***", "***")):
        results = accepted(await api.get(of(event, wall, "/results"), token=token))["results"]
        assert sorted(each["word"] for each in results["words"]["words"]) == sorted({"wrong", word} - {"***"})
        assert {each["value"] for each in results["texts"]["values"]} == {"wrong", word}
        assert results["right"]["correct"] == 1
        board = accepted(await api.get(f"{event.path}/leaderboard", token=token))["items"]
        assert [(each["nickname"], each["points"]) for each in board] == [(name, 1000), ("Bert", 0)]
    accepted(await api.patch(event.path, {"word_filter": {"mode": "off"}}, token=event.host))
    board = accepted(await api.get(f"{event.path}/leaderboard", token=event.screen))["items"]
    assert board[0]["nickname"] == f"{SPELLED}!", "names are masked by the present filter"


async def test_the_hosts_own_words_pass_in_answers(api: Api) -> None:
    event = await make_event(api, word_filter=MASK)
    anna = await event.join()
    poll = await event.activity(**OPEN, type="lunch", config={"options": ["Curry", f"{SPELLED} wine"]})
    for text, shown in (
        (f"{SPELLED} wine", f"{SPELLED} wine"),
        (f"{SPELLED} beer", "*** beer"),
        (f"{SPELLED} wine", f"{SPELLED} wine"),
    ):
        await event.answer(poll, anna, {"choice": text})
        assert await feed(event, poll, event.screen) == [{"choice": shown}]
    accepted(await api.patch(of(event, poll, "?force=true"), {"config": {"options": []}}, token=event.host))

    await event.answer(poll, anna, {"choice": f"{SPELLED} wine "})
    assert await feed(event, poll, event.screen) == [{"choice": "*** wine "}]


async def test_an_edit_and_another_answer_are_filtered_again(api: Api) -> None:
    event = await make_event(api, word_filter=MASK)
    anna = await event.join()
    wall = await event.activity(**OPEN)
    sent = accepted(await event.answer(wall, anna, "fine"), 201)
    for data, shown in ((SPELLED, "***"), ("better", "better"), (f"{SPELLED} again", "*** again")):
        path = of(event, wall, f"/responses/{sent['id']}")
        edited = accepted(await api.put(path, {"response_data": data}, token=anna.token))
        assert edited["response_data"] == data
        assert await feed(event, wall, event.screen) == [shown]
    accepted(await api.delete(path, token=anna.token), 204)
    assert await feed(event, wall, event.screen) == []


async def test_unmaskable_text_is_held(api: Api) -> None:
    event = await make_event(api, word_filter=MASK)
    anna = await event.join()
    wall = await event.activity(**OPEN)

    sent = accepted(await event.answer(wall, anna, {SPELLED: SPELLED}), 201)

    assert (sent["moderation"], sent["response_data"]) == ("pending", {SPELLED: SPELLED})
    assert await feed(event, wall, event.screen) == []
    path = of(event, wall, f"/responses/{sent['id']}")
    accepted(await api.patch(path, {"moderation": "visible"}, token=event.host))
    assert await feed(event, wall, event.screen) == [{SPELLED: "***"}]


async def test_held_answers_wait_for_the_host(api: Api) -> None:
    event = await make_event(api, word_filter=HOLD)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    wall = await event.activity(**OPEN, aggregate={"texts": {"path": "", "op": "count"}})
    held = accepted(await event.answer(wall, anna, f"{SPELLED}?"), 201)
    free = accepted(await event.answer(wall, bert, "fine"), 201)

    assert (held["moderation"], free["moderation"]) == ("pending", "visible")
    assert await feed(event, wall, event.screen) == ["fine"]
    assert (await activity_of(event, wall))["moderation"] == "off"
    results = accepted(await api.get(of(event, wall, "/results"), token=event.screen))
    assert (results["response_count"], [each["value"] for each in results["results"]["texts"]["values"]]) == (1, ["fine"])
    assert accepted(await api.get(of(event, wall, "/results"), token=event.host))["response_count"] == 2

    path = of(event, wall, f"/responses/{held['id']}")
    accepted(await api.patch(path, {"moderation": "visible"}, token=event.host))
    assert sorted(await feed(event, wall, event.screen)) == [f"{SPELLED}?", "fine"]
    assert accepted(await event.answer(wall, anna, "better"))["moderation"] == "visible"
    assert accepted(await event.answer(wall, anna, SPELLED))["moderation"] == "pending"
    accepted(await api.patch(of(event, wall, f"/responses/{free['id']}"), {"moderation": "hidden"}, token=event.host))
    assert await feed(event, wall, event.screen) == []


async def test_what_was_held_can_be_shown_when_the_filter_is_off_again(api: Api) -> None:
    event = await make_event(api, word_filter=HOLD)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    wall = await event.activity(**OPEN)
    held = accepted(await event.answer(wall, anna, SPELLED), 201)
    free = accepted(await event.answer(wall, bert, "fine"), 201)
    accepted(await api.patch(event.path, {"word_filter": {"mode": "off"}}, token=event.host))

    assert await feed(event, wall, event.screen) == ["fine"]
    path = of(event, wall, "/responses/")
    accepted(await api.patch(path + held["id"], {"moderation": "visible"}, token=event.host))
    assert sorted(await feed(event, wall, event.screen)) == [SPELLED, "fine"]
    refused(await api.patch(path + free["id"], {"moderation": "hidden"}, token=event.host), 409, "moderation-off")


async def test_names_are_refused_with_better_ones(api: Api) -> None:
    event = await make_event(api, word_filter=HOLD)
    await event.join("Anna")

    async def join(nickname: str) -> Any:
        return await api.post("/join", {"nickname": nickname, "code": event.code})

    problem = refused(await join(f"{SPELLED} Anna"), 422, "nickname-refused")
    assert problem["suggestions"] == ["Anna 2", "Anna 3", "Anna 4"]
    assert SPELLED not in str(problem)
    faces = refused(await join(SPELLED), 422, "nickname-refused")["suggestions"]
    assert faces == ["🙂", "🙂 2", "🙂 3"]
    bert = await event.join(faces[0])
    refused(await api.patch("/participants/me", {"nickname": f"a {SPELLED}"}, token=bert.token), 422, "nickname-refused")
    query = {"nickname": SPELLED, "code": event.code}
    tried = accepted(await api.get(f"{event.path}/nicknames/validate", params=query))
    assert tried == {"available": False, "suggested_nickname": "🙂 2"}
    named = accepted(await api.patch(f"/participants/{bert.id}", {"nickname": f"Dr {SPELLED}"}, token=event.host))
    assert named["nickname"] == f"Dr {SPELLED}", "a host may"


async def test_what_is_left_of_a_name_must_be_one_and_be_clean(api: Api) -> None:
    event = await make_event(api, word_filter=HOLD | {"words": [WORD, "bad mood"]})
    for nickname in (f"host {SPELLED}", f"bad {SPELLED} mood"):
        answer = await api.post("/join", {"nickname": nickname, "code": event.code})
        assert refused(answer, 422, "nickname-refused")["suggestions"][0] == "🙂"


async def test_a_replayed_answer_is_the_one_that_was_kept(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    wall = await event.activity(**OPEN)
    again = {"headers": {"idempotency-key": "k1"}}
    first = accepted(await event.answer(wall, anna, SPELLED, **again), 201)
    accepted(await api.patch(event.path, {"word_filter": HOLD}, token=event.host))

    assert accepted(await event.answer(wall, anna, SPELLED, **again), 201) == first
    assert await feed(event, wall, event.screen) == [SPELLED], "earlier responses stay unchanged"
