"""Exports, read by common programs: every text, number, date and boolean is unchanged.

`make export-check` installs the readers. LibreOffice is used if it is installed.
"""

import asyncio
import datetime as dt
import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_exports import export
from tests.api.test_exports_in_words import fair
from tests.support.api import Api

duckdb = pytest.importorskip("duckdb")
pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")

ANSWERS = ["Curry; Pizza; hot", "=SUM(1)", "=SUM(1); Pizza; hot; Curry", "Curry", "Curry", "Pizza; hot"]
GUARDED = [f"'{each}" if each.startswith("=") else each for each in ANSWERS]
CHOSEN = [True, False]
"""Choices of Anna and Bert: true if they chose Curry."""

OFFICE = shutil.which("soffice")


async def file(api: Api, query: str) -> tuple[bytes, Any]:
    event, people = await fair(api)
    answer = await export(event, query)
    assert answer.status_code == 200, answer.text
    return answer.content, people


async def test_pandas_reads_csv(api: Api) -> None:
    content, people = await file(api, "?format=csv")

    frame = pandas.read_csv(io.BytesIO(content), parse_dates=["received_at"])

    assert list(frame["answer"]) == GUARDED
    assert set(frame["participant_id"]) == {seat.id for seat in people.values()}
    assert str(frame["received_at"].dt.tz) == "UTC"
    assert list(frame["correct"].dropna()) == [True, False]


async def test_pandas_reads_workbooks(api: Api) -> None:
    content, _ = await file(api, "?format=xlsx&shape=wide")

    frames = pandas.read_excel(io.BytesIO(content), sheet_name=None)

    assert list(frames) == ["Answers", "Codebook"]
    assert list(frames["Answers"]["Lunch?: Curry"]) == CHOSEN
    assert frames["Answers"]["joined_at"].dtype.kind == "M"
    assert list(frames["Codebook"]["text"]) == ["Pizza; hot", "Curry", "=SUM(1)"] * 3


async def test_polars_reads_csv_and_json_lines(api: Api) -> None:
    content, _ = await file(api, "?format=csv&shape=wide")
    lines, _ = await file(api, "?format=jsonl&shape=wide")

    wide = polars.read_csv(io.BytesIO(content), try_parse_dates=True)
    frame = polars.read_ndjson(io.BytesIO(lines))

    assert wide["Lunch?: Curry"].to_list() == frame["Lunch?: Curry"].to_list() == CHOSEN
    assert isinstance(wide["joined_at"][0], dt.datetime)
    assert wide.columns == frame.columns


async def test_polars_reads_workbooks(api: Api) -> None:
    content, _ = await file(api, "?format=xlsx&shape=wide")

    frame = polars.read_excel(io.BytesIO(content), sheet_name="Answers")

    assert frame["Lunch?: Curry"].to_list() == CHOSEN
    assert isinstance(frame["joined_at"][0], dt.datetime)


async def test_duckdb_reads_csv_and_json_lines(api: Api, tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_bytes((await file(api, "?format=csv&shape=wide"))[0])
    (tmp_path / "responses.ndjson").write_bytes((await file(api, "?format=jsonl"))[0])

    with duckdb.connect() as connection:
        wide = connection.read_csv(str(tmp_path / "wide.csv")).project('"Lunch?: Curry", joined_at').fetchall()
        lines = connection.read_json(str(tmp_path / "responses.ndjson"))
        choices = lines.filter("activity_type = 'poll'").project("response_data.choices").fetchall()

    assert [row[0] for row in wide] == CHOSEN
    assert wide[0][1].utcoffset() == dt.timedelta(0)
    assert choices == [(["b", "a"],), (["c"],)]


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is missing; LIBREOFFICE=1 installs it with apt")
async def test_libreoffice_reads_workbooks(api: Api, tmp_path: Path) -> None:
    content, _ = await file(api, "?format=xlsx")
    (tmp_path / "answers.xlsx").write_bytes(content)

    command = [
        str(OFFICE),
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76",
        "--outdir",
        str(tmp_path),
    ]
    done = await asyncio.create_subprocess_exec(*command, str(tmp_path / "answers.xlsx"), stdout=asyncio.subprocess.DEVNULL)
    assert await done.wait() == 0

    frame = pandas.read_csv(tmp_path / "answers.csv")
    assert list(frame["answer"]) == ANSWERS
    assert frame["received_at"].str.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC").all()
    assert list(frame["correct"].dropna()) == [True, False]
