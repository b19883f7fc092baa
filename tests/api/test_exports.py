"""Exports: every format and shape, forbidden content, and effects on others."""

import asyncio
import csv
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from conflicto.exports import output, writer
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import eventually
from tests.support.patience import PATIENCE_S
from tests.support.wire import get, listening

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "\uff1d1+1", "\uff0b1", '=HYPERLINK("http://x","y")',
    " =1+1", "\u200b=1+1", "\ufeff@SUM(A1)", "\u3164\u00a0+1", "\u2800-1+1",
]  # fmt: skip
TEXTS = [
    *FORMULAS,
    'say "hi"',
    "a,b;c",
    "two\nlines",
    "crlf\r\nhere",
    "_x0041_",
    "\x01\x1f",
    "👩‍🚀 Ω عربى",
    " lead",
    "http://x.org",
    "007",
]

Rows = list[list[Any]]


async def export(event: Event, query: str = "", token: str | None = None) -> Any:
    return await event.api.get(f"{event.path}/export{query}", token or event.host)


async def rows(event: Event, form: str, shape: str = "responses") -> Rows:
    answer = await export(event, f"?format={form}&shape={shape}")
    assert answer.status_code == 200, answer.text
    if form == "jsonl":
        return [json.loads(line) for line in answer.content.splitlines()]
    if form == "csv":
        assert answer.content.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    return sheets(answer.content)[0]


def sheets(content: bytes) -> list[Rows]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]


def column(found: Rows, name: str) -> list[Any]:
    place = found[0].index(name)
    return [row[place] for row in found[1:]]


async def room(api: Api) -> tuple[Event, dict[str, Seat]]:
    """A session with two people and three activities.

    Two rounds of a poll, an activity with policy `many`, and an anonymous one.
    """
    event = await make_event(api, title="Größe: 2/3?")
    people = {name: await event.join(name) for name in ("Anna", "=Bert")}
    poll = await event.activity(title="Lunch", status="active")
    for seat, data in zip(people.values(), ({"choice": "curry"}, {"words": ["a", "b"]}), strict=True):
        await event.answer(poll, seat, data)
    await event.api.post(f"{event.path}/activities/{poll['id']}/rounds", {}, token=event.host)
    await event.answer(poll, people["Anna"], -5)
    await event.move(poll, "expired")
    many = await event.activity(title="Many", status="active", response_policy="many")
    for data in (1.5, "x"):
        await event.answer(many, people["Anna"], data)
    await event.move(many, "expired")
    secret = await event.activity(title="Secret", status="active", anonymous=True, min_group=2)
    for seat, data in zip(people.values(), ("zebra", "ape"), strict=True):
        await event.answer(secret, seat, data)
    await event.move(secret, "expired")
    return event, people


async def test_a_row_for_each_answer(api: Api) -> None:
    event, people = await room(api)

    plain, book = await rows(event, "csv"), await rows(event, "xlsx")

    shown = ["curry", "a; b", "-5", "1.5", "x"]
    assert column(plain, "answer")[:5] == shown
    assert column(book, "answer")[:5] == ["curry", "a; b", -5, 1.5, "x"]
    assert sorted(column(plain, "answer")[5:]) == sorted(column(book, "answer")[5:]) == ["ape", "zebra"]
    assert column(plain, "activity") == column(book, "activity") == ["Lunch"] * 3 + ["Many"] * 2 + ["Secret"] * 2
    assert column(plain, "round") == ["1", "1", "2", "1", "1", "1", "1"]
    assert column(plain, "nickname") == ["Anna", "'=Bert", "Anna", "Anna", "Anna", "", ""]
    assert column(book, "nickname") == ["Anna", "=Bert", "Anna", "Anna", "Anna", None, None]
    assert column(book, "participant_id")[:2] == [str(people["Anna"].id), str(people["=Bert"].id)]
    assert column(plain, "moderation") == ["visible"] * 7


