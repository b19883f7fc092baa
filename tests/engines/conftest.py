import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines.matrix import ENGINES, Case
from tests.support.processes import Served, served

if TYPE_CHECKING:
    from selenium.webdriver import Remote

    from tests.engines.case_run import CaseRun

collect_ignore = [] if find_spec("selenium") else ["test_flows.py"]
"""`make test` goes without the drivers, which `make test-engines` installs."""

REPORT = pytest.StashKey[bool]()


class Engines:
    """Running engines. Each starts on first use, and again after a failed test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, tuple[AbstractContextManager[Remote], Remote]] = {}
        self.starts = 0

    def get(self, engine: str) -> "Remote":
        from tests.engines.drivers import started

        if engine not in self.running:
            self.starts += 1
            manager = started(engine, self.folder / f"{engine}-{self.starts}")
            self.running[engine] = manager, manager.__enter__()
        return self.running[engine][1]

    def drop(self, engine: str) -> None:
        if engine in self.running:
            self.running.pop(engine)[0].__exit__(None, None, None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[REPORT] = item.stash.get(REPORT, True) and report.passed  # type: ignore[attr-defined]
    return report


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    found = Engines(tmp_path_factory.mktemp("engines"))
    yield found
    for engine in ENGINES:
        found.drop(engine)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def live(case: Case, engines: Engines, server: Served, tmp_path: Path, request: pytest.FixtureRequest) -> "Iterator[CaseRun]":
    """Yield an open session for the case. Without its engine a test is skipped, or fails in CI."""
    from tests.engines.case_run import run_case
    from tests.engines.drivers import missing

    if lacks := missing(case.engine):
        assert "CI" not in os.environ, f"{case.engine} needs {lacks}"
        pytest.skip(f"{case.engine} needs {lacks}: run `make engine-tools`")
    try:
        with run_case(case, engines.get(case.engine), server, tmp_path) as made:
            yield made
    finally:
        if not request.node.stash.get(REPORT, False):
            engines.drop(case.engine)
