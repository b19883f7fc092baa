from pathlib import Path

import pytest

from tools.check_sizes import FUNCTION_LINES, MODULE_LINES, PUBLIC_METHODS, breaches, complaints


def function(lines, head="def f():"):
    return head + "\n    pass" * (lines - 1) + "\n"


def class_with(methods, name="m"):
    return "class C:\n" + "".join(f"    def {name}{number}(self): ...\n" for number in range(methods))


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * MODULE_LINES,
        function(FUNCTION_LINES),
        class_with(PUBLIC_METHODS),
        class_with(PUBLIC_METHODS + 1, name="_m"),
        "class C:\n" + "    def m(self): ...\n" * (PUBLIC_METHODS + 1),
    ],
    ids=["module", "function", "class", "private methods", "one name many times"],
)
def test_what_is_at_its_limit_passes(source):
    assert list(breaches(source, "src/a.py")) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\n" * 401, ("src/a.py", "401 lines, at most 400")),
        (function(51), ("src/a.py::f", "51 lines, at most 50")),
        (function(51, "async def f():"), ("src/a.py::f", "51 lines, at most 50")),
        (class_with(13), ("src/a.py::C", "13 public methods, at most 12")),
    ],
    ids=["module", "function", "async function", "class"],
)
def test_what_is_past_its_limit_is_named(source, expected):
    assert list(breaches(source, "src/a.py")) == [expected]


def test_a_nested_function_is_named_with_all_that_holds_it():
    body = "".join(f"                x = {number}\n" for number in range(FUNCTION_LINES))
    source = f"class C:\n    def m(self):\n        if True:\n            def inner():\n{body}"

    assert [where for where, _ in breaches(source, "src/a.py")] == ["src/a.py::C.m", "src/a.py::C.m.inner"]


def test_a_class_of_tests_may_have_any_number_of_methods():
    assert list(breaches(class_with(PUBLIC_METHODS + 1), "tests/a.py")) == []


@pytest.mark.parametrize(
    ("length", "exemptions", "expected"),
    [
        (51, "", ["src/a.py::f: 51 lines, at most 50"]),
        (51, '"src/a.py::f" = "a table"', []),
        (51, '"src/a.py::f" = " "', ["tools/sizes.toml: src/a.py::f has no reason"]),
        (50, '"src/a.py::f" = "a table"', ["tools/sizes.toml: src/a.py::f is within its size"]),
    ],
    ids=["no exemption", "exemption", "no reason", "no longer needed"],
)
def test_an_exemption_has_a_reason_and_a_need(tmp_path: Path, length, exemptions, expected):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text(function(length))
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/sizes.toml").write_text(f"[exempt]\n{exemptions}\n")

    assert complaints(tmp_path) == expected
