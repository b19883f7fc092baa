#!/usr/bin/env bash
# Finding: Miller 6.6.0 (Debian 12) turns valid CSV into JSON that no JSON parser accepts.
#
# Expected: `mlr --icsv --ojson` writes JSON (RFC 8259): what is a number there as a number,
#   everything else as a string.
# Observed: a field that Miller reads as a number is copied without quotes in the notation of the
#   source. `.5`, `5.`, `0x1F` and `0b11` are numbers to Miller and none in JSON. `1_000`, `+5` and
#   `Infinity` are quoted, and `1e5` is valid.
# Remedy: `mlr -S`, which treats every field as text.
# Requires Debian 12 or a distribution that has this package.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq update
apt-get -qq download miller=6.6.0-2+b3 2> download.log || { cat download.log; exit 1; }
dpkg -x miller_*.deb .

printf 'answer\n.5\n5.\n0x1F\n0b11\n1_000\n+5\nInfinity\n1e5\n' > answers.csv
usr/bin/mlr --icsv --ojson cat answers.csv > guessed.json
usr/bin/mlr -S --icsv --ojson cat answers.csv > text.json

usr/bin/mlr --version
python3 - <<'PYTHON'
import json
import re
import sys
from pathlib import Path

guessed = re.findall(r'"answer": (.*)', Path("guessed.json").read_text())
bare = [each for each in guessed if not each.startswith('"')]


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


invalid = [each for each in bare if not is_json(each)]
whole = is_json(Path("guessed.json").read_text())
with_text = is_json(Path("text.json").read_text())
print(f"written without quotes: {bare}; of these no JSON: {invalid}")
print(f"the output is JSON: {whole}; with -S: {with_text}")
as_observed = invalid == [".5", "5.", "0x1F", "0b11"] and bare[-1] == "1e5" and len(bare) == 5 and not whole and with_text
print("as observed" if as_observed else "CHANGED")
sys.exit(not as_observed)
PYTHON
