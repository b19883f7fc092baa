"""Results over HTTP: contents, visibility, polls and long-polls."""

import asyncio
from typing import Any

import pytest

from conflicto.app import App
from conflicto.session_state.views import View
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import PATIENCE_S, accepted, eventually, refused
from tests.support.clocks import HandClock
from tests.support.queries import counted_statements
from tests.support.wire import listening, streamed

COUNT = {"all": {"path": "", "op": "count"}}
SCORED = {"score": {"path": "", "op": "score", "key": "/right"}}


def path_of(event: Event, activity: dict[str, Any]) -> str:
    return f"{event.path}/activities/{activity['id']}/results"


async def results_of(event: Event, activity: dict[str, Any], token: str, query: str = "") -> Any:
    return await event.api.get(path_of(event, activity) + query, token=token)


async def counts(event: Event, activity: dict[str, Any], token: str, query: str = "") -> dict[Any, int]:
    body = accepted(await results_of(event, activity, token, query))
    assert sum(each["count"] for each in body["results"]["all"]["values"]) == body["response_count"]
    return {each["value"]: each["count"] for each in body["results"]["all"]["values"]}


async def moderate(event: Event, response: dict[str, Any], moderation: str) -> None:
    path = f"{event.path}/activities/{response['activity_id']}/responses/{response['id']}"
    accepted(await event.api.patch(path, {"moderation": moderation}, token=event.host))


async def crowd(event: Event, *names: str) -> list[Seat]:
    return [await event.join(name) for name in names]


async def test_results_match_the_spec(api: Api) -> None:
    event = await make_event(api)
    spec = {"meals": {"path": "/meals", "op": "count", "top": 1}, "people": {"path": "/people", "op": "number"}}
    poll = await event.activity(aggregate=spec, status="active")
    answers = [{"meals": ["a", "b"], "people": 2}, {"meals": ["b"], "people": 3}, "?"]
    for seat, data in zip(await crowd(event, "Anna", "Bert", "Cleo"), answers, strict=True):
        sent = accepted(await event.answer(poll, seat, data), 201)

    body = accepted(await results_of(event, poll, event.host))

    assert body == {
        "activity_id": poll["id"], "round": 1, "response_count": 3, "last_updated": sent["updated_at"],
        "results": {
            "meals": {"op": "count", "answers": 2, "values": [{"value": "b", "count": 2}], "others": 1, "truncated": True},
            "people": {"op": "number", "answers": 2, "sum": 5, "mean": 2.5, "min": 2, "max": 3, "histogram": [
                {"from": 2, "to": 2, "count": 1}, {"from": 3, "to": 3, "count": 1},
            ]},
        },
    }  # fmt: skip
    assert list(body["results"]) == list(spec)


async def test_without_a_spec_there_is_a_count_and_nothing_else(api: Api) -> None:
    event = await make_event(api)
    opaque = await event.activity(status="active")
    accepted(await event.answer(opaque, await event.join(), {"x": 1}), 201)
    body = accepted(await results_of(event, opaque, event.host))
    assert (body["results"], body["response_count"]) == ({}, 1)


async def test_a_spec_that_is_none_is_refused_with_a_pointer(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT)
    path = f"{event.path}/activities/{poll['id']}"
    for method, address in (("POST", f"{event.path}/activities"), ("PUT", path), ("PATCH", path)):
        body = {"type": "poll", "aggregate": {"all": {"path": "x", "op": "sum"}}}
        answer = await api.request(
            method, address, json=body if method != "PATCH" else {"aggregate": body["aggregate"]}, token=event.host
        )
        problem = refused(answer, 422, "invalid-input")
        assert [each["pointer"] for each in problem["errors"]] == ["/aggregate/all/path", "/aggregate/all/op"]
    assert accepted(await api.get(path, token=event.host))["aggregate"] == COUNT
    accepted(await api.patch(path, {"aggregate": None}, token=event.host))


