import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.api import Api, Event, Seat, make_event
from tests.support.processes import environment, run


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, DATABASE_URL=database_url)


async def _poll(event: Event, title: str, answers: list[tuple[Seat, str]], **fields: object) -> dict:
    activity = await event.activity(title=title, status="active", **fields)
    for seat, data in answers:
        path = f"{event.path}/activities/{activity['id']}/responses"
        headers = {"content-type": "application/json"}
        body = f'{{"response_data": {data}}}'.encode()
        assert (await event.api.post(path, token=seat.token, content=body, headers=headers)).status_code == 201
    return activity


def table(done) -> list[list[str]]:
    assert done.exit_code == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout.removeprefix("\ufeff"), newline="")))


async def test_jsonl_holds_every_answer_byte_for_byte(api: Api, env: dict[str, str]) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    texts = ['{"b":1.50,"a":[1E2,"\\u00e9 é"]}', "null"]
    poll = await _poll(event, "Free", list(zip((anna, bert), texts, strict=True)))

    done = run("export", event.code, env=env)

    lines = done.stdout.splitlines()
    assert [text in line for text, line in zip(texts, lines, strict=True)] == [True, True]
    first = json.loads(lines[0])
    assert (first["activity_id"], first["activity_title"], first["round"], first["revision"]) == (poll["id"], "Free", 1, 1)
    assert (first["participant_id"], first["nickname"], first["moderation"]) == (anna.id, "Anna", "visible")


async def test_the_table_has_a_row_for_everyone_and_a_column_for_every_round(api: Api, env: dict[str, str]) -> None:
    event = await make_event(api)
    anna, bert, cleo, dora = [await event.join(name) for name in ("Anna", "Bert", "=Cleo", "Dora")]
    await _poll(event, "Wall", [(anna, '"a"'), (anna, "2"), (bert, '"b"')], response_policy="many")
    again = await _poll(event, "Again", [(anna, '{"choice":"=1+1"}'), (dora, '{"x":1,"y":2}')])
    await api.post(f"{event.path}/activities/{again['id']}/rounds", {}, token=event.host)
    await event.answer(again, anna, {"choice": -5})
    await event.answer(again, bert, True)
    await api.delete(f"/participants/{dora.id}", event.host)
    await api.delete("/participants/me", bert.token)

    header, *rows = table(run("export", str(event.id), "--format", "csv", "--shape", "table", env=env))

    assert header == ["participant_id", "nickname", "joined_at", "scripted", "Wall", "Again (round 1)", "Again (round 2)"]
    assert [[row[0], row[1], *row[4:]] for row in rows] == [
        [str(anna.id), "Anna", '["a",2]', "'=1+1", "-5"],
        [str(cleo.id), "'=Cleo", "", "", ""],
        [str(dora.id), "Dora", "", '{"x":1,"y":2}', ""],
    ]


async def test_anonymous_answers_stand_apart_in_every_format(api: Api, env: dict[str, str]) -> None:
    event = await make_event(api)
    anna, bert = await event.join("Anna"), await event.join("Bert")
    await _poll(event, "Open", [(anna, '"yes"'), (bert, '"no"')])
    secret = await _poll(event, "Secret", [(anna, '"zebra"'), (bert, '"ape"')], anonymous=True, min_group=2)
    await event.move(secret, "expired")

    done = run("export", str(event.id), "--format", "csv", "--shape", "table", env=env)
    lines = [json.loads(line) for line in run("export", str(event.id), env=env).stdout.splitlines()]

    _, *rows = table(done)
    assert [[row[1], *row[4:]] for row in rows] == [["Anna", "yes", ""], ["Bert", "no", ""], ["", "", "ape"], ["", "", "zebra"]]
    assert rows[2][:4] == rows[3][:4] == ["", "", "", ""]
    assert "Anonymous, so in rows of their own without participant: Secret." in done.stderr
    secret = [line for line in lines if line["activity_title"] == "Secret"]
    assert [(line["participant_id"], line["nickname"]) for line in secret] == [(None, None), (None, None)]


async def test_a_file_takes_its_name_when_it_is_whole(api: Api, env: dict[str, str], tmp_path: Path) -> None:
    event = await make_event(api)
    await _poll(event, "Free", [(await event.join("Anna"), "1")])
    target = tmp_path / "answers.jsonl"

    done = run("export", str(event.id), "--output", target, env=env)
    missing = run("export", "77", "--output", tmp_path / "none.jsonl", env=env)

    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(target.read_text())["response_data"] == 1
    assert missing.exit_code == 4
    assert not (tmp_path / "none.jsonl").exists()
    assert run("export", str(event.id), "--output", tmp_path / "no/such/folder", env=env).exit_code == 3