async def test_a_row_for_each_participant(api: Api) -> None:
    event, people = await room(api)
    gone = await event.join("Cleo")
    await api.delete(f"/participants/{gone.id}", event.host)

    plain, book, lines = [await rows(event, form, "table") for form in ("csv", "xlsx", "jsonl")]

    seat = ["participant_id", "nickname", "joined_at", "scripted"]
    assert plain[0] == book[0] == [*seat, "Lunch (round 1)", "Lunch (round 2)", "Many", "Secret"]
    assert [[row[1], *row[4:]] for row in plain[1:]] == [
        ["Anna", "curry", "-5", '[1.5,"x"]', ""],
        ["'=Bert", "a; b", "", "", ""],
        ["", "", "", "", "ape"],
        ["", "", "", "", "zebra"],
    ]
    assert [[row[1], *row[4:]] for row in book[1:]] == [
        ["Anna", "curry", -5, '[1.5,"x"]', None],
        ["=Bert", "a; b", None, None, None],
        [None, None, None, None, "ape"],
        [None, None, None, None, "zebra"],
    ]
    listed = [(line["participant_id"], [(each["round"], each["response_data"]) for each in line["answers"]]) for line in lines]
    assert listed == [
        (people["Anna"].id, [(1, {"choice": "curry"}), (2, -5), (1, 1.5), (1, "x")]),
        (people["=Bert"].id, [(1, {"words": ["a", "b"]})]),
        (None, [(1, "ape")]),
        (None, [(1, "zebra")]),
    ]


