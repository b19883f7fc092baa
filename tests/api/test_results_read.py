"""Results for readers: the rule of a ranking, two forms of a text, and hidden responses."""

from typing import Any

from tests.api.test_results import COUNT, SCORED, crowd, moderate, results_of
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused


async def ranked(event: Event, activity: dict[str, Any]) -> list[tuple[str, float]]:
    body = accepted(await results_of(event, activity, event.host))
    return [(each["value"], each["points"]) for each in body["results"]["ranking"]["ranking"]]


async def test_a_ranking_puts_first_what_most_people_rank_first_and_earlier_ones_keep_their_rule(api: Api) -> None:
    event = await make_event(api)
    options = [{"id": f"o{letter}", "text": letter.upper()} for letter in "abcde"]
    fields: dict[str, Any] = {"type": "ranking", "config": {"question": "First?", "options": options}, "status": "active"}
    people = await crowd(event, "Anna", "Bert", "Cleo", "Dora")
    orders = [["oa"], ["oa"], ["oa"], ["ob", "oc", "od", "oe", "oa"]]

    async def voted(**more: Any) -> dict[str, Any]:
        activity = await event.activity(**fields, **more)
        for seat, order in zip(people, orders, strict=True):
            accepted(await event.answer(activity, seat, {"ranking": order}), 201)
        return activity

    before, now = await voted(aggregate={"ranking": {"path": "/ranking", "op": "rank"}}), await voted()

    assert await ranked(event, now) == [("oa", 12), ("ob", 8.5), ("oc", 7.5), ("od", 6.5), ("oe", 5.5)]
    assert await ranked(event, before) == [("ob", 5), ("oa", 4), ("oc", 4), ("od", 3), ("oe", 2)]

    path = f"{event.path}/activities/{now['id']}?force=true"
    longer = {"question": "First?", "options": [*options, {"id": "of", "text": "F"}]}
    accepted(await event.api.patch(path, {"config": longer}, token=event.host))
    assert (await ranked(event, now))[:2] == [("oa", 16), ("ob", 11)], "with another option the tally is counted again"
    for activity in (before, now):
        renamed = {"config": {"question": "And first?", "options": options}}
        accepted(await event.api.patch(f"{event.path}/activities/{activity['id']}?force=true", renamed, token=event.host))
    assert await ranked(event, before) == [("ob", 5), ("oa", 4), ("oc", 4), ("od", 3), ("oe", 2)]


async def test_count_and_score_take_two_forms_of_one_text_as_equal(api: Api) -> None:
    event = await make_event(api)
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    quiz = await event.activity(aggregate=COUNT | SCORED, secret={"right": decomposed}, status="active")
    for seat, text in zip(await crowd(event, "Anna", "Bert"), (composed, decomposed), strict=True):
        accepted(await event.answer(quiz, seat, text), 201)

    results = accepted(await results_of(event, quiz, event.host))["results"]

    assert results["all"]["values"] == [{"value": composed, "count": 2}]
    assert results["score"]["correct"] == 2


async def test_a_host_may_request_the_view_of_others(api: Api) -> None:
    event = await make_event(api)
    spec = {"words": {"path": "", "op": "words"}, "all": {"path": "", "op": "count"}}
    wall = await event.activity(aggregate=spec, moderation="before", results_visibility="always", status="active")
    people = await crowd(event, "Anna", "Bert", "Cleo")
    sent = [
        accepted(await event.answer(wall, seat, text), 201) for seat, text in zip(people, ("fine", "insult", "held"), strict=True)
    ]
    await moderate(event, sent[0], "visible")
    await moderate(event, sent[1], "visible")
    shown = accepted(await results_of(event, wall, event.host, "?moderation=visible"))
    assert shown["response_count"] == 2
    await moderate(event, sent[1], "hidden")

    visible = accepted(await results_of(event, wall, event.host, "?moderation=visible&round=1"))
    assert visible["response_count"] == 1
    assert visible["results"] == accepted(await results_of(event, wall, event.screen))["results"]
    assert "insult" not in str(visible)
    assert "held" not in str(visible)
    live = accepted(await results_of(event, wall, event.host))
    assert live["response_count"] == 3
    assert "insult" in str(live)
    again = await results_of(event, wall, event.host, "?moderation=hidden")
    assert refused(again, 422, "invalid-input")["errors"][0]["pointer"] == "/query/moderation"


async def test_a_host_in_the_view_of_others_reads_scores_and_masks(api: Api) -> None:
    event = await make_event(api, word_filter={"mode": "mask", "languages": [], "words": ["flurble"]})
    quiz = await event.activity(aggregate=COUNT | SCORED, secret={"right": "flurble"}, status="active")
    (anna,) = await crowd(event, "Anna")
    accepted(await event.answer(quiz, anna, "flurble"), 201)

    results = accepted(await results_of(event, quiz, event.host, "?moderation=visible"))["results"]

    assert results["all"]["values"] == [{"value": "***", "count": 1}]
    assert results["score"]["correct"] == 1
    assert results["score"]["best"] == [{"participant_id": anna.id, "points": 1000}]
    assert accepted(await results_of(event, quiz, event.host))["results"]["all"]["values"] == [{"value": "flurble", "count": 1}]


async def test_earlier_rounds_are_counted_without_what_was_hidden_in_them(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(aggregate=COUNT, moderation="after", status="active")
    anna, bert = await crowd(event, "Anna", "Bert")
    accepted(await event.answer(wall, anna, "first"), 201)
    await moderate(event, accepted(await event.answer(wall, bert, "insult"), 201), "hidden")
    accepted(await event.move(wall, "expired"))
    accepted(await event.api.post(f"{event.path}/activities/{wall['id']}/rounds", token=event.host))

    earlier = accepted(await results_of(event, wall, event.host, "?round=1&moderation=visible"))

    assert (earlier["round"], earlier["response_count"]) == (1, 1)
    assert earlier["results"]["all"]["values"] == [{"value": "first", "count": 1}]


async def test_a_wall_leaves_small_words_out_of_its_cloud_and_nowhere_else(api: Api) -> None:
    event = await make_event(api)
    fields: dict[str, Any] = {"type": "wall", "status": "active", "moderation": "off"}
    wall = await event.activity(**fields, config={"question": "What?", "language": "de"})
    (anna,) = await crowd(event, "Anna")
    sent = accepted(await event.answer(wall, anna, {"text": "Das ist am Tageslicht"}), 201)

    def words(body: dict[str, Any]) -> list[str]:
        return [each["word"] for each in body["results"]["words"]["words"]]

    assert words(accepted(await results_of(event, wall, event.host))) == ["Tageslicht"]
    path = f"{event.path}/activities/{wall['id']}"
    assert sent["response_data"] == {"text": "Das ist am Tageslicht"}
    exported = await api.get(f"{event.path}/export?format=csv", token=event.host)
    assert "Das ist am Tageslicht" in exported.content.decode("utf-8-sig")
    accepted(await api.patch(f"{path}?force=true", {"config": {"question": "What?"}}, token=event.host))
    assert sorted(words(accepted(await results_of(event, wall, event.host)))) == ["Das", "Tageslicht", "am", "ist"]
