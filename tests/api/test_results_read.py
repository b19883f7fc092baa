"""Results as people read them: the rule of a ranking, two forms of one text, and what is hidden."""

from typing import Any

from tests.api.test_results import COUNT, SCORED, asked, crowd
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted


async def ranked(event: Event, activity: dict[str, Any]) -> list[tuple[str, float]]:
    body = accepted(await asked(event, activity, event.host))
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
    assert (await ranked(event, now))[:2] == [("oa", 16), ("ob", 11)], "with another option the tally is counted anew"
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

    results = accepted(await asked(event, quiz, event.host))["results"]

    assert results["all"]["values"] == [{"value": composed, "count": 2}]
    assert results["score"]["correct"] == 2
