"""Modules of views, read by a parser: imports, exports, keys of texts, risky names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT = "default"

RISKY_NAMES = frozenset({"innerHTML", "outerHTML", "insertAdjacentHTML", "eval"})
"""Members and functions that turn text into markup or code."""


class ModuleSyntaxError(ValueError):
    """A text is no module of ECMAScript 2026. `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class ModuleImport(NamedTuple):
    """An import of a module. `names` are the exports that it needs, empty for all or none."""

    specifier: str
    names: tuple[str, ...]
    line: int


class Use(NamedTuple):
    """A use of a name or of a text's key."""

    name: str
    line: int


@dataclass(slots=True)
class ViewModule:
    """Content of a module. `text_keys` are literal first arguments of methods named `t`.

    `star_exports` are the specifiers of modules whose exports it exports again.
    """

    imports: list[ModuleImport] = field(default_factory=list)
    exports: set[str] = field(default_factory=set)
    star_exports: list[str] = field(default_factory=list)
    text_keys: list[Use] = field(default_factory=list)
    risky: list[Use] = field(default_factory=list)


def parse_module(text: str) -> ViewModule:
    """Parse a module.

    The parser takes about 20 µs for each byte.

    Raises:
        ModuleSyntaxError: the text is no module.
    """
    import esprima  # noqa: PLC0415 - most servers start without views of strangers

    try:
        tree = esprima.parseModule(text, {"loc": True})
    except esprima.Error as error:
        message = str(error.message).partition(": ")[2] or str(error.message)
        raise ModuleSyntaxError(message, error.lineNumber or 1) from None
    module = ViewModule()
    for node in _nodes(tree):
        if node.type in _READERS:
            _READERS[node.type](module, node)
    return module


def _nodes(tree: Any) -> Iterator[Any]:  # noqa: ANN401 - nodes of the parser
    """Yield all nodes of a tree, parents first, in the order of the text."""
    from esprima.nodes import Node  # noqa: PLC0415 - as in `parse_module`

    left = [tree]
    while left:
        node = left.pop()
        yield node
        below = [value for values in vars(node).values() for value in (values if isinstance(values, list) else [values])]
        left += reversed([value for value in below if isinstance(value, Node)])


def _read_import(module: ViewModule, node: Any) -> None:  # noqa: ANN401
    named = [part for part in node.specifiers if part.type != "ImportNamespaceSpecifier"]
    wanted = tuple(DEFAULT if part.type == "ImportDefaultSpecifier" else _name(part.imported) for part in named)
    module.imports.append(ModuleImport(node.source.value, wanted, node.loc.start.line))


def _read_dynamic_import(module: ViewModule, node: Any) -> None:  # noqa: ANN401
    specifier = _literal(node.source)
    if specifier is not None:
        module.imports.append(ModuleImport(specifier, (), node.loc.start.line))


def _read_export_all(module: ViewModule, node: Any) -> None:  # noqa: ANN401
    module.imports.append(ModuleImport(node.source.value, (), node.loc.start.line))
    if node.exported is None:
        module.star_exports.append(node.source.value)
    else:
        module.exports.add(_name(node.exported))


def _read_export(module: ViewModule, node: Any) -> None:  # noqa: ANN401
    module.exports |= {_name(part.exported) for part in node.specifiers}
    if node.source is not None:
        names = tuple(_name(part.local) for part in node.specifiers)
        module.imports.append(ModuleImport(node.source.value, names, node.loc.start.line))
    declaration = node.declaration
    if declaration is not None:
        targets = [each.id for each in declaration.declarations] if declaration.type == "VariableDeclaration" else [declaration.id]
        module.exports |= {name for target in targets for name in _bound_names(target)}


def _read_default(module: ViewModule, _: Any) -> None:  # noqa: ANN401
    module.exports.add(DEFAULT)


def _read_call(module: ViewModule, node: Any) -> None:  # noqa: ANN401
    callee = node.callee
    if callee.type == "Identifier" and callee.name in RISKY_NAMES:
        module.risky.append(Use(callee.name, node.loc.start.line))
    key = _literal(node.arguments[0]) if node.arguments else None
    if key is not None and callee.type == "MemberExpression" and not callee.computed and callee.property.name == "t":
        module.text_keys.append(Use(key, node.loc.start.line))


def _read_member(module: ViewModule, node: Any) -> None:  # noqa: ANN401
    name = _literal(node.property) if node.computed else getattr(node.property, "name", None)
    if name in RISKY_NAMES:
        module.risky.append(Use(str(name), node.loc.start.line))


_READERS = {
    "ImportDeclaration": _read_import,
    "ImportExpression": _read_dynamic_import,
    "ExportAllDeclaration": _read_export_all,
    "ExportNamedDeclaration": _read_export,
    "ExportDefaultDeclaration": _read_default,
    "CallExpression": _read_call,
    "MemberExpression": _read_member,
}


def _name(node: Any) -> str:  # noqa: ANN401
    """Return the name of an import or export, which may be a string."""
    return str(node.value if node.type == "Literal" else node.name)


def _literal(node: Any) -> str | None:  # noqa: ANN401
    """Return a text without parts that are computed, None if a node is something else."""
    if node.type == "Literal" and isinstance(node.value, str):
        return node.value
    if node.type == "TemplateLiteral" and not node.expressions:
        return str(node.quasis[0].value.cooked)
    return None


def _bound_names(target: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield the names that a declaration binds, also those within patterns."""
    if target is None:
        return
    if target.type == "Identifier":
        yield target.name
    for part in (getattr(target, name, None) for name in ("argument", "left")):
        yield from _bound_names(part)
    for part in getattr(target, "elements", None) or ():
        yield from _bound_names(part)
    for part in getattr(target, "properties", None) or ():
        yield from _bound_names(part.value if part.type == "Property" else part)
