"""Readable exports: option labels, correctness, cell types and unique columns."""

import datetime as dt
import json
from typing import Any

import pytest

from conflicto.exports.questions import as_list
from tests.api.test_exports import column, export, rows, sheets
from tests.support.api import Api, Event, Seat, make_event

OPTIONS = [{"id": "a", "text": "Pizza; hot"}, {"id": "b", "text": "Curry"}, {"id": "c", "text": "=SUM(1)"}]


async def open_activity(event: Event, kind: str, config: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await event.activity(type=kind, config=config, status="active", **fields)


async def fair(api: Api) -> tuple[Event, dict[str, Seat]]:
    """A session with two people; a multiple choice, a ranking and a quiz, in this order."""
    event = await make_event(api)
    people = {name: await event.join(name) for name in ("Anna", "Bert")}
    poll = await open_activity(event, "poll", {"question": "Lunch?", "options": OPTIONS, "multiple": True})
    await event.answer(poll, people["Anna"], {"choices": ["b", "a"]})
    await event.answer(poll, people["Bert"], {"choices": ["c"]})
    ranking = await open_activity(event, "ranking", {"question": "Order?", "options": OPTIONS})
    await event.answer(ranking, people["Anna"], {"ranking": ["c", "a", "b"]})
    await event.answer(ranking, people["Bert"], {"ranking": ["b"]})
    quiz = await open_activity(
        event, "quiz", {"question": "6 · 7?", "options": OPTIONS}, secret={"correct": "b"}, duration_seconds=None
    )
    await event.answer(quiz, people["Anna"], {"choice": "b"})
    await event.answer(quiz, people["Bert"], {"choice": "a"})
    await event.move(quiz, "expired")
    return event, people


async def test_answers_are_shown_in_the_words_of_their_options(api: Api) -> None:
    event, _ = await fair(api)

    plain = await rows(event, "csv")

    assert column(plain, "answer") == [
        "Curry; Pizza; hot", "'=SUM(1)", "'=SUM(1); Pizza; hot; Curry", "Curry", "Curry", "Pizza; hot",
    ]  # fmt: skip
    assert column(plain, "correct") == ["", "", "", "", "true", "false"]
    assert column(plain, "points") == ["", "", "", "", "1000", "0"]


async def test_wide_has_a_column_for_each_option_each_rank_and_the_verdict(api: Api) -> None:
    event, _ = await fair(api)

    book = await rows(event, "xlsx", "wide")

    assert book[0][4:] == [
        "Lunch?: Pizza; hot", "Lunch?: Curry", "Lunch?: =SUM(1)", "Order?: 1", "Order?: 2", "Order?: 3",
        "6 · 7?", "6 · 7?: correct", "6 · 7?: points",
    ]  # fmt: skip
    assert [row[4:] for row in book[1:]] == [
        [True, True, False, "=SUM(1)", "Pizza; hot", "Curry", "Curry", True, 1000],
        [False, False, True, "Curry", None, None, "Pizza; hot", False, 0],
    ]


async def test_wide_decodes_an_answer_once_however_many_columns_it_has(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event, _ = await fair(api)
    decoded = []

    def counted(text: str) -> list[object]:
        decoded.append(text)
        return as_list(text)

    monkeypatch.setattr("conflicto.exports.layouts.as_list", counted)
    await rows(event, "csv", "wide")

    assert sorted(decoded) == ['["b","a"]', '["b"]', '["c","a","b"]', '["c"]']


async def test_long_has_a_row_for_each_choice_and_each_rank(api: Api) -> None:
    event, _ = await fair(api)

    book = await rows(event, "xlsx", "long")

    assert [row[4:7] for row in book[1:]] == [
        ["Anna", "Curry", True], ["Anna", "Pizza; hot", True], ["Bert", "=SUM(1)", True],
        ["Anna", 1, "=SUM(1)"], ["Anna", 2, "Pizza; hot"], ["Anna", 3, "Curry"], ["Bert", 1, "Curry"],
        ["Anna", None, "Curry"], ["Bert", None, "Pizza; hot"],
    ]  # fmt: skip


async def test_the_codebook_lists_the_words_of_ids_and_what_is_right(api: Api) -> None:
    event, _ = await fair(api)

    listed = await rows(event, "csv", "codebook")
    _, last = sheets((await export(event, "?format=xlsx")).content)

    assert [row[5:] for row in listed[1:]] == [
        ["choices", "a", "Pizza; hot", ""], ["choices", "b", "Curry", ""], ["choices", "c", "'=SUM(1)", ""],
        ["ranking", "a", "Pizza; hot", ""], ["ranking", "b", "Curry", ""], ["ranking", "c", "'=SUM(1)", ""],
        ["choice", "a", "Pizza; hot", "false"], ["choice", "b", "Curry", "true"], ["choice", "c", "'=SUM(1)", "false"],
    ]  # fmt: skip
    assert [row[6:8] for row in last[1:]] == [["a", "Pizza; hot"], ["b", "Curry"], ["c", "=SUM(1)"]] * 3


async def test_the_codebook_names_the_type_of_each_activity_and_its_version(api: Api) -> None:
    event = await make_event(api)
    await open_activity(event, "rating", {"question": "Well?"})
    await event.activity(type="lunch", config={"title": "Soup"})

    book = await rows(event, "csv", "codebook")
    lines = (await export(event, "?format=jsonl&shape=codebook")).text.splitlines()

    assert [row[:4] for row in book] == [
        ["activity", "type", "type_version", "rounds"], ["Well?", "rating", "1", "1"], ["Soup", "lunch", "", "1"],
    ]  # fmt: skip
    assert [(line["type"], line["type_version"]) for line in map(json.loads, lines)] == [("rating", "1"), ("lunch", None)]


async def test_instants_and_truth_values_have_their_types_in_a_workbook(api: Api) -> None:
    event, _ = await fair(api)

    book, plain = await rows(event, "xlsx"), await rows(event, "csv")

    for cell, text in zip(column(book, "received_at"), column(plain, "received_at"), strict=True):
        instant = dt.datetime.fromisoformat(text).replace(tzinfo=None)
        assert abs(cell - instant) < dt.timedelta(milliseconds=2)
    assert column(book, "scripted") == [False] * 6
    assert {type(value) for value in column(book, "round")} == {int}


async def test_a_vote_names_the_question_that_it_supports(api: Api) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    questions = await open_activity(event, "questions", {"prompt": "Ask!"}, anonymous=False)
    question = (await event.answer(questions, anna, {"text": "Why?"})).json()
    await event.answer(questions, bert, {"target": question["id"], "vote": 1})

    assert column(await rows(event, "csv"), "answer") == ["Why?", "target: Why?; vote: 1"]


async def test_headings_are_unique_against_all_columns_ignoring_case(api: Api) -> None:
    event = await make_event(api)
    for title in ("nickname", "Lunch", "LUNCH", "Lunch #2", "lunch"):
        await event.activity(title=title)

    for shape in ("table", "wide"):
        header = (await rows(event, "csv", shape))[0]
        assert header[4:] == ["nickname #2", "Lunch", "LUNCH #2", "Lunch #2 #2", "lunch #3"]
        assert len({name.casefold() for name in header}) == len(header)


async def test_an_anonymous_quiz_shows_what_is_right_and_not_who_was_quick(api: Api) -> None:
    event = await make_event(api)
    quiz = await open_activity(
        event,
        "quiz",
        {"question": "?", "options": OPTIONS},
        secret={"correct": "b"},
        anonymous=True,
        min_group=0,
        duration_seconds=60,
    )
    await event.answer(quiz, await event.join("Anna"), {"choice": "b"})
    await event.move(quiz, "expired")

    listed, wide = await rows(event, "csv"), await rows(event, "csv", "wide")

    assert (column(listed, "correct"), column(listed, "points")) == (["true"], [""])
    assert wide[-1][-3:] == ["Curry", "true", ""]


async def test_json_lines_are_no_json_document(api: Api) -> None:
    event, _ = await fair(api)

    answer = await export(event, "?format=jsonl&shape=wide")

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert (await rows(event, "jsonl", "wide"))[0]["Lunch?: Curry"] is True
