import ast
import subprocess
from pathlib import Path

import pytest

from tools.check_language import (
    comments,
    complaints,
    definitions,
    docstrings,
    markdown,
    names,
    plurals,
    private_words,
    script,
    subjects,
)

WIDE = "word " * 20 + "."


def in_docstring(text: str) -> list[str]:
    source = f'def f():\n    """{text}"""\n'
    return [what for _, what in docstrings("src/a.py", ast.parse(source), source.splitlines())]


def in_modules(**sources: str) -> list[tuple[str, str]]:
    return list(names({f"src/{name}.py": ast.parse(source) for name, source in sources.items()}))


@pytest.mark.parametrize("word", ["Who", "What", "Whether", "How", "Where", "When", "Which", "Why"])
def test_a_docstring_that_begins_like_a_question_is_found(word):
    (what,) = in_docstring(f"{word} comes next.")

    assert "noun phrase or an imperative verb" in what


@pytest.mark.parametrize("text", ["Return the next command.", "The fair queue.", "Whatsoever.", "Howl."])
def test_a_docstring_that_begins_with_a_noun_or_a_verb_passes(text):
    assert in_docstring(text) == []


def test_a_wide_docstring_is_found_at_its_line():
    source = f'"""Title.\n\n{WIDE}\n"""\n'

    assert list(docstrings("src/a.py", ast.parse(source), source.splitlines())) == [("src/a.py:3", "prose ends at column 100")]


def test_the_description_of_a_constant_is_read_like_a_docstring():
    source = 'MAX_ROWS = 3\n"""How many rows."""\n'

    assert [where for where, _ in docstrings("src/a.py", ast.parse(source), source.splitlines())] == ["src/a.py:2"]


def test_a_sentence_of_more_than_25_words_is_found():
    assert in_docstring("Word" + "\n    word" * 24 + ".") == []
    assert in_docstring("Word" + "\n    word" * 25 + ".") == ["a sentence of 26 words, at most 25: Word …"]


def test_code_in_a_sentence_is_one_word():
    assert in_docstring("Run `a b c\n    d e f g h i j k l m n o p q r s t u v w x y z` now.") == []


@pytest.mark.parametrize("mark", ["- ", "├── ", "│   ├── ", "└── "])
def test_items_of_lists_and_branches_of_trees_are_sentences(mark):
    assert in_docstring("Items" + f"\n    {mark}one word more" * 12) == []


def test_an_inverted_word_is_found_with_its_replacement():
    assert in_docstring("Write the file anew.") == ['"anew": write again']


def test_a_wide_comment_is_found_on_a_line_of_its_own_alone():
    wide = "# " + WIDE

    assert [where for where, _ in comments("a.py", f"{wide}\nx = 1  {wide}\n")] == ["a.py:1"]


def test_a_comment_with_an_address_may_be_wide():
    assert list(comments("a.py", f"# {'x' * 90} https://example.org/{'y' * 30}\n")) == []


@pytest.mark.parametrize("line", [f"| {WIDE} |", f"[a]: https://example.org/{'y' * 90}", f"![a picture]({'y' * 100}.png)"])
def test_tables_and_lone_links_may_be_wide(line):
    assert list(markdown("a.md", line)) == []


def test_code_in_markdown_may_be_wide_and_prose_behind_it_may_not():
    assert [where for where, _ in markdown("a.md", f"```\n{WIDE}\n```\n{WIDE}\n")] == ["a.md:4"]


def test_a_class_name_of_two_modules_is_found():
    ((where, what),) = in_modules(a="class Room: ...", b="class Room: ...", c="class Hall: ...")

    assert where == "src::Room"
    assert "src/a.py, src/b.py" in what


@pytest.mark.parametrize("name", ["MOST_ROWS", "_LONGEST_WAIT_S", "LEAST"])
def test_a_bound_with_a_name_of_its_own_is_found(name):
    assert [where for where, _ in in_modules(a=f"{name} = 1")] == [f"src/a.py::{name}"]


def test_a_bound_with_the_common_name_passes():
    assert in_modules(a="MAX_ROWS = 1\nMIN_WAIT_S = 2\nALMOST = 3") == []


def test_a_module_beside_its_plural_is_found():
    assert [where for where, _ in plurals(["src/feed/head.py", "src/feed/heads.py", "src/sessions/gaps.py"])] == [
        "src/feed/heads.py"
    ]


def test_subjects_that_are_long_or_hold_two_changes_are_found():
    found = list(subjects(["a Cap result folds", f"b {'x' * 73}", "c Do this; do that"]))

    assert [where for where, _ in found] == ["commit b", "commit c"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text('"""How it is."""\n')
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    for subject in ("Begin", "Do this; do that"):
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", subject], check=True)
    return tmp_path


def exempting(root: Path, **reasons: str) -> list[str]:
    lines = "".join(f'"{place}" = "{reason}"\n' for place, reason in reasons.items())
    (root / "tools/language.toml").write_text(f'commits_since = "HEAD~1"\n[exempt]\n{lines}')
    return complaints(root)


def test_modules_and_new_commits_of_a_repository_are_read(repository):
    found = exempting(repository)

    assert len(found) == 2
    assert found[0].startswith("src/a.py:1: a docstring begins")
    assert found[1].endswith("no semicolon in its subject")


def test_an_exemption_needs_a_reason_and_a_breach(repository):
    assert len(exempting(repository, **{"src/a.py": "it quotes a question"})) == 1
    assert "tools/language.toml: src/a.py has no reason" in exempting(repository, **{"src/a.py": " "})
    assert "tools/language.toml: src/b.py needs no exemption" in exempting(repository, **{"src/b.py": "gone"})


def test_a_clone_without_the_first_commit_is_checked_without_commits(repository):
    (repository / "tools/language.toml").write_text('commits_since = "0123abc"\n[exempt]\n"src/a.py" = "it quotes"\n')

    assert complaints(repository) == []


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "def is_told(): ...",
        "def f(nth): ...",
        "class Said: ...",
        "self.asked_s = 0",
        "UPTO = 3",
        "for nth, x in y: ...",
    ],
)
def test_a_private_word_in_a_definition_is_found(source):
    assert len(list(private_words("src/a.py", definitions(ast.parse(source))))) == 1


@pytest.mark.parametrize("source", ["x = told", "basaid = 1", "toldness = 2", "label = 'told'"])
def test_other_uses_of_a_private_word_pass(source):
    assert list(private_words("src/a.py", definitions(ast.parse(source)))) == []


def test_a_private_word_in_javascript_is_found_in_names_and_not_in_texts():
    source = 'const wasTold = (nth) => t("told.you"); // what was said\n/* asked */'

    assert {where for where, _ in script("a.js", source)} == {"a.js::wasTold", "a.js::nth"}


def test_an_inverted_comment_in_javascript_is_found_at_its_line():
    (found,) = script("a.js", "const a = 1;\n// Draws the list anew.\n")

    assert found == ("a.js:2", '"anew": write again')


def test_a_private_word_in_a_key_of_a_catalog_is_found():
    assert [where for where, _ in private_words("en.json", ["state.told", "results.title"])] == ["en.json::state.told"]
