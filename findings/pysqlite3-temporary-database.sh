#!/usr/bin/env bash
# Finding: in the wheel pysqlite3 0.6.1, a temporary database (opened without a name) never goes to
#   disk.
#
# Expected: SQLite writes the pages of a database with an empty name to a temporary file when the
#   cache is full (https://sqlite.org/inmemorydb.html, "Temporary Databases"). This applies to the
#   default, SQLITE_TEMP_STORE=1.
# Observed: the wheel is built with SQLITE_TEMP_STORE=3, "always memory". 64 MiB of rows stay in the
#   process, and no temporary file is open. `PRAGMA temp_store = FILE` has no effect and reads back
#   as 1. A program cannot limit its memory this way.
# Remedy: open a named file in a temporary folder, then unlink it.
# Requires Linux, because the script reads open files from /proc.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pysqlite3==0.6.1

"$folder/venv/bin/python" - <<'PYTHON'
import os
import sys

from pysqlite3 import dbapi2 as sqlite3

MIB = 1024 * 1024
ROWS = 64


def resident_mib() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def open_database_files() -> int:
    links = (os.path.join("/proc/self/fd", each) for each in os.listdir("/proc/self/fd"))
    return sum("etilqs" in os.readlink(link) for link in links if os.path.islink(link))


connection = sqlite3.connect("")
options = {row[0] for row in connection.execute("PRAGMA compile_options")}
connection.execute("PRAGMA temp_store = FILE")
connection.execute("PRAGMA cache_size = -1024")
said = connection.execute("PRAGMA temp_store").fetchone()[0]
connection.execute("CREATE TABLE t (x BLOB)")
before = resident_mib()
connection.executemany("INSERT INTO t VALUES (randomblob(?))", [(MIB,)] * ROWS)
connection.commit()
grown, files = resident_mib() - before, open_database_files()

print(f"pysqlite3 0.6.1, SQLite {sqlite3.sqlite_version}, {'TEMP_STORE=3' in options=}")
print(f"PRAGMA temp_store reads {said}; {ROWS} MiB of rows with a cache of 1 MiB: resident +{grown:.0f} MiB, temporary files open: {files}")
as_observed = "TEMP_STORE=3" in options and grown > ROWS / 2 and files == 0
print("as observed" if as_observed else "CHANGED")
sys.exit(not as_observed)
PYTHON
