#!/usr/bin/env bash
# Finding: csvkit 2.2.0 (agate 1.14.2) replaces weekdays with dates of the year 1, and phrases such
#   as "3 weeks ago" with dates of the day on which it runs.
#
# Expected: type inference parses written dates and leaves other text unchanged, so that a file
#   becomes the same JSON on every day.
# Observed: `csvjson` makes dates of a column if every value can be read as a phrase of time. Of
#   "Monday" and "Friday" it writes 0001-01-08 and 0001-01-05. With "3 weeks ago" in the column it
#   counts from today: the output of one file differs from day to day. Durations are read alike:
#   "2:30" and "1 min" become "0:02:30" and "0:01:00". One value that is no phrase of time ("never")
#   keeps the column as text.
# Remedy: `--no-inference`.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
	csvkit==2.2.0 agate==1.14.2 parsedatetime==2.6 pytimeparse==1.1.8

printf 'name,when\nP1,tomorrow\nP2,3 weeks ago\n' > "$folder/phrases.csv"
printf 'name,when\nP1,Monday\nP2,Friday\n' > "$folder/weekdays.csv"
printf 'name,when\nP1,Monday\nP2,never\n' > "$folder/mixed.csv"
printf 'name,when\nP1,2:30\nP2,1 min\n' > "$folder/durations.csv"
for file in phrases weekdays mixed durations; do
	"$folder/venv/bin/csvjson" "$folder/$file.csv" > "$folder/$file.json"
done
"$folder/venv/bin/csvjson" --no-inference "$folder/phrases.csv" > "$folder/plain.json"

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import datetime as dt
import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])


def column(name: str) -> list[str]:
    return [row["when"] for row in json.loads((folder / f"{name}.json").read_text())]


today = dt.datetime.now().date()
phrases, weekdays, mixed, durations, plain = map(column, ("phrases", "weekdays", "mixed", "durations", "plain"))
print(f"csvkit 2.2.0, agate 1.14.2, on {today}")
print(f"weekdays: {weekdays}; phrases: {phrases}; beside other text: {mixed}; durations: {durations}; without inference: {plain}")
dates = [dt.datetime.fromisoformat(each).date() for each in phrases if each[:1].isdigit() and "T" in each]
near = {today + dt.timedelta(days=1), today}  # the script may run across midnight
as_observed = (
    len(dates) == 2
    and dates[0] in near
    and dates[1] in {each - dt.timedelta(days=22) for each in near}
    and weekdays == ["0001-01-08", "0001-01-05"]
    and mixed == ["Monday", "never"]
    and durations == ["0:02:30", "0:01:00"]
    and plain == ["tomorrow", "3 weeks ago"]
)
print("as observed" if as_observed else "CHANGED")
sys.exit(not as_observed)
PYTHON
