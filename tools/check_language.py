"""Check names, prose and commit subjects against the rules in CONTRIBUTING.md.

- Names: class names are unique, bounds are named `MAX_*` or `MIN_*`, and no module name is the
  plural of another. Names in Python and JavaScript and keys of catalogs hold no private word.
- Prose: docstrings begin with a noun phrase or an imperative verb. Sentences have at most 25 words,
  lines end at column 100, and inverted words are replaced by plain ones.
- Commits: subjects have at most 72 characters and no semicolon.

tools/language.toml lists exemptions, each with a reason. An unused exemption is a failure too.
"""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_COLUMN = 100
MAX_SENTENCE_WORDS = 25
MAX_SUBJECT_CHARACTERS = 72
CODE = ("src", "tools", "bench", "tests")
SCRIPTS = ("src/**/*.js", "src/**/*.d.ts", "tests/**/*.js", "tests/**/*.ts", "tools/*.mjs")
CATALOGS = ("src/conflicto/web/i18n/*.json", "src/conflicto/activity_types/*/i18n/*.json")
MARKDOWN = ("*.md", "docs/*.md", "docs/decisions/*.md", ".github/*.md")

PRIVATE_BOUND = re.compile(r"_?(MOST|LEAST|FEWEST|LONGEST|SHORTEST|LARGEST|SMALLEST|BIGGEST|HIGHEST|LOWEST|UPMOST)(_[A-Z0-9_]+)?")
QUESTION = re.compile(r"(Who|Whose|What|Whatever|Whether|How|Where|When|Which|Why)\b")
REPLACEMENTS = {
    re.compile(r"\banew\b"): "again",
    re.compile(r"\bsave for\b"): "except",
    re.compile(r"\bsave that\b"): "except that",
    re.compile(r"\bof which\b"): "two sentences",
    re.compile(r"\bnone but\b"): "only",
    re.compile(r"\bso many\b"): "a number with a name",
}
"""Inverted or old-fashioned words, and the replacement of each."""

PRIVATE_WORDS = {
    "told": "the content, such as items, response or expected",
    "untold": "the content, such as ignored",
    "said": "the content, such as message or output",
    "asked": "the content, such as request or question",
    "heard": "received, or notified",
    "hears": "receives",
    "says": "states, or names",
    "tells": "reports, or returns",
    "speaks": "uses",
    "nth": "index, number or round_number",
    "upto": "through",
    "anew": "again",
}
"""Words that no name holds, and what to write. Each had several meanings here."""

NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
SCRIPT_TEXT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\\\.|[^\"\\\\\n])*\"", re.DOTALL)
"""Comments and plain strings of JavaScript, which hold no names."""
SCRIPT_COMMENT = re.compile(r"(?<!:)//[^\n]*|/\*.*?\*/", re.DOTALL)

SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n\s*\n|\n\s*(?:[-*] |[│├└])")
"""End of a sentence: punctuation, an empty line, an item of a list or a branch of a tree."""
TABLE_OR_LINK = re.compile(r"\s*(\||\[[^]]+\]: |!?\[[^]]*\]\(\S+\)[.,;]?$|<)|.*https?://\S+$")

Breach = tuple[str, str]
"""A place ("path:line" or "path::name"), and the fault there."""


def names(sources: Mapping[str, ast.Module]) -> Iterator[Breach]:
    """Yield each class name that two modules of `src` define, and each bound with another name."""
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and path.startswith("src/"):
                places[node.name].append(path)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and PRIVATE_BOUND.fullmatch(node.id):
                yield f"{path}::{node.id}", "a bound is MAX_* or MIN_*, with a noun and a unit"
    for name, paths in places.items():
        if len(paths) > 1:
            yield f"src::{name}", f"{len(paths)} classes have this name: {', '.join(paths)}"


def private_words(where: str, found: Iterable[str]) -> Iterator[Breach]:
    """Yield each name that holds a private word."""
    for name in dict.fromkeys(found):
        for part in {part.lower() for part in NAME_PART.findall(name)} & PRIVATE_WORDS.keys():
            yield f"{where}::{name}", f'"{part}" in a name: write {PRIVATE_WORDS[part]}'


