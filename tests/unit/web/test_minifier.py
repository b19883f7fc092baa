"""Minifying a module keeps its behaviour."""

import pytest

from conflicto.web.minifier import UnterminatedTemplate, minify_module


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ('const a = { b, c: "d , e" };\n', 'const a={b,c:"d , e"};\n'),
        ("return a in b ? c : -d;\n", "return a in b?c:-d;\n"),
        ("a + +b; a - -b; a + b;\n", "a+ +b;a- -b;a+b;\n"),
        ("const re = /a , [b/ ] c/g;\nx = a / b / c;\n", "const re=/a , [b/ ] c/g;\nx=a/b/c;\n"),
        ("t(`a  ${b + c} : d`, { n })\n", "t(`a  ${b + c} : d`,{n})\n"),
        ("if (x) return { y };\nelse throw new Z(1);\n", "if(x)return{y};\nelse throw new Z(1);\n"),
        ('s.split(", ").join(" = ");\n', 's.split(", ").join(" = ");\n'),
    ],
)
def test_blanks_that_mean_nothing_go_and_texts_stay(text: str, short: str) -> None:
    assert minify_module(text) == short


def test_private_names_are_short_and_what_only_looks_like_one_stays() -> None:
    text = (
        "class A {\n#long = 1;#longer;\nasync #run() { return this.#long + other.#longer; }\n}\n"
        'const at = "#long";\nconst to = `#longer=${x}`;\n'
    )
    assert minify_module(text) == (
        'class A{\n#a=1;#b;\nasync #c(){return this.#a+other.#b;}\n}\nconst at="#long";\nconst to=`#longer=${x}`;\n'
    )


def test_templates_in_templates_stay() -> None:
    nested = 'const a = `x  ${b ? `c  d ${"}"} ${ { e } }` : 1} y`;'
    assert minify_module(f"{nested} x  = 1;\n") == f"{nested.replace('a = ', 'a=')}x=1;\n"


def test_a_template_without_an_end_is_refused() -> None:
    with pytest.raises(UnterminatedTemplate):
        minify_module("const a = `x ${b} \n")


def test_constants_are_short_unless_they_are_exported_or_imported() -> None:
    text = (
        "const WAIT_MS = 5;\nconst SHARED_MS = 6;\nconst { OTHER_MS } = $x;\n"
        "t(`${WAIT_MS}`, WAIT_MS + a.WAIT_MS, ...WAIT_MS);\nreturn { SHARED_MS };\n"
    )
    assert minify_module(text) == (
        "const $a=5;\nconst SHARED_MS=6;\nconst{OTHER_MS}=$x;\nt(`${$a}`,$a+a.WAIT_MS,...$a);\nreturn{SHARED_MS};\n"
    )
