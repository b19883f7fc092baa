"""The form of an archive, without a database."""

import io
from pathlib import Path

import pytest

from conflicto.platform.db.archive import CHUNK_BYTES, ArchiveInvalid, ArchiveWriter, Header, Section, open_archive

HEADER = Header("0001", 1_700_000_000_000_000, "2023-11-14T22:13:20.000000Z", "1.0", "sqlite", None)
PEOPLE = Section("people", ("id", "name"), ("plain", "plain"))
NOBODY = Section("nobody", ("id",), ("plain",))


def written(file: Path, *sections: tuple[Section, list[list[object]]]) -> dict[str, int]:
    with file.open("wb") as target:
        archive = ArchiveWriter(target, HEADER)
        for section, rows in sections:
            archive.section(section, rows)
        return archive.finish()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rows = [[number, "é\n\u2028\"'" * 300] for number in range(2_000)]
    assert sum(len(str(row[1])) for row in rows) > CHUNK_BYTES

    counts = written(tmp_path / "archive", (PEOPLE, rows), (NOBODY, []))

    with open_archive(tmp_path / "archive") as archive:
        read = [(section, list(found)) for section, found in archive.sections()]
        assert archive.header == HEADER
    assert read == [(PEOPLE, rows), (NOBODY, [])]
    assert counts == archive.rows == {"people": 2_000, "nobody": 0}


def test_rows_that_were_not_taken_are_missed(tmp_path: Path) -> None:
    written(tmp_path / "archive", (PEOPLE, [[1, "a"], [2, "b"]]))

    with open_archive(tmp_path / "archive") as archive:
        sections = archive.sections()
        _, found = next(sections)
        next(found)
        with pytest.raises(ArchiveInvalid, match="row counts differ"):
            next(sections)


def test_one_that_was_never_finished_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    ArchiveWriter(file, HEADER).section(PEOPLE, [[1, "a"]])
    (tmp_path / "archive").write_bytes(file.getvalue())

    with pytest.raises(ArchiveInvalid, match="damaged or incomplete"), open_archive(tmp_path / "archive"):
        pass
