#!/usr/bin/env bash
# Finding: pylightxl 1.61 reads every text of a workbook with inline strings as an empty string,
#   without an error.
#
# Expected: a cell of the type `inlineStr` holds its text in the sheet (ECMA-376, part 1, 18.18.11).
#   Writers that stream rows use it, XlsxWriter with `constant_memory` among them, since the table
#   of shared strings would have to stay in memory.
# Observed: numbers arrive, texts are `""`. The same rows with shared strings arrive whole.
# Remedy: another reader. openpyxl 3.1.5 reads both.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pylightxl==1.61 XlsxWriter==3.2.9 openpyxl==3.1.5

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

import openpyxl
import pylightxl
import xlsxwriter

ROWS = [["option", "answers"], ["Curry", 3], ["Pizza", 4]]


def write(path: Path, **options: bool) -> str:
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
    return str(path)


def read(path: str) -> list[list[object]]:
    book = pylightxl.readxl(path)
    return list(book.ws(book.ws_names[0]).rows)


folder = Path(sys.argv[1])
inline = write(folder / "inline.xlsx", constant_memory=True)
shared = write(folder / "shared.xlsx")
other = [list(row) for row in openpyxl.load_workbook(inline).active.values]
print(f"pylightxl 1.61: inline {read(inline)}, shared {read(shared)}; openpyxl 3.1.5: inline {other}")
as_observed = read(inline) == [["", ""], ["", 3], ["", 4]] and read(shared) == other == ROWS
print("as observed" if as_observed else "CHANGED")
sys.exit(not as_observed)
PYTHON
