"""JSON that must never be stored (reliability J-01 to J-10), with the code of its refusal."""

import json

DEEP = {
    f"{name} {depth}": opening * depth + "1" + closing * depth
    for depth in (33, 500, 1_100, 1_900)
    for name, opening, closing in (("arrays", "[", "]"), ("objects", '{"":', "}"), ("both", '[{"":', "}]"))
}

_FRAGMENTS: dict[str, list[str]] = {
    "json-invalid": [
        "nul", '{"a":1}x', "[1,]", '{"a":1,}', "/*c*/1", "1//c", "'a'", "{a:1}", "01", "+1", ".5", "1.", "-NaN", '"open',
        '"\t"', r'"\x41"', r'"\u00"',
        "[", "]", "", "True", "undefined", '{"a"}', '{"a":}', "1 2",
    ],
    "json-number": [
        "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e100000", "9007199254740992", "-9007199254740992",
        "9223372036854775808", "18446744073709551616", "9" * 5000, "0." + "1" * 2000,
    ],
    "json-duplicate-key": ['{"a":1,"a":2}', r'{"a":1,"\u0061":2}', "[" * 20 + '{"a":{"":1,"":2}}' + "]" * 20],
    "json-text": [r'"\ud800"', r'"\udc00\ud800"', r'{"\ud800":1}', r'"\u0000"', r'{"\u0000":1}', r'["ok","a\u0000b"]'],
    "json-too-deep": list(DEEP.values()),
    "json-too-large": [json.dumps([0] * 5_001), json.dumps({"k" * 129: 1}), json.dumps("x" * 8_193),
                       json.dumps("é" * 4_097, ensure_ascii=False)],
}  # fmt: skip

FRAGMENTS = [(code, text.encode()) for code, texts in _FRAGMENTS.items() for text in texts] + [
    ("json-invalid", b'"\xed\xa0\x80"'),
    ("json-invalid", b'"\xc0\xaf"'),
    ("json-invalid", b'"\xff\xfe"'),
    ("json-invalid", b'"\xf4\x90\x80\x80"'),
]
"""(code, bytes) of values that replace a valid one in a body."""

_GOOD = '{"type":"lunch","response_data":1,"nickname":"N","title":"T"}'
WHOLE = [
    _GOOD.encode("utf-16"), _GOOD.encode("utf-16-le"), _GOOD.encode("utf-32"), _GOOD.encode("utf-8-sig"), b"\xff\xfe", b"\xc0\xaf",
    b" ", b"\n", b"{", b"{}{}", _GOOD.encode() + b"\x00", b"\x00", b"type=poll", b"--x\r\n", b"<a/>",
]  # fmt: skip
"""Bodies that are not one JSON text in UTF-8: `json-invalid`."""

WRONG_TYPES: list[list[tuple[str, str]]] = [
    [], [("content-type", "")], [("content-type", "text/plain")], [("content-type", "text/json")], [("content-type", "application/jsonx")],
    [("content-type", "application/x-www-form-urlencoded")], [("content-type", "multipart/form-data; boundary=x")],
    [("content-type", "application/json; charset=utf-16")], [("content-type", "application/json, text/plain")],
    [("content-type", "application/json"), ("content-type", "application/json")],
    [("content-type", "application/json"), ("content-encoding", "gzip")],
    [("content-type", "application/json"), ("content-encoding", "br")],
]  # fmt: skip
RIGHT_TYPES = ("application/json", "Application/JSON", "application/json;charset=utf-8", 'application/json; charset="UTF-8"')
