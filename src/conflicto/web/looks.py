"""How a reader wants pages: language, theme and size of text. The address decides, else a cookie, else what the browser says.

Pages come as they are wanted, so nothing is seen in another theme first. What stands in the address is kept in a cookie.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.web.asking import cookie, header, query
from conflicto.web.languages import NAMES, chosen, direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHOICES = {"theme": ("auto", "light", "dark"), "size": ("normal", "large", "largest")}
"""What can be chosen; the first of each is what nobody has chosen."""

KEPT_S = 365 * 86_400


class Looks(NamedTuple):
    """What a page is made for. `theme` and `size` are among `CHOICES`."""

    locale: str
    theme: str
    size: str


def looks_of(scope: Any) -> Looks:  # noqa: ANN401 - ASGI
    """Return what the reader wants."""
    locale = chosen(NAMES, query(scope, "lang"), cookie(scope, "lang"), header(scope, b"accept-language"))
    return Looks(locale, *(_choice(scope, name) for name in CHOICES))


def cookies_of(scope: Any) -> list[tuple[bytes, bytes]]:  # noqa: ANN401 - ASGI
    """Return the headers that keep what the address asks for."""
    known = {"lang": tuple(NAMES), **CHOICES}
    asked = ((name, query(scope, name)) for name in known)
    return [
        (b"set-cookie", f"{name}={value}; Path=/; Max-Age={KEPT_S}; SameSite=Lax".encode())
        for name, value in asked
        if value in known[name]
    ]


def looks_form(words: Mapping[str, str], looks: Looks) -> str:
    """Return the form in which a reader chooses; without scripts it asks for the page anew."""
    languages = [(name, f'lang="{name}" dir="{direction(name)}"', text) for name, text in NAMES.items()]
    fields = [_field("lang", words, languages, looks.locale)]
    for name, of in (("theme", looks.theme), ("size", looks.size)):
        fields.append(_field(name, words, [(value, "", words[f"looks.{value}"]) for value in CHOICES[name]], of))
    return (
        f'<details class="menu looks" data-looks><summary><span aria-hidden="true">Aa</span>'
        f'<span class="hidden-text">{escape(words["looks.title"])}</span></summary>'
        f'<form class="stack card" method="get">{"".join(fields)}'
        f"<noscript><button>{escape(words['looks.apply'])}</button></noscript></form></details>"
    )


def _field(name: str, words: Mapping[str, str], options: Iterable[tuple[str, str, str]], of: str) -> str:
    listed = "".join(
        f'<option value="{value}" {more}{" selected" if value == of else ""}>{escape(text)}</option>'
        for value, more, text in options
    )
    return f'<label for="looks-{name}">{escape(words[f"looks.{name}"])}</label><select id="looks-{name}" name="{name}">{listed}</select>'


def _choice(scope: Any, name: str) -> str:  # noqa: ANN401 - ASGI
    for wish in (query(scope, name), cookie(scope, name)):
        if wish in CHOICES[name]:
            return wish
    return CHOICES[name][0]
