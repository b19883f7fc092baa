"""The contents of log lines."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from conflicto.platform.logs import LossyStream, configure_logs

CANARY = "canary-in-the-answer"
HOSTILE = 'first\r\n{"event": "forged"}\n\x1b[31mred\x1b[0m\x00'


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Yield a buffer in place of standard error, and restore logging afterwards."""
    root, sink = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", sink)
    yield sink
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def logged(sink: io.StringIO) -> Callable[[], list[dict[str, Any]]]:
    configure_logs(json=True)
    return lambda: [json.loads(line) for line in sink.getvalue().splitlines()]


@pytest.fixture
def shown(sink: io.StringIO) -> io.StringIO:
    configure_logs(json=False)
    return sink


def test_each_event_is_one_line(logged: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().warning("probe", text=HOSTILE)

    (line,) = logged()
    assert (line["event"], line["level"], line["text"]) == ("probe", "warning", HOSTILE)
    assert {"timestamp", "pid"} <= line.keys()


def test_a_line_is_one_write_because_workers_share_the_stream(
    monkeypatch: pytest.MonkeyPatch, sink: io.StringIO, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    assert logged() == []
    written: list[str] = []
    monkeypatch.setattr(sink, "write", written.append)

    structlog.get_logger().warning("probe", text=HOSTILE)

    assert [each.count("\n") for each in written] == [1]
    assert written[0].endswith("}\n")


def test_no_control_character_reaches_a_terminal(shown: io.StringIO) -> None:
    structlog.get_logger().warning("probe", text=HOSTILE)

    written = shown.getvalue()
    assert written.count("\n") == 1
    assert "\x1b" not in written
    assert "\r" not in written
    assert "\x00" not in written


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"cannot read {CANARY}"),
        KeyError(CANARY),
        IntegrityError("INSERT", {"text": CANARY}, RuntimeError(f"Failing row contains ({CANARY})")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_messages_about_data_are_not_logged_but_stack_frames_are(
    logged: Callable[[], list[dict[str, Any]]], error: Exception
) -> None:
    try:
        _raise(error)
    except type(error):
        structlog.get_logger().exception("failed")

    (line,) = logged()
    assert CANARY not in json.dumps(line)
    (exception,) = line["exception"]
    assert exception["type"].endswith(type(error).__name__)
    assert exception["at"][-1].endswith(" _raise")


def test_messages_about_code_and_causes_are_logged(logged: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        try:
            _raise(AttributeError("no such attribute"))
        except AttributeError as cause:
            raise ValueError(CANARY) from cause
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)

    (line,) = logged()
    assert [each["type"] for each in line["exception"]] == ["builtins.ValueError", "builtins.AttributeError"]
    assert line["exception"][1]["message"] == "no such attribute"


def test_records_of_libraries_have_the_same_form(logged: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("asyncio").error("took %s", "long")
    logging.getLogger("uvicorn.access").info("too quiet to be told")
    try:
        _raise(ValueError(CANARY))
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in %s", CANARY, exc_info=sys.exception())

    first, second = logged()
    assert (first["event"], first["logger"], first["message"], first["level"]) == ("library", "asyncio", "took long", "error")
    assert second["exception"][0]["type"] == "builtins.ValueError"
    assert CANARY not in json.dumps(second)


def test_text_for_a_closed_stream_is_dropped() -> None:
    closed = io.StringIO()
    closed.close()
    kept = LossyStream(closed)

    assert kept.write("lost") == 4
    kept.close()
