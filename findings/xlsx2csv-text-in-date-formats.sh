#!/usr/bin/env bash
# Finding: xlsx2csv 0.8.6 writes the quotation marks of a date format into the value, puts its
#   text into lower case, and writes every fraction of a second as ".000".
#
# Expected: in a number format, text between quotation marks is shown as it is, and `ss.000` shows
#   milliseconds (ECMA-376, part 1, 18.8.31). The cell becomes `2026-11-29 21:32:33.630 UTC`.
# Observed: `2026-11-29 21:32:33.000" utc"`, which no reader of dates takes. The milliseconds are
#   lost without the text too.
# Remedy: `xlsx2csv --dateformat "%Y-%m-%d %H:%M:%S"`, or another reader.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xlsx2csv==0.8.6 XlsxWriter==3.2.9 openpyxl==3.1.5

"$folder/venv/bin/python" - "$folder/dates.xlsx" <<'PYTHON'
import datetime as dt
import sys

import xlsxwriter

with xlsxwriter.Workbook(sys.argv[1]) as book:
    sheet = book.add_worksheet()
    instant = dt.datetime(2026, 11, 29, 21, 32, 33, 630_000)
    for row, text in enumerate(('yyyy-mm-dd hh:mm:ss.000" UTC"', "yyyy-mm-dd hh:mm:ss.000")):
        sheet.write_datetime(row, 0, instant, book.add_format({"num_format": text}))
PYTHON
"$folder/venv/bin/xlsx2csv" "$folder/dates.xlsx" "$folder/dates.csv"
"$folder/venv/bin/xlsx2csv" --dateformat "%Y-%m-%d %H:%M:%S" "$folder/dates.xlsx" "$folder/plain.csv"

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import csv
import sys
from pathlib import Path

import openpyxl

folder = Path(sys.argv[1])


def cells(name: str) -> list[str]:
    with (folder / name).open(newline="") as file:
        return [row[0] for row in csv.reader(file)]


with_text, without = cells("dates.csv")
plain = cells("plain.csv")
other = openpyxl.load_workbook(folder / "dates.xlsx").active["A1"].value
print(f"xlsx2csv 0.8.6: with text {with_text!r}, without {without!r}, with --dateformat {plain[0]!r}; openpyxl 3.1.5: {other.isoformat()}")
as_observed = (
    with_text == '2026-11-29 21:32:33.000" utc"'
    and without == "2026-11-29 21:32:33.000"
    and plain[0] == "2026-11-29 21:32:33"
    and other.microsecond == 630_000
)
print("as observed" if as_observed else "CHANGED")
sys.exit(not as_observed)
PYTHON