async def test_screen_and_participants_receive_visible_answers_only(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    wall = await event.activity(aggregate=COUNT, status="active", moderation="before", results_visibility="always")
    anna, bert = await crowd(event, "Anna", "Bert")
    sent = accepted(await event.answer(wall, anna, "a"), 201)
    accepted(await event.answer(wall, bert, "b"), 201)
    assert (await counts(event, wall, event.host), await counts(event, wall, event.screen)) == ({"a": 1, "b": 1}, {})

    await moderate(event, sent, "visible")
    assert (await counts(event, wall, event.screen), await counts(event, wall, anna.token)) == ({"a": 1}, {"a": 1})
    await moderate(event, sent, "hidden")
    assert (await counts(event, wall, event.screen), await counts(event, wall, event.host)) == ({}, {"a": 1, "b": 1})
    clock.advance(5)
    assert await counts(event, wall, anna.token) == {}


@pytest.mark.parametrize(
    ("visibility", "before", "after"),
    [("after_reveal", 403, 200), ("always", 200, 200), ("host", 403, 403), ("after_answer", 403, 200)],
)
async def test_visibility_decides_who_sees_results(api: Api, visibility: str, before: int, after: int) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", results_visibility=visibility)
    anna = await event.join()

    async def seen() -> list[int]:
        return [(await results_of(event, poll, token)).status_code for token in (event.host, event.screen, anna.token)]

    assert await seen() == [200, before, before]
    if before == 403:
        refused(await results_of(event, poll, event.screen), 403, "results-hidden")
    accepted(await api.post(f"{event.path}/activities/{poll['id']}/reveal", {"results": True}, token=event.host))
    assert await seen() == [200, after, after]
    accepted(await api.post(f"{event.path}/activities/{poll['id']}/reveal", {"results": False}, token=event.host))
    assert await seen() == [200, before, before]
    draft = await event.activity(aggregate=COUNT, results_visibility="always")
    refused(await results_of(event, draft, anna.token), 404, "not-found")


async def test_who_answered_sees_the_results_and_nobody_else(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", results_visibility="after_answer")
    anna, bert = await crowd(event, "Anna", "Bert")
    sent = accepted(await event.answer(poll, anna, "a"), 201)

    for _ in range(3):
        assert await counts(event, poll, anna.token) == {"a": 1}
        refused(await results_of(event, poll, bert.token), 403, "results-hidden")
        refused(await results_of(event, poll, event.screen), 403, "results-hidden")
    head = api.app.domain.sessions.cached(event.id)
    assert head is not None
    guards = [cached.visible_to for cached in head.responses.views[View.PARTICIPANT].values()]
    assert [(guard is not None, guard and guard.includes(anna.id), guard and guard.includes(bert.id)) for guard in guards] == [
        (True, True, False)
    ]
    accepted(await event.answer(poll, bert, "b"), 201)
    assert set(await counts(event, poll, bert.token)) >= {"a"}
    accepted(await api.delete(f"{event.path}/activities/{poll['id']}/responses/{sent['id']}", token=anna.token), 204)
    refused(await results_of(event, poll, anna.token), 403, "results-hidden")

    accepted(await api.post(f"{event.path}/activities/{poll['id']}/rounds", {}, token=event.host))
    refused(await results_of(event, poll, bert.token), 403, "results-hidden")
    assert await counts(event, poll, bert.token, "?round=1") == {"b": 1}
    refused(await results_of(event, poll, anna.token, "?round=1"), 403, "results-hidden")


async def test_rounds_are_counted_apart(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", results_visibility="always")
    anna = await event.join()
    accepted(await event.answer(poll, anna, "first"), 201)
    assert await counts(event, poll, event.host) == {"first": 1}
    accepted(await api.post(f"{event.path}/activities/{poll['id']}/rounds", {}, token=event.host))
    assert await counts(event, poll, event.host) == {}
    accepted(await event.answer(poll, anna, "second"), 201)

    for token in (event.host, event.screen):
        assert await counts(event, poll, token) == {"second": 1} == await counts(event, poll, token, "?round=2")
        assert await counts(event, poll, token, "?round=1") == {"first": 1}
        for none in ("0", "3", "-1", "x", "1.0", "9" * 30, ""):
            problem = refused(await results_of(event, poll, token, f"?round={none}"), 422, "invalid-input")
            assert problem["errors"][0]["pointer"] == "/query/round"
    accepted(await api.post(f"{event.path}/activities/{poll['id']}/reset", token=event.host), 204)
    assert (await counts(event, poll, event.host), await counts(event, poll, event.host, "?round=1")) == ({}, {"first": 1})


async def test_scores_are_hidden_until_answering_ended_and_results_were_revealed(api: Api) -> None:
    event = await make_event(api)
    quiz = await event.activity(aggregate=SCORED, secret={"right": "b"}, status="active", results_visibility="always")
    anna, bert = await crowd(event, "Anna", "Bert")
    accepted(await event.answer(quiz, anna, "b"), 201)
    accepted(await event.answer(quiz, bert, "a"), 201)
    whole = {"op": "score", "answers": 2, "correct": 1, "best": [{"participant_id": anna.id, "points": 1000}]}
    shut = {"op": "score", "answers": 2, "correct": None, "best": []}

    async def scores() -> list[Any]:
        tokens = (event.host, event.screen, bert.token)
        return [accepted(await results_of(event, quiz, token))["results"]["score"] for token in tokens]

    assert await scores() == [whole, shut, shut]
    accepted(await api.post(f"{event.path}/activities/{quiz['id']}/reveal", {"results": True}, token=event.host))
    assert await scores() == [whole, shut, shut]
    accepted(await event.move(quiz, "expired"))
    assert await scores() == [whole, whole, whole]
    accepted(await api.post(f"{event.path}/activities/{quiz['id']}/rounds", {}, token=event.host))
    assert accepted(await results_of(event, quiz, bert.token, "?round=1"))["results"]["score"] == shut


async def test_the_best_of_an_anonymous_activity_have_no_names(api: Api) -> None:
    event = await make_event(api)
    quiz = await event.activity(aggregate=SCORED, secret={"right": 1}, status="active", anonymous=True, min_group=1)
    await event.answer(quiz, anna := await event.join(), 1)
    await event.move(quiz, "expired")
    answer = await results_of(event, quiz, event.host)
    assert accepted(answer)["results"]["score"]["best"] == [{"participant_id": None, "points": 1000}]
    assert str(anna.id) not in answer.text


async def test_another_spec_or_secret_is_counted_again(api: Api) -> None:
    event = await make_event(api)
    quiz = await event.activity(aggregate=SCORED, secret={"right": 1}, status="active")
    path = f"{event.path}/activities/{quiz['id']}?force=true"
    accepted(await event.answer(quiz, await event.join(), 2), 201)
    assert accepted(await results_of(event, quiz, event.host))["results"]["score"]["correct"] == 0
    accepted(await api.patch(path, {"secret": {"right": 2}}, token=event.host))
    assert accepted(await results_of(event, quiz, event.host))["results"]["score"]["correct"] == 1
    accepted(await api.patch(path, {"aggregate": COUNT}, token=event.host))
    assert await counts(event, quiz, event.host) == {2: 1}


async def test_same_tag_exactly_if_same_bytes(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", results_visibility="always")
    anna, bert = await crowd(event, "Anna", "Bert")
    accepted(await event.answer(poll, anna, "a"), 201)
    seen: dict[str, set[bytes]] = {}
    for number in range(3):
        for token in (event.host, event.screen, anna.token):
            answer = await results_of(event, poll, token)
            seen.setdefault(answer.headers["etag"], set()).add(answer.content)
            again = await api.get(path_of(event, poll), token=token, headers={"if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        clock.advance(3)
        assert (await event.answer(poll, bert, number)).status_code < 300
    assert all(len(bodies) == 1 for bodies in seen.values())
    assert len(seen) >= 2


async def test_participants_counts_are_a_snapshot_that_a_control_change_ends(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", results_visibility="always")
    anna, bert = await crowd(event, "Anna", "Bert")
    assert await counts(event, poll, anna.token) == {}
    accepted(await event.answer(poll, bert, "b"), 201)
    assert (await counts(event, poll, anna.token), await counts(event, poll, event.screen)) == ({}, {"b": 1})
    clock.advance(5)
    assert await counts(event, poll, anna.token) == {"b": 1}
    accepted(await event.answer(poll, anna, "a"), 201)
    accepted(await event.move(poll, "expired"))
    assert await counts(event, poll, anna.token) == {"a": 1, "b": 1}


async def test_polls_read_nothing_from_the_database_and_answers_add_no_reads(undisturbed: None, api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", response_policy="many")
    anna = await event.join()

    async def statements() -> int:
        with counted_statements(api.app.platform.db) as seen:
            accepted(await event.answer(poll, anna, "x"), 201)
        return len([each for each in seen if "responses" in each])

    await statements()
    before = await statements()
    assert await counts(event, poll, event.host) == {"x": 2}
    assert await statements() == before
    with counted_statements(api.app.platform.db) as seen:
        for _ in range(3):
            assert await counts(event, poll, event.host) == {"x": 3}
    assert seen == []


async def test_simultaneous_requests_share_one_load(undisturbed: None, api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", results_visibility="always")
    anna = await event.join()
    accepted(await event.answer(poll, anna, "x"), 201)
    accepted(await api.get(f"{event.path}/activities/{poll['id']}/status", token=event.host))
    with counted_statements(api.app.platform.db) as seen:
        answers = await asyncio.gather(*(results_of(event, poll, token) for token in (event.host, event.screen, anna.token) * 4))
    assert {answer.json()["response_count"] for answer in answers} == {1}
    assert len([each for each in seen if "FROM responses" in each]) == 1


async def test_results_wait_for_changes(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active")
    anna = await event.join()
    tag = (await results_of(event, poll, event.host)).headers["etag"]
    wait = asyncio.create_task(api.get(path_of(event, poll) + "?wait=20", token=event.host, headers={"if-none-match": tag}))

    async def is_waiting() -> bool:
        return api.app.edge.long_poll.waiting == 1

    await eventually(is_waiting)
    accepted(await event.answer(poll, anna, "x"), 201)
    answer = await asyncio.wait_for(wait, PATIENCE_S)
    assert (answer.status_code, answer.json()["response_count"], answer.headers["preference-applied"]) == (200, 1, "wait=20")


async def test_a_kick_that_erases_takes_answers_out(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active")
    anna, bert = await crowd(event, "Anna", "Bert")
    accepted(await event.answer(poll, anna, "a"), 201)
    accepted(await event.answer(poll, bert, "b"), 201)
    assert await counts(event, poll, event.host) == {"a": 1, "b": 1}
    accepted(await api.delete(f"/participants/{anna.id}?responses=delete", token=event.host), 204)
    assert await counts(event, poll, event.host) == {"b": 1}
    accepted(await api.delete(f"/participants/{bert.id}", token=event.host), 204)
    assert await counts(event, poll, event.host) == {"b": 1}


async def test_a_stream_sends_results_at_each_change_and_ends_with_the_session(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active")
    anna, bert = await crowd(event, "Anna", "Bert")
    async with listening(api.app) as port:
        async with streamed(port, path_of(event, poll), event.host) as stream:
            await stream.until(1)
            for number, seat in enumerate((anna, bert), 2):
                accepted(await event.answer(poll, seat, seat.nickname), 201)
                events = await stream.until(number)
                polled = await results_of(event, poll, event.host)
                assert {each["event"] for each in events} == {"results"}
                assert (events[-1]["data"], events[-1]["id"]) == (polled.text, polled.headers["etag"])
            accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
            last = (await stream.until(4))[-1]["id"]
        async with streamed(port, path_of(event, poll), event.host, f"last-event-id: {last}") as again:
            assert again.status == 204


async def test_a_stream_is_refused_and_ended_where_results_are_closed(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active", results_visibility="after_answer")
    anna = await event.join()
    async with listening(api.app) as port:
        path = path_of(event, poll)
        refused(await api.get(path, token=anna.token, headers={"accept": "text/event-stream"}), 403, "results-hidden")
        sent = accepted(await event.answer(poll, anna, "a"), 201)
        async with streamed(port, path, anna.token) as stream:
            await stream.until(1)
            accepted(await api.delete(f"{event.path}/activities/{poll['id']}/responses/{sent['id']}", token=anna.token), 204)
            accepted(await api.post(f"{event.path}/lock", token=event.host))
            await stream.to_end()
            assert len(stream.received.events) == 1


async def test_answers_that_another_process_took_are_counted(api: Api, settings: Settings, clock: HandClock) -> None:
    event = await make_event(api)
    poll = await event.activity(aggregate=COUNT, status="active")
    anna = await event.join()
    async with App(settings, clock=clock).running() as other:
        neighbour = Api(other)
        path = f"{event.path}/activities/{poll['id']}/responses"
        accepted(await neighbour.post(path, {"response_data": "there"}, token=anna.token), 201)
        assert await counts(event, poll, event.host) == {"there": 1}
        accepted(await event.answer(poll, anna, "here"))
        assert await counts(event, poll, event.host) == {"here": 1}
        await neighbour.http.aclose()


async def test_a_round_that_is_over_stays_as_it_was(api: Api, clock: HandClock) -> None:
    event = await make_event(api)
    spec = {"score": {"path": "", "op": "score", "key": "/right", "speed": True}, **COUNT}
    quiz = await event.activity(aggregate=spec, secret={"right": 1}, status="active", duration_seconds=1_000)
    anna = await event.join()
    clock.advance(100)
    accepted(await event.answer(quiz, anna, 1), 201)
    points = accepted(await results_of(event, quiz, event.host))["results"]["score"]["best"]
    path = f"{event.path}/activities/{quiz['id']}"
    accepted(await api.post(f"{path}/reveal", {"results": True}, token=event.host))
    accepted(await api.post(f"{path}/rounds", {"duration_seconds": 5}, token=event.host))
    accepted(await api.post(f"{path}/rounds", {}, token=event.host))

    for fresh in (False, True):
        if fresh:
            await api.app.domain.sessions.find(event.id, fresh=True)
        assert accepted(await results_of(event, quiz, event.host, "?round=1"))["results"]["score"]["best"] == points
        assert await counts(event, quiz, anna.token, "?round=1") == {1: 1}
        for closed in ("", "?round=2"):
            refused(await results_of(event, quiz, event.screen, closed), 403, "results-hidden")
    assert 945 < points[0]["points"] <= 950


async def test_support_counts_for_questions_that_are_there(api: Api) -> None:
    event = await make_event(api)
    activity = await event.activity(type="questions", config={"prompt": "Ask us anything"}, status="active")
    anna, bert = await crowd(event, "Anna", "Bert")
    question = accepted(await event.answer(activity, anna, {"text": "When do we move?"}), 201)
    support = accepted(await event.answer(activity, bert, {"target": question["id"], "vote": 1}), 201)
    for target in (support["id"], activity["id"], "00000000-0000-7000-8000-000000000000"):
        accepted(await event.answer(activity, bert, {"target": target, "vote": 1}), 201)

    async def targets(token: str) -> list[Any]:
        return list(accepted(await results_of(event, activity, token))["results"]["support"]["targets"])

    assert await targets(event.host) == (counts := [{"target": question["id"], "up": 1, "down": 0}])
    await moderate(event, question, "hidden")
    assert (await targets(anna.token), await targets(event.host)) == ([], counts)
    await moderate(event, question, "visible")
    assert await targets(event.host) == counts
