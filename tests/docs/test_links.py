"""Tests of links, file names, verbs and numbers of decisions in the pages."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import CURRENT_PAGES, DECISIONS, PAGES, ROOT, text, unfenced

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(
    r"`((?:tests|tools|docs|requirements|src|platform|sessions|activities|participants|responses|feed|access|cli|migrations)/[\w./-]+\.\w+)`"
)
MAX_DECISION_CHARACTERS = 7_000
"""Characters of a decision record: about 70 lines."""

SECTIONS = ("Context", "Decision", "Consequences", "Alternatives", "References")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", unfenced(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(unfenced(page)):
        if not link.startswith("https://"):
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.is_file(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", CURRENT_PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    for name in FILE.findall(text(page)):
        assert (ROOT / name).exists() or (ROOT / "src/conflicto" / name).exists(), name


def test_verbs_that_are_named_exist_and_all_are_explained() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        verb
        for page in CURRENT_PAGES
        for verb in re.findall(r"`make ([a-z-]+)[^`]*`|^make ([a-z-]+)", text(page), re.MULTILINE)
        for verb in verb
        if verb
    }

    assert named <= verbs
    assert (
        verbs
        - {
            "help",
            "clean",
            "lock",
            "fmt",
            "setup",
            "test-fast-path",
            "bench-tools",
            "browser-tools",
            "engine-tools",
            "deploy-tools",
            "reader-tools",
            "pooler-tools",
            "voting-tools",
            "client-tools",
        }
        <= named
    )


def test_commands_that_are_named_exist() -> None:
    from typer.main import get_command

    from conflicto.cli import application

    known = set(get_command(application()).commands)
    named = {name for page in PAGES for name in re.findall(r"`conflicto ([a-z]+)", unfenced(page))}

    assert named <= known


def test_decisions_have_one_number_each_and_are_whole() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]

    assert sorted(set(numbers)) == numbers  # a number may be reserved for work that was not merged
    assert numbers[0] == 1
    for page in DECISIONS:
        assert text(page).startswith(f"# {page.name[:4]} "), page.name
        assert re.findall(r"^\*\*(\w+)\.\*\*", text(page), re.MULTILINE) == list(SECTIONS), page.name
        assert len(text(page)) <= MAX_DECISION_CHARACTERS, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_no_machine(page: Path) -> None:
    here = {f"{Path.home()}/", f"{ROOT}/", "index-url"}
    assert not [name for name in here if name in text(page)]
    assert not re.search(r"(?<![\w.:/])/(?:home|tmp|mnt|srv)/", text(page))


def test_no_page_is_empty() -> None:
    pages = [each for each in ROOT.rglob("*.md") if not {".venv", "node_modules"} & set(each.relative_to(ROOT).parts)]

    assert [str(each.relative_to(ROOT)) for each in pages if not text(each).strip()] == []
