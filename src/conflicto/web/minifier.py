"""Minifies own JavaScript modules: removes insignificant blanks and shortens private names.

Own modules use a few plain forms: every statement ends with a semicolon or a brace, and a division
has blanks around it. Modules of other authors are served unchanged.
"""

from __future__ import annotations

import re
from itertools import count

_STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
_REGEX = r"""(?<=[(,=:\[!&|?{};\s])/(?![*/\ ])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*"""
_TOKEN = re.compile(rf"(?P<kept>{_STRING}|{_REGEX})|(?P<template>`)|(?P<blank>[ \t]+)")
_IN_TEMPLATE = re.compile(r"\\.|`|\$\{", re.DOTALL)
_IN_PLACEHOLDER = re.compile(rf"{_STRING}|[`{{}}]")
_PRIVATE = re.compile(r"(?:(?<=\.)|^|(?<=;)|(?<=async )|(?<=get ))#([A-Za-z]\w*)", re.MULTILINE)
_CONSTANT = re.compile(r"^const ([A-Z]+(?:_[A-Z]+)+)=", re.MULTILINE)
_WORD = re.compile(r"[\w$#]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class UnterminatedTemplate(ValueError):
    """A template literal does not end."""


def minify_module(text: str) -> str:
    """Return a bundled module without insignificant blanks, with short private names and constants.

    Raises:
        UnterminatedTemplate: a template literal does not end.
    """
    parts: list[str] = []
    at = 0
    while match := _TOKEN.search(text, at):
        parts.append(text[at : match.start()])
        at = _end_of_template(text, match.end()) if match["template"] else match.end()
        parts.append(_required_blank(text, match) if match["blank"] else text[match.start() : at])
    return _shorten_constants(_shorten_private_names("".join(parts) + text[at:]))


def _end_of_template(text: str, at: int) -> int:
    """Return the end of the template literal whose text begins at `at`. Templates may be nested."""
    while match := _IN_TEMPLATE.search(text, at):
        if match[0] == "`":
            return match.end()
        at = _end_of_placeholder(text, match.end()) if match[0] == "${" else match.end()
    raise UnterminatedTemplate(text[at : at + 80])


def _end_of_placeholder(text: str, at: int) -> int:
    depth = 1
    while match := _IN_PLACEHOLDER.search(text, at):
        at = _end_of_template(text, match.end()) if match[0] == "`" else match.end()
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return at
    raise UnterminatedTemplate(text[at : at + 80])


def _required_blank(text: str, blank: re.Match[str]) -> str:
    one, other = text[max(0, blank.start() - 1) : blank.start()], text[blank.end() : blank.end() + 1]
    is_needed = (_WORD.match(one) and _WORD.match(other)) or (one == other and one in {"+", "-"})
    return " " if is_needed else ""


def _shorten_private_names(text: str) -> str:
    found = dict.fromkeys(_PRIVATE.findall(text))
    short = dict(zip(sorted(found, key=lambda name: -text.count(f"#{name}")), map(_short_name, count()), strict=False))
    return _PRIVATE.sub(lambda match: f"#{short[match[1]]}", text)


def _shorten_constants(text: str) -> str:
    """Replace the names of constants by short ones.

    A name in braces is exported or imported, and stays.
    """
    names = [name for name in dict.fromkeys(_CONSTANT.findall(text)) if not re.search(rf"(?:(?<!\$){{|,){name}[,}}]", text)]
    for number, name in enumerate(names):
        text = re.sub(rf"(?<![\w$])(?:(?<!\.)|(?<=\.\.\.)){name}(?!\w)", f"${_short_name(number)}", text)
    return text


def _short_name(number: int) -> str:
    more, letter = divmod(number, len(_LETTERS))
    return _LETTERS[letter] + (str(more) if more else "")
