import io
import threading
import zipfile
from collections.abc import Iterator

import pytest

from conflicto.exports.output import ExportFile, ExportStopped
from conflicto.exports.sheets import Sheet
from conflicto.exports.xlsx import write_xlsx


def test_a_sink_is_a_file_until_it_is_stopped() -> None:
    file, stop = io.BytesIO(), threading.Event()
    sink = ExportFile(file, stop)
    sink.write(b"a")
    sink.writelines([b"b", b"c"])
    assert (file.getvalue(), sink.tell(), sink.seek(0)) == (b"abc", 3, 0)

    stop.set()
    with pytest.raises(ExportStopped):
        sink.writelines([b"x", b"y"])
    assert sink.write(b"closing") == 7
    assert file.getvalue() == b"abc"


def test_a_workbook_is_not_put_together_for_nobody() -> None:
    stop, file = threading.Event(), io.BytesIO()

    def rows() -> Iterator[list[str]]:
        yield ["Anna", "yes"]
        stop.set()

    with pytest.raises(ExportStopped):
        write_xlsx({"Answers": Sheet(["nickname", "answer"], rows())}, ExportFile(file, stop))
    assert file.getvalue() == b""


def test_a_workbook_that_was_given_up_may_write_its_end_to_a_closed_file() -> None:
    file = io.BytesIO()
    sink = ExportFile(file, threading.Event())
    archive = zipfile.ZipFile(sink, "w")
    archive.writestr("a", "b")
    file.close()

    archive.close()

    assert sink.write(b"more") == 4


def test_a_file_larger_than_an_export_may_be_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.exports.output.MAX_FILE_BYTES", 3)
    file = io.BytesIO()
    sink = ExportFile(file, threading.Event())
    sink.write(b"abc")

    with pytest.raises(OSError, match="too large"):
        sink.write(b"d")
    assert sink.write(b"closing") == 7
    assert file.getvalue() == b"abc"
