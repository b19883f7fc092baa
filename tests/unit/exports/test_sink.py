import io
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from conflicto.exports.sheets import Sheet
from conflicto.exports.writing import Sink, Stopped, close_unread
from conflicto.exports.xlsx import write_xlsx


def test_a_sink_is_a_file_until_it_is_stopped() -> None:
    file, stop = io.BytesIO(), threading.Event()
    sink = Sink(file, stop)
    sink.write(b"a")
    sink.writelines([b"b", b"c"])
    assert (file.getvalue(), sink.tell(), sink.seek(0)) == (b"abc", 3, 0)

    stop.set()
    with pytest.raises(Stopped):
        sink.writelines([b"x", b"y"])
    assert sink.write(b"closing") == 7
    assert file.getvalue() == b"abc"


def test_a_workbook_is_not_put_together_for_nobody() -> None:
    stop, file = threading.Event(), io.BytesIO()

    def rows() -> Iterator[list[str]]:
        yield ["Anna", "yes"]
        stop.set()

    with pytest.raises(Stopped):
        write_xlsx({"Answers": Sheet(["nickname", "answer"], rows())}, Sink(file, stop))
    assert file.getvalue() == b""


def test_a_workbook_that_was_given_up_may_write_its_end_to_a_closed_file() -> None:
    file = io.BytesIO()
    sink = Sink(file, threading.Event())
    archive = zipfile.ZipFile(sink, "w")
    archive.writestr("a", "b")
    file.close()

    archive.close()

    assert sink.write(b"more") == 4


def test_a_file_that_nobody_waits_for_any_more_is_closed() -> None:
    written: Future[tuple[str, io.BytesIO]] = Future()
    written.add_done_callback(close_unread)
    file = io.BytesIO()

    written.set_result(("Town hall", file))

    assert file.closed


def test_an_export_that_failed_left_no_file() -> None:
    written: Future[tuple[str, io.BytesIO]] = Future()
    written.set_exception(Stopped())

    close_unread(written)
