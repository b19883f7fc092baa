import json
import random
import sys

import msgspec
import pytest

from conflicto.platform import strict_json
from conflicto.platform.problems import DomainError, Kind
from conflicto.platform.strict_json import CONFIG_LIMITS, RESPONSE_LIMITS, JsonLimits, compact, pointer_escape

MAX = 2**53 - 1


def refused(body: bytes, limits: JsonLimits = RESPONSE_LIMITS) -> str:
    with pytest.raises(DomainError) as caught:
        compact(body, limits)
    assert caught.value.kind is (Kind.TOO_LARGE if caught.value.code == "body-too-large" else Kind.MALFORMED)
    return caught.value.code


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]", core: bytes = b"") -> bytes:
    return opening * depth + core + closing * depth


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b' { "b" : [ 1 , 2.50 ] ,\r\n\t"a" : null } ', b'{"b":[1,2.50],"a":null}'),
        (b'{"a":1}', b'{"a":1}'),
        (b'" spaces  stay "', b'" spaces  stay "'),
        (b' [ "a , b : { } [ ] \\" c" ] ', b'["a , b : { } [ ] \\" c"]'),
        (b"[ ]", b"[]"),
        (b" true ", b"true"),
        ('["é", "日本", "\U0001f600"]'.encode(), '["é","日本","\U0001f600"]'.encode()),
    ],
)
def test_compact_removes_only_insignificant_whitespace(body, expected):
    assert compact(body, RESPONSE_LIMITS) == expected


@pytest.mark.parametrize(
    "token",
    [
        rb'"\u00e9\u00E9\/\"\\\b\f\n\r\t"',
        rb'"\ud83d\ude00"',
        rb'"\u0001"',
        b'"\x7f"',
        b"-0",
        b"-0.0",
        b"1.0",
        b"1.50",
        b"1E5",
        b"1e+05",
        b"0.10000000000000000000001",
        b"9007199254740993.0",
        b"1e-400",
        b"1.7976931348623157e308",
        str(MAX).encode(),
        str(-MAX).encode(),
        b"1e16",
        b'"1234567890123456789"',
        rb'"\\u0000"',
    ],
)
def test_token_keeps_its_spelling(token):
    assert compact(b' { "k" : [ ' + token + b" ] } ", RESPONSE_LIMITS) == b'{"k":[' + token + b"]}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"nul",
        b"True",
        b'{"a":1}x',
        b'{"a":1} {}',
        b"1 2",
        b"[1,]",
        b'{"a":1,}',
        b"[1 2]",
        b"[,1]",
        b"{'a':1}",
        b"{a:1}",
        b"{1:1}",
        b'{"a"}',
        b"[1,2",
        b"]",
        b"[1] // no",
        b"/* no */ 1",
        b"[1]#",
        b"+1",
        b"01",
        b"-01",
        b"1.",
        b".5",
        b"1e",
        b"-",
        b"0x10",
        b"1_000",
        "\u0661".encode(),
        "[\uff11]".encode(),
        b'"a\nb"',
        b'"a\tb"',
        b'"a\x00b"',
        b'"\x1f"',
        b'"open',
        rb'"\x41"',
        rb'"\u12g4"',
        rb'"\u 123"',
        rb'"\u12"',
        b'"\\',
        b"[\x0b1]",
        b"[\x0c1]",
        "[\u00a01]".encode(),
        "[\u20281]".encode(),
        b"\x00",
    ],
)
def test_text_outside_the_json_grammar_is_refused(body):
    assert refused(body) == "json-invalid"


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-16-be"),
        '{"a":1}'.encode("utf-32"),
        '{"a":1}'.encode("utf-32-le"),
        b'"\xc0\xaf"',
        b'"\xff\xfe"',
        b'"\xed\xa0\x80"',
        b'"\xed\xa0\xbd\xed\xb8\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xe2\x82"',
        b'{"\xff":1}',
        b"[1]\xff",
    ],
)
def test_encoding_other_than_utf_8_without_bom_is_refused(body):
    assert refused(body) == "json-invalid"


@pytest.mark.parametrize(
    "literal",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e100000",
        "1e99999999999999999999",
        "1" * 400 + ".0",
        str(MAX + 1),
        str(-MAX - 1),
        str(2**63),
        str(2**64),
        "1" * 5_000,
        "-" + "1" * 5_000,
    ],
)
@pytest.mark.parametrize("frame", ["{}", "[{}]", '{{"a": {{"b": [1, {}]}}}}'])
def test_number_out_of_range_is_refused(literal, frame):
    assert refused(frame.format(literal).encode()) == "json-number"


