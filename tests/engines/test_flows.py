"""Flows in Chromium, Firefox and WebKitGTK: all cases by `make test-engines`, a sample in CI."""

import re

import pytest

from tests.engines.case_run import CaseRun
from tests.engines.flows import PLAYED
from tests.engines.matrix import FLOWS, Case, matrix, sample

pytestmark = pytest.mark.browser

SAMPLE = frozenset(sample())
LOCAL_DIGITS = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
"""Digits that no engine may show: engines differ in the digits of Arabic."""


def _marked(case: Case) -> object:
    marks = [pytest.mark.xdist_group(case.engine), *([] if case in SAMPLE else [pytest.mark.thorough])]
    return pytest.param(case, id="-".join(case), marks=marks)


@pytest.mark.parametrize("case", [_marked(case) for case in matrix()])
def test_flow(live: CaseRun, case: Case) -> None:
    PLAYED[case.flow](live)
    if case.flow != "silent":
        way = "/changes/since/" if case.transport == "poll" else "/events?"
        live.until(lambda: live.has_passed(way), f"the transport {case.transport}")
    for window in live.windows:
        assert not LOCAL_DIGITS.search(window.text()), window.keep("digits")
    assert [fault for window in live.windows for fault in window.errors()] == []


def test_every_flow_of_the_matrix_is_written() -> None:
    assert tuple(PLAYED) == FLOWS
