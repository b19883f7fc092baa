"""Links modules into a few files at start, so that a phone on bad Wi-Fi asks for three instead of fifteen.

Our modules are written as browsers read them. This joins them: every module becomes a function of its own that returns what it exports,
in the order in which they need one another. What all pages and views share (`core/`, `sdk/v1.js`) becomes one file, so that there is one of
it; every other entry takes its own imports in. Only the plain forms that our modules use are understood, and anything else stops the start.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from posixpath import normpath, relpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHARED = "core.js"
SHARED_PATHS = ("core/", "sdk/v1.js")

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const|let) (\w+)", re.MULTILINE)
_EXPORT_LIST = re.compile(r"^export \{([^}]*)\};\n", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*//.*\n|[ \t]+// [^\"'`\n]*$", re.MULTILINE)
_INDENTATION = re.compile(r"^[ \t]+|^\n", re.MULTILINE)
_CSS_BLANKS = re.compile(r"/\*.*?\*/\s*|(?<=[{};:,])\s+|\s+(?=[{}])", re.DOTALL)
_MODULE = re.compile(r"^const (\$\w+) ?= ?\(\(\) ?=> ?\{", re.MULTILINE)
_VARIABLE = re.compile(r"\$[A-Za-z]\w+")
_UNSUPPORTED = re.compile(r"^(?:import|export)\b(?! default class)", re.MULTILINE)


class UnsupportedModule(ValueError):
    """A module says something that this linker does not understand, or imports what is not there."""


def bundle(modules: Mapping[str, str]) -> dict[str, str]:
    """Return the files to serve for modules by path: the shared one, and each other entry with what it needs.

    Raises:
        UnsupportedModule: names the module and the reason.
    """
    shared = [name for name in modules if name.startswith(SHARED_PATHS)]
    order = _dependency_order(shared, modules)
    body = "".join(_wrap_module(name, modules) for name in order)
    names = ", ".join(_variable(name) for name in order)
    files = {SHARED: f"{body}export {{ {names} }};\n"}
    return files | {name: _bundle_entry(name, modules) for name in modules if not name.startswith(SHARED_PATHS)}


def shorten_variables(files: Mapping[str, str]) -> dict[str, str]:
    """Return bundled files with short variables for modules, the same ones in every file."""
    names = sorted({name for text in files.values() for name in _MODULE.findall(text)})
    short = {name: f"${number}" for number, name in enumerate(names)}
    return {file: _VARIABLE.sub(lambda match: short.get(match[0], match[0]), text) for file, text in files.items()}


def strip_comments(body: str) -> str:
    """Return one of our own modules without its comments, which phones need not download.

    No text of ours goes over several lines, so a line that begins like a comment is one; and so is what ends a line without a quote.
    """
    return _COMMENT.sub("", body)


def strip_indentation(body: str) -> str:
    """Return one of our own modules without the blanks that lines begin with, and without empty lines."""
    return _INDENTATION.sub("", body)


def minify_css(body: str) -> str:
    """Return one of our own style sheets without comments, and without blanks that mean nothing."""
    return _CSS_BLANKS.sub("", body)


def _bundle_entry(name: str, modules: Mapping[str, str]) -> str:
    order = [each for each in _dependency_order([name], modules) if each != name]
    own = [each for each in order if not each.startswith(SHARED_PATHS)]
    taken = [_variable(each) for each in order if each.startswith(SHARED_PATHS)]
    head = f'import {{ {", ".join(taken)} }} from "{_relative_to_shared(name)}";\n' if taken else ""
    return head + "".join(_wrap_module(each, modules) for each in own) + _rewrite_imports(name, modules[name])


def _dependency_order(names: Iterable[str], modules: Mapping[str, str]) -> list[str]:
    """Return the modules and all that they import, each behind what it needs."""
    found: list[str] = []
    for name in names:
        _visit(name, modules, found, ())
    return found


def _visit(name: str, modules: Mapping[str, str], found: list[str], above: tuple[str, ...]) -> None:
    if name in above or name not in modules:
        message = f"{name} is imported in a circle or is not there: {' → '.join(above)}"
        raise UnsupportedModule(message)
    for _, address in _IMPORT.findall(modules[name]):
        _visit(_resolve(name, address), modules, found, (*above, name))
    if name not in found:
        found.append(name)


def _wrap_module(name: str, modules: Mapping[str, str]) -> str:
    body = _rewrite_imports(name, modules[name])
    names = [match[1] for match in _EXPORT.findall(body)]
    body = _EXPORT.sub(r"\1 \2", body)
    for listed in _EXPORT_LIST.findall(body):
        names += [each.strip() for each in listed.split(",")]
    body = _EXPORT_LIST.sub("", body)
    if _UNSUPPORTED.search(body):
        message = f"{name} imports or exports in a form that is not understood"
        raise UnsupportedModule(message)
    return f"const {_variable(name)} = (() => {{\n{body}return {{ {', '.join(names)} }};\n}})();\n"


def _rewrite_imports(name: str, body: str) -> str:
    def taken(match: re.Match[str]) -> str:
        names = ", ".join(part.strip().replace(" as ", ": ") for part in match[1].split(",") if part.strip())
        return f"const {{ {names} }} = {_variable(_resolve(name, match[2]))};\n"

    body = _IMPORT.sub(taken, body)
    if re.search(r"^import\b", body, re.MULTILINE):
        message = f"{name} imports in a form that is not understood"
        raise UnsupportedModule(message)
    return body


def _resolve(name: str, address: str) -> str:
    return normpath((PurePosixPath(name).parent / address).as_posix())


def _relative_to_shared(name: str) -> str:
    path = relpath(SHARED, PurePosixPath(name).parent.as_posix())
    return path if path.startswith(".") else f"./{path}"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