@pytest.mark.parametrize(
    "literal",
    ["1e-20000", "0e-20000", "0e9999999999", "0.1E-999999999", "1." + "0" * 2_000, "0." + "0" * 16_400 + "1", "1." + "1" * 250_000],
)
def test_number_beyond_postgres_numeric_is_refused(literal):
    assert refused(literal.encode(), CONFIG_LIMITS) == "json-number"


@pytest.mark.parametrize("literal", ["0e400", "0.0e-9999", "0e99999", "0." + "0" * 997 + "1", "1." + "0" * 998])
def test_number_just_within_postgres_numeric_is_accepted(literal):
    assert compact(literal.encode(), CONFIG_LIMITS) == literal.encode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":1}',
        rb'{"a":1,"\u0061":2}',
        rb'{"/":1,"\/":1}',
        b'{"":1,"":1}',
        '{"é":1,"\\u00e9":1}'.encode(),
        nested(20, b'{"x":', b"}", b'{"a":1,"a":1}'),
        b'[{"a":1},{"b":{"c":1,"c":2}}]',
    ],
)
def test_key_named_twice_in_one_object_is_refused(body):
    assert refused(body) == "json-duplicate-key"


@pytest.mark.parametrize("body", [b'[{"a":1},{"a":1}]', b'{"a":{"a":{"a":1}}}', '{"é":1,"e\u0301":2,"E":3,"e":4}'.encode()])
def test_key_repeated_elsewhere_is_accepted(body):
    assert compact(body, RESPONSE_LIMITS) == body


@pytest.mark.parametrize(
    "text",
    [r"\ud800", r"\udfff", r"\ude00\ud83d", r"\ud83d\ud83d\ude00", r"\ud83dx", r"\uD83D\n", r"\u0000", r"a\u0000b", r"\\\u0000"],
)
@pytest.mark.parametrize("frame", ['"{}"', '{{"{}": 1}}', '[1, {{"a": {{"b": "{}"}}}}]'])
def test_lone_surrogate_and_nul_are_refused(text, frame):
    assert refused(frame.format(text).encode()) == "json-text"


def test_key_that_is_data_elsewhere_is_accepted():
    body = b'{"__proto__":1,"constructor":2,"toString":3,"hasOwnProperty":4,"":5}'
    assert compact(body, RESPONSE_LIMITS) == body


