"""Tests of the generated pages: they are up to date and complete."""

import re

from conflicto.app import App
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.problems import DomainError, Kind, registry
from conflicto.settings import Settings
from tools import generate_docs

SETTINGS = (generate_docs.DOCS / "settings.md").read_text(encoding="utf-8")
ERRORS = (generate_docs.DOCS / "errors.md").read_text(encoding="utf-8")
AT_THE_DOOR = {"method-not-allowed", "not-http", "head-too-large", "host-invalid", "too-many-connections"}
"""Codes returned before the server matches a route."""


def ours() -> list[type[DomainError]]:
    return [error for error in registry().values() if error.__module__.startswith("conflicto.")]


def test_pages_are_up_to_date() -> None:
    for path, made in generate_docs.pages().items():
        assert path.read_text(encoding="utf-8") == made, f"{path.name} is old: run `make docs`"


def test_every_setting_is_listed_with_its_meaning() -> None:
    for field in Settings.model_fields.values():
        assert field.description
        assert f"| `{field.alias}` | " in SETTINGS


def test_every_code_has_a_section_and_a_row(app: App) -> None:
    sections = re.findall(r"^## (\S+)$", ERRORS, re.MULTILINE)

    assert sorted(sections) == sorted(error.code for error in ours())
    for error in ours():
        assert f"| [`{error.code}`](#{error.code}) | {STATUS[error.kind]} | {error.title} |" in ERRORS


def test_codes_are_kebab_case_and_explained() -> None:
    for error in ours():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)
        assert error.__doc__, error.code
        assert error.__doc__ != DomainError.__doc__, error.code


def test_every_code_is_declared_by_a_route(app: App) -> None:
    declared = {
        error.code for by_status in app.edge.api_document.problems.values() for errors in by_status.values() for error in errors
    }

    assert {error.code for error in ours()} - declared == AT_THE_DOOR


def test_every_kind_has_one_status() -> None:
    assert set(STATUS) == set(Kind)
    assert len(set(STATUS.values())) == len(STATUS)
