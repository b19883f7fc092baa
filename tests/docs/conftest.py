"""Fixtures of the documentation tests, which use SQLite only: the pages describe both databases."""

from pathlib import Path
from typing import Any

import pytest

from conflicto.app import App
from tests.support import databases
from tests.support.api import document_of


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    return databases.sqlite_copy(sqlite_template, tmp_path)


@pytest.fixture
async def document(app: App) -> dict[str, Any]:
    return document_of(app)
