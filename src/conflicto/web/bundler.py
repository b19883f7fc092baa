"""Bundles JavaScript modules into a few files at start: a phone requests three instead of fifteen.

The sources are standard modules. In a bundle each module becomes a function that returns its
exports; dependencies come first. Modules that all pages and views share (`core/`, `sdk/v1.js`)
become one file, so that each exists once. Every other entry contains its own imports. The bundler
supports only the forms of import and export that the modules use; any other form stops the start.
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
    """A module uses an unsupported form, or imports a missing module."""


def bundle(modules: Mapping[str, str]) -> dict[str, str]:
    """Return the files to serve by path: the shared file, and each other entry with its imports.

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
    """Return an own module without its comments.

    Own modules have no texts over several lines. So a line that begins like a comment is one, and
    so is the end of a line without a quote.
    """
    return _COMMENT.sub("", body)


def strip_indentation(body: str) -> str:
    """Return an own module without indentation and empty lines."""
    return _INDENTATION.sub("", body)


def minify_css(body: str) -> str:
    """Return an own style sheet without comments and insignificant whitespace."""
    return _CSS_BLANKS.sub("", body)


def _bundle_entry(name: str, modules: Mapping[str, str]) -> str:
    order = [each for each in _dependency_order([name], modules) if each != name]
    own = [each for each in order if not each.startswith(SHARED_PATHS)]
    shared = [_variable(each) for each in order if each.startswith(SHARED_PATHS)]
    head = f'import {{ {", ".join(shared)} }} from "{_relative_to_shared(name)}";\n' if shared else ""
    return head + "".join(_wrap_module(each, modules) for each in own) + _rewrite_imports(name, modules[name])


def _dependency_order(names: Iterable[str], modules: Mapping[str, str]) -> list[str]:
    """Return the modules and all their imports, dependencies first."""
    found: list[str] = []
    for name in names:
        _visit(name, modules, found, ())
    return found


def _visit(name: str, modules: Mapping[str, str], found: list[str], above: tuple[str, ...]) -> None:
    if name in above or name not in modules:
        message = f"{name} is part of an import cycle or missing: {' → '.join(above)}"
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
        message = f"{name} uses an unsupported form of import or export"
        raise UnsupportedModule(message)
    return f"const {_variable(name)} = (() => {{\n{body}return {{ {', '.join(names)} }};\n}})();\n"


def _rewrite_imports(name: str, body: str) -> str:
    def rewrite(match: re.Match[str]) -> str:
        names = ", ".join(part.strip().replace(" as ", ": ") for part in match[1].split(",") if part.strip())
        return f"const {{ {names} }} = {_variable(_resolve(name, match[2]))};\n"

    body = _IMPORT.sub(rewrite, body)
    if re.search(r"^import\b", body, re.MULTILINE):
        message = f"{name} uses an unsupported form of import"
        raise UnsupportedModule(message)
    return body


def _resolve(name: str, address: str) -> str:
    return normpath((PurePosixPath(name).parent / address).as_posix())


def _relative_to_shared(name: str) -> str:
    path = relpath(SHARED, PurePosixPath(name).parent.as_posix())
    return path if path.startswith(".") else f"./{path}"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
