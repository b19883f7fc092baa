"""Linters of OpenAPI documents, without findings."""

import json
from pathlib import Path

import pytest

from tests.clients.tools import HERE, run


def test_spectral_is_clean(document: Path, tmp_path: Path) -> None:
    run("spectral", "lint", document, "--ruleset", HERE / ".spectral.yaml", "--fail-severity=hint", cwd=tmp_path)


def test_redocly_is_clean(document: Path, tmp_path: Path) -> None:
    run("redocly", "lint", document, "--config", HERE / "redocly.yaml", cwd=tmp_path)


def test_linters_check_the_document(document: Path, tmp_path: Path) -> None:
    """Both linters find an injected fault."""
    damaged = json.loads(document.read_text())
    damaged["paths"]["/api/v1/join"]["post"]["operationId"] = damaged["paths"]["/api/v1/sessions"]["post"]["operationId"]
    file = tmp_path / "damaged.json"
    file.write_text(json.dumps(damaged))

    with pytest.raises(AssertionError, match="operationId-unique"):
        test_spectral_is_clean(file, tmp_path)
    with pytest.raises(AssertionError, match="operationId-unique"):
        test_redocly_is_clean(file, tmp_path)