async def test_an_activity_without_a_title_is_called_by_its_question(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active", config={"question": "Where to?", "options": []})
    await event.answer(poll, await event.join("Anna"), 1)

    assert column(await rows(event, "csv"), "activity") == ["Where to?"]
    assert (await rows(event, "xlsx", "table"))[0][4:] == ["Where to?"]


async def test_anonymous_answers_name_nobody_in_any_file(api: Api) -> None:
    event = await make_event(api)
    seat = await event.join("Canary-Anna")
    secret = await event.activity(status="active", anonymous=True, min_group=1)
    answer = (await event.answer(secret, seat, "told")).json()
    await event.move(secret, "expired")

    for form in ("csv", "xlsx"):
        found = await rows(event, form)
        given = dict(zip(found[0], found[1], strict=True))
        assert given.pop("answer") == "told"
        assert {name for name, value in given.items() if value} == {"activity", "type", "round", "moderation"}
    for shape in ("responses", "table"):
        (line,) = [each for each in await rows(event, "jsonl", shape) if "told" in json.dumps(each)]
        assert "Canary" not in json.dumps(line)
        assert str(seat.id) not in json.dumps(line)
    assert answer["id"] not in json.dumps(await rows(event, "csv"))


async def test_what_looks_like_a_formula_is_text(api: Api) -> None:
    event = await make_event(api, title="=1+1")
    seat = await event.join("@Anna")
    wall = await event.activity(title="=cmd|' /C calc'!A0", status="active", response_policy="many")
    for text in TEXTS:
        assert (await event.answer(wall, seat, {"text": text})).status_code == 201

    plain = await rows(event, "csv")
    book = openpyxl.load_workbook(io.BytesIO((await export(event, "?format=xlsx")).content))

    assert column(plain, "answer") == [f"'{text}" for text in FORMULAS] + TEXTS[len(FORMULAS) :]
    assert column(plain, "activity")[0] == "'=cmd|' /C calc'!A0"
    cells = [row[5] for row in book.active.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert [cell.quotePrefix for cell in cells] == [True] * len(FORMULAS) + [False] * (len(TEXTS) - len(FORMULAS))
    assert [openpyxl.utils.escape.unescape(cell.value) for cell in cells] == TEXTS
    assert [each["response_data"]["text"] for each in await rows(event, "jsonl")] == TEXTS


async def test_a_cell_takes_what_a_spreadsheet_takes(api: Api) -> None:
    event = await make_event(api)
    seat = await event.join("Anna")
    many = await event.activity(title="Many", status="active", response_policy="many")
    for _ in range(3):
        await event.answer(many, seat, ["😀" * 1_900, "x" * 8_000])

    whole, cut = (await rows(event, "csv", "table"))[1][4], (await rows(event, "xlsx", "table"))[1][4]

    assert len(json.loads(whole)) == 3
    assert len(whole.encode("utf-16-le")) // 2 > 32_767
    assert 32_000 < len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert cut.endswith("(cut; CSV and JSON Lines hold all of it)")


async def test_rows_beyond_a_sheet_go_on_in_the_next(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.exports.xlsx.MAX_ROWS", 3)
    event = await make_event(api)
    for name in ("Anna", "Bert", "Cleo"):
        await event.join(name)

    first, second, *_ = sheets((await export(event, "?format=xlsx&shape=table")).content)

    assert [[row[1] for row in sheet] for sheet in (first, second)] == [["nickname", "Anna", "Bert"], ["nickname", "Cleo"]]


async def test_a_download_has_a_name_that_no_system_minds(api: Api) -> None:
    event = await make_event(api, title="../..\\CON: \u202e»Größe« 2/3?\r\n")

    answer = await export(event, "?format=xlsx&shape=table", token=api.admin)

    named = f'filename="session-{event.id}-table.xlsx"'
    assert answer.headers["content-disposition"] == f"attachment; {named}; filename*=UTF-8''CON-Gr%C3%B6%C3%9Fe-2-3-table.xlsx"
    assert answer.headers["content-type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_session_without_answers_is_a_header(api: Api) -> None:
    event = await make_event(api)

    assert [len(await rows(event, form)) for form in ("csv", "xlsx", "jsonl")] == [1, 1, 0]
    assert (await api.request("HEAD", f"{event.path}/export", token=event.host)).content == b""


async def test_what_is_not_known_is_refused(api: Api) -> None:
    event = await make_event(api)

    for query, pointer in (("?format=pdf", "/query/format"), ("?shape=round", "/query/shape"), ("?form=csv", "/query")):
        refused = await export(event, query)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await api.get("/sessions/77/export", api.admin)).status_code == 404


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Stop exports before they write: (started, continue)."""
    begun, go_on = threading.Event(), threading.Event()
    write = writer.write_file

    def waiting(*args: Any, **kwargs: Any) -> None:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        write(*args, **kwargs)

    monkeypatch.setattr(writer, "write_file", waiting)
    yield begun, go_on
    go_on.set()


@pytest.mark.catalogue("O-08")
async def test_one_export_is_written_at_a_time_and_answers_go_on(api: Api, held: tuple[threading.Event, threading.Event]) -> None:
    event = await make_event(api)
    seat = await event.join("Anna")
    poll = await event.activity(status="active")
    begun, go_on = held
    first = asyncio.ensure_future(export(event))
    assert await asyncio.to_thread(begun.wait, 20)

    second = await export(event)
    answered = await event.answer(poll, seat, 1)
    go_on.set()

    assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (429, "export-busy", "5")
    assert answered.status_code == 201
    assert (await first).status_code == 200
    assert (await export(event)).status_code == 200


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writing thread checks after every row whether the export was cancelled."""
    monkeypatch.setattr(output, "ROWS_PER_CHECK", 1)
    monkeypatch.setattr(output, "MAX_BURST_S", 0.0)


@pytest.mark.in_process
@pytest.mark.usefixtures("short_turns")
async def test_who_goes_away_stops_their_export(api: Api, held: tuple[threading.Event, threading.Event]) -> None:
    event = await make_event(api)
    await event.join("Anna")
    begun, go_on = held
    desk = api.app.domain.exports.writer
    async with listening(api.app) as port:
        _, line = await asyncio.open_connection("127.0.0.1", port)
        line.write(get(f"{event.path}/export?shape=table", event.host))
        assert await asyncio.to_thread(begun.wait, 20)
        line.close()
        await eventually(lambda: asyncio.sleep(0, desk._running is not None and desk._running.stop.is_set()))
        go_on.set()
        await eventually(lambda: asyncio.sleep(0, desk._running.is_finished))

    assert (await export(event)).status_code == 200


async def test_an_export_without_disk_space_is_reported(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    (tmp_path / "a-file").touch()
    monkeypatch.setattr(api.app.domain.exports.jobs.folder, "_path", tmp_path / "a-file" / "exports")
    refused = await export(event)
    assert (refused.status_code, refused.json()["detail"]) == (503, writer.DISK_FULL)

    monkeypatch.undo()
    monkeypatch.setattr("conflicto.exports.output.MAX_FILE_BYTES", 3)
    refused = await export(event)
    assert (refused.status_code, refused.json()["detail"]) == (503, writer.DISK_FULL)
    assert await asyncio.to_thread(api.app.domain.exports.jobs.folder.jobs) == []


@pytest.mark.usefixtures("short_turns")
async def test_a_server_that_stops_ends_its_export(api: Api, held: tuple[threading.Event, threading.Event]) -> None:
    event = await make_event(api)
    await event.join("Anna")
    begun, go_on = held
    running = asyncio.ensure_future(export(event, "?shape=table"))
    assert await asyncio.to_thread(begun.wait, 20)

    api.app.domain.exports.writer.close()
    go_on.set()

    assert (await running).status_code == 503
    assert (await export(event)).status_code == 503
