"""A live server for the clients, and the OpenAPI document as it serves it."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.clients.tools import require_tools
from tests.support.processes import Served, served


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    require_tools()


@pytest.fixture(scope="session")
def server(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def document(server: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the OpenAPI document, as any client gets it."""
    answer = httpx2.get(f"{server.url}/api/v1/openapi.json", verify=False, trust_env=False)
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_bytes(answer.content)
    return file