SHAPES = {
    "arrays": (b"[", b"]", b""),
    "arrays round a scalar": (b"[", b"]", b"1"),
    "objects": (b'{"a":', b"}", b"1"),
    "spread out": (b'[1, "x", ', b"]", b"{}"),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_depth_up_to_the_limit_is_accepted(shape):
    opening, closing, core = shape
    body = nested(32 - (core == b"{}"), opening, closing, core)
    assert json.loads(compact(body, RESPONSE_LIMITS)) == json.loads(body)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("extra", [1, 468, 1_068, 30_000])
def test_depth_beyond_the_limit_is_refused(shape, extra):
    opening, closing, core = shape
    assert refused(nested(32 + extra - (core == b"{}"), opening, closing, core), JsonLimits(max_bytes=10**6)) == "json-too-deep"


def test_deep_body_without_an_end_is_refused():
    assert refused(b"[" * 100_000, CONFIG_LIMITS) == "json-too-deep"
    assert refused(b'{"a":' * 20_000, CONFIG_LIMITS) == "json-too-deep"


def test_scalar_has_depth_zero():
    flat = JsonLimits(max_bytes=100, max_depth=0)
    assert compact(b"1", flat) == b"1"
    assert compact(rb'"\n"', flat) == rb'"\n"'
    assert refused(b"[]", flat) == "json-too-deep"


def test_wide_body_is_not_deep():
    body = b"[" + b",".join([b'{"a":[]}'] * 100) + b"]"
    assert compact(body, RESPONSE_LIMITS) == body


@pytest.mark.parametrize("body", [b"[1,2,3]", b'{"a":1,"b":2,"c":3}', b"[[],{},1]", b'["a,b",",,,","{[{["]', rb'["\n",",",1]'])
def test_every_value_counts_as_a_node_and_keys_do_not(body):
    assert compact(body, JsonLimits(max_bytes=100, max_nodes=4)) == body
    assert refused(body, JsonLimits(max_bytes=100, max_nodes=3)) == "json-too-large"


def test_number_of_nodes_is_bounded():
    def array(values: int) -> bytes:
        return b"[" + b",".join([b"1"] * values) + b"]"

    assert compact(array(4_999), RESPONSE_LIMITS) == array(4_999)
    assert refused(array(5_000)) == "json-too-large"
    assert refused(json.dumps(dict.fromkeys(map(str, range(5_000)))).encode(), CONFIG_LIMITS) == "json-too-large"


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(("most", "frame"), [(128, lambda text: {text: [1]}), (8_192, lambda text: {"a": [text]})])
def test_text_is_measured_in_utf_8_bytes_after_unescaping(letter, ascii_only, most, frame):
    text = letter * (most // len(letter.encode()))

    def body(text: str) -> bytes:
        return json.dumps(frame(text), ensure_ascii=ascii_only).encode()

    assert json.loads(compact(body(text), CONFIG_LIMITS)) == frame(text)
    assert refused(body(text + "y"), CONFIG_LIMITS) == "json-too-large"


def test_limit_of_strings_below_that_of_keys_holds():
    limits = JsonLimits(max_bytes=1_000, max_key_bytes=100, max_string_bytes=3)
    assert compact(b'{"abcd":"abc"}', limits) == b'{"abcd":"abc"}'
    assert refused(b'{"abcd":"abcd"}', limits) == "json-too-large"


def test_body_of_too_many_bytes_is_refused_before_it_is_read():
    limits = JsonLimits(max_bytes=10)
    assert compact(b" 12345678 ", limits) == b"12345678"
    assert refused(b"\xff" * 11, limits) == "body-too-large"
    assert (RESPONSE_LIMITS.max_bytes, CONFIG_LIMITS.max_bytes) == (16_384, 262_144)


def test_error_never_echoes_the_input():
    for body in [
        b'{"hunter2":1,"hunter2":2}',
        b'{"hunter2":hunter2}',
        b'{"hunter2":1e999}',
        rb'{"hunter2\ud800":1}',
        b'"hunter2' * 9,
    ]:
        with pytest.raises(DomainError) as caught:
            compact(body, RESPONSE_LIMITS)
        error = caught.value
        assert "hunter2" not in f"{error} {error.detail} {error.errors} {error.extensions}"
        assert error.__suppress_context__ or error.__context__ is None


def test_full_stack_ends_in_a_problem_not_in_a_crash():
    body = b'{"a":[{"b":[1,"\\n"]}]}'

    def descend(frames: int) -> bytes:
        return descend(frames - 1) if frames else compact(body, RESPONSE_LIMITS)

    outcomes = set()
    room = sys.getrecursionlimit()
    for frames in range(room - 200, room):
        try:
            outcomes.add(descend(frames))
        except DomainError as error:
            outcomes.add(error.code)
        except RecursionError:
            break  # even the call of `compact` exceeded the limit
    assert body in outcomes
    assert outcomes <= {body, "json-too-deep"}


QUICK_CASES = [
    b'{"a":1}',
    b' {"a" : [1, 2.5, "x", true, null, {"b": "\xc3\xa9"}]} ',
    b'"' + b"x" * 128 + b'"',
    b'{"a":999999999999999}',
]


@pytest.mark.parametrize("body", QUICK_CASES)
def test_the_quick_path_accepts_the_common_body(body):
    assert strict_json._quick(body, RESPONSE_LIMITS) == strict_json._exact(body, RESPONSE_LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{ "a" : 1, "a" : 1 }',
        b"9007199254740992",
        b"[18446744073709551616]",
        b"[123456789012345678901234567890]",
        rb'"\u0000"',
        b'"\xff"',
        b"[NaN]",
        b"1e400",
        nested(33),
        nested(10_000),
        b"[" + b"1," * 4_999 + b"1]",
        b'{"' + b"x" * 129 + b'":1}',
        b"",
    ],
)
def test_the_quick_path_never_accepts_what_the_exact_path_refuses(body):
    assert strict_json._quick(body, RESPONSE_LIMITS) is None
    with pytest.raises(DomainError):
        strict_json._exact(body, RESPONSE_LIMITS)


def test_both_paths_agree_on_short_random_texts():
    source = random.Random(8259)
    pieces = ["\n", "\\", "é", "\x0b", "\x00", *'{}[],: -.e01"', '"a"', '"b"', "true", "null"]
    taken = 0
    for _ in range(60_000):
        body = "".join(source.choices(pieces, k=source.randint(1, 9))).encode()
        quick = strict_json._quick(body, RESPONSE_LIMITS)
        if quick is not None:
            taken += 1
            assert quick == strict_json._exact(body, RESPONSE_LIMITS)
    assert taken > 500


def test_compact_text_is_what_the_typed_decoder_reads():
    body = compact(b'{ "response_data" : { "a" : 1.0 } }', RESPONSE_LIMITS)
    assert bytes(msgspec.json.decode(body, type=dict[str, msgspec.Raw])["response_data"]) == b'{"a":1.0}'


@pytest.mark.parametrize(("segment", "escaped"), [("plain", "plain"), ("a/b", "a~1b"), ("a~b", "a~0b"), ("~1", "~01"), ("", "")])
def test_pointer_escape_keeps_a_segment_in_one_piece(segment, escaped):
    assert pointer_escape(segment) == escaped
