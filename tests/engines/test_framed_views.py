"""Framed views in Chromium, Firefox and WebKitGTK: what they may not, they cannot.

Each view tries one thing and answers whether it got through. A third of them runs in CI with each
engine, all by `make test-engines`.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.engines.matrix import ENGINES, Case
from tests.support.custom_types import put_type
from tests.support.misbehaving_views import EXCESSES, LEAVES, REACHES, answering_views
from tests.support.processes import Served, served
from tests.support.sink import Sink, sink

if TYPE_CHECKING:
    from tests.engines.case_run import CaseRun
    from tests.engines.conftest import Engines
    from tests.engines.window import Window

pytestmark = pytest.mark.browser

LAST = "floods-with-text"  # its draft stays on the phone as a notice
NAMES = [name for name in (*REACHES, *LEAVES, *EXCESSES) if name not in {"preconnect", LAST}] + [LAST]
"""The views that are tried in every engine; `tests/browser/test_framed_views.py` has all."""

SPINS = {"spins"}
"""Views that only an engine with a process for each frame can cut off."""

CASES = [(engine, name) for engine in ENGINES for name in NAMES if engine == "chromium" or name not in SPINS]
CONFIG = {"question": "us"}


def _marked(engine: str, name: str) -> object:
    in_sample = (NAMES.index(name) + ENGINES.index(engine)) % len(ENGINES) == 0
    marks = [pytest.mark.xdist_group(engine), *([] if in_sample else [pytest.mark.thorough])]
    return pytest.param(engine, name, id=f"{engine}-{name}", marks=marks)


@pytest.fixture(scope="module")
def outside() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory, outside: Sink) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("strangers")
    for name, modules in answering_views(outside.url, outside.stun).items():
        put_type(folder / "types" / name, name, modules)
    with served(folder / "data", CONFLICTO_ACTIVITY_TYPES=str(folder / "types")) as server:
        yield server


class Rooms:
    """An open session for each engine, with a phone that stays for all views."""

    def __init__(self, engines: "Engines", server: Served, folder: pytest.TempPathFactory, stack: ExitStack) -> None:
        self._engines, self._server, self._folder, self._stack = engines, server, folder, stack
        self._open: dict[str, tuple[CaseRun, Window]] = {}

    def get(self, engine: str) -> "tuple[CaseRun, Window]":
        from tests.engines.case_run import run_case
        from tests.engines.drivers import missing

        if lacks := missing(engine):
            assert "CI" not in os.environ, f"{engine} needs {lacks}"
            pytest.skip(f"{engine} needs {lacks}: run `make engine-tools`")
        if engine not in self._open:
            case = Case(engine, "frames", "en", "stream")
            run = run_case(case, self._engines.get(engine), self._server, self._folder.mktemp(engine))
            live = self._stack.enter_context(run)
            self._open[engine] = live, live.phone()
        return self._open[engine]


@pytest.fixture(scope="module")
def rooms(engines: "Engines", strangers: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    with ExitStack() as stack:
        yield Rooms(engines, strangers, tmp_path_factory, stack)


@pytest.mark.parametrize(("engine", "name"), [_marked(*each) for each in CASES])
def test_a_framed_view_keeps_to_its_activity(rooms: Rooms, outside: Sink, engine: str, name: str) -> None:
    live, phone = rooms.get(engine)
    outside.received.clear()
    before = phone.run("return location.href")
    made = live.activity(name, CONFIG, response_policy="many")

    if name in EXCESSES:
        phone.see(live.word("view.stopped"))
        phone.find("main textarea")
    elif name in REACHES:
        live.until(lambda: bool(live.answers(made)), f"the outcome of {name}")
        assert live.answers(made)[-1] == {"waved": False}, f"{name} got through in {engine}"
    else:  # an engine cuts the view off, or refuses the navigation and the view goes on
        live.until(lambda: live.word("view.stopped") in phone.text() or bool(live.answers(made)), f"the end of {name}")

    phone.see(CONFIG["question"])
    assert outside.received == []
    assert phone.run("return location.href") == before