def definitions(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module defines or assigns."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def script(path: str, source: str) -> Iterator[Breach]:
    """Yield private words in names, and inverted words in comments, of a JavaScript module."""
    yield from private_words(path, re.findall(r"[A-Za-z_$][\w$]*", SCRIPT_TEXT.sub(" ", source)))
    for comment in SCRIPT_COMMENT.finditer(source):
        yield from ((f"{path}:{source.count(chr(10), 0, comment.start()) + 1}", each) for each in _inverted(comment[0]))


def plurals(paths: Iterable[str]) -> Iterator[Breach]:
    """Yield each module whose name is the plural of another module beside it."""
    modules = {path.removesuffix(".py") for path in paths}
    for module in sorted(modules):
        if f"{module}s" in modules:
            yield f"{module}s.py", f"the plural of {Path(module).name}.py: name both for their contents"


def docstrings(path: str, tree: ast.Module, lines: list[str]) -> Iterator[Breach]:
    """Yield the faults of a module's docstrings."""
    for text, node in _docstrings(tree):
        where = f"{path}:{node.lineno}"
        if QUESTION.match(text):
            yield where, f"a docstring begins with a noun phrase or an imperative verb, not with {text.split()[0]}"
        for at, line in enumerate(lines[node.lineno - 1 : node.end_lineno], node.lineno):
            if len(line) > MAX_COLUMN and not TABLE_OR_LINK.match(line):
                yield f"{path}:{at}", f"prose ends at column {MAX_COLUMN}"
        yield from ((where, each) for each in _sentences(text))


def comments(path: str, source: str) -> Iterator[Breach]:
    """Yield each comment that is too wide or inverted. A comment behind code may end with it."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            own_line = not token.line[: token.start[1]].strip()
            if own_line and token.end[1] > MAX_COLUMN and not re.search(r"https?://|# (noqa|type):", token.string):
                yield f"{path}:{token.start[0]}", f"prose ends at column {MAX_COLUMN}"
            yield from ((f"{path}:{token.start[0]}", each) for each in _inverted(token.string))


def markdown(path: str, text: str) -> Iterator[Breach]:
    """Yield each line of prose that is too wide. Code, tables and lone links may be wider."""
    fenced = False
    for at, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not TABLE_OR_LINK.match(line):
            if len(line) > MAX_COLUMN:
                yield f"{path}:{at}", f"prose ends at column {MAX_COLUMN}"
            yield from ((f"{path}:{at}", each) for each in _inverted(line))


def subjects(lines: Iterable[str]) -> Iterator[Breach]:
    """Yield each commit with a long subject or a semicolon in it. A line is `hash subject`."""
    for line in lines:
        commit, _, subject = line.partition(" ")
        if len(subject) > MAX_SUBJECT_CHARACTERS:
            yield f"commit {commit}", f"{len(subject)} characters, at most {MAX_SUBJECT_CHARACTERS}"
        if ";" in subject:
            yield f"commit {commit}", "one commit is one change: no semicolon in its subject"


def _docstrings(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the docstrings of modules, classes, functions, constants and fields."""
    for node in ast.walk(tree):
        for each in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str):
                yield each.value.value, each.value


def _sentences(text: str) -> Iterator[str]:
    for sentence in SENTENCE_END.split(text):
        words = len(re.sub(r"`[^`]*`", "code", sentence).split())
        if words > MAX_SENTENCE_WORDS:
            yield f"a sentence of {words} words, at most {MAX_SENTENCE_WORDS}: {sentence.split()[0]} …"
    yield from _inverted(text)


def _inverted(text: str) -> Iterator[str]:
    for inverted, plain in REPLACEMENTS.items():
        if found := inverted.search(text):
            yield f'"{found[0]}": write {plain}'


def breaches(root: Path) -> Iterator[Breach]:
    """Yield all faults in the repository at `root`."""
    texts = {
        file.relative_to(root).as_posix(): file.read_text(encoding="utf-8")
        for folder in CODE
        for file in sorted((root / folder).rglob("*.py"))
    }
    trees = {path: ast.parse(text, path) for path, text in texts.items()}
    yield from names(trees)
    yield from plurals(path for path in texts if path.startswith("src/"))
    for path, text in texts.items():
        yield from docstrings(path, trees[path], text.splitlines())
        yield from comments(path, text)
        yield from private_words(path, definitions(trees[path]))
    for path, text in _texts(root, SCRIPTS):
        yield from script(path, text)
    for path, text in _texts(root, CATALOGS):
        yield from private_words(path, json.loads(text))
    for path, text in _texts(root, MARKDOWN):
        yield from markdown(path, text)


def _texts(root: Path, patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield path and content of each file that matches a pattern, without generated ones."""
    for file in sorted({file for pattern in patterns for file in root.glob(pattern)}):
        path = file.relative_to(root).as_posix()
        if "/bundle/" not in path and "/node_modules/" not in path:
            yield path, file.read_text(encoding="utf-8")


def commits(root: Path, since: str) -> Iterator[Breach]:
    """Yield the faults of the commits after `since`, nothing if the clone lacks that commit."""
    command = ["git", "-C", str(root), "log", "--no-merges", "--format=%h %s", f"{since}..HEAD"]
    log = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    yield from subjects(log.stdout.splitlines())


def complaints(root: Path) -> list[str]:
    """Return a line for each breach without an exemption, and for each unusable exemption."""
    settings = tomllib.loads((root / "tools/language.toml").read_text(encoding="utf-8"))
    exempt: dict[str, str] = settings.get("exempt", {})
    found = [*breaches(root), *commits(root, settings["commits_since"])]
    places = {_place(where) for where, _ in found}
    return [
        *(f"{where}: {what}" for where, what in found if _place(where) not in exempt),
        *(f"tools/language.toml: {where} has no reason" for where, reason in exempt.items() if not reason.strip()),
        *(f"tools/language.toml: {where} needs no exemption" for where in exempt if where not in places),
    ]


def _place(where: str) -> str:
    """Return the place without its line number, which changes often."""
    return re.sub(r":\d+$", "", where)


def main() -> int:
    """Print all faults and return the exit code."""
    lines = complaints(Path(__file__).parent.parent)
    print("\n".join(lines) if lines else "Names and prose keep their rules.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
