"""A dictionary for the mutator: values, segments, queries and headers that often break parsers."""

from tests.support.hostile import FRAGMENTS

JSON_VALUES = [text for _, text in FRAGMENTS if len(text) < 9_000] + [
    b"null", b"true", b"-0.0", b"1e308", b"5e-324", b"1e-400", b"9007199254740991", b"-9007199254740991",
    b"0.10000000000000000000001", b'""', b'"__proto__"', b'{"__proto__":{"x":1}}', b'"constructor"', b'"=1+1"',
    b'"<script>alert(1)</script>"', b'"\\u2028\\u2029"', b'"\\ud83d\\ude00"', b'"a\\u0300\\u0301\\u0302\\u0303"', b'"\xe2\x80\x8b"',
    b'"\xe2\x80\xae"', b'"\\u0001\\u001f\\u007f"', b'"\xf0\x9f\x91\xa9\xe2\x80\x8d"', b'"' + b"x" * 8_192 + b'"',
    b"[" * 32 + b"]" * 32, b'{"a":' * 31 + b"1" + b"}" * 31, b"[" + b"0," * 4_000 + b"0]", b'"active"', b'"completed"', b'"draft"',
    b'"expired"', b'"published"', b'"many"', b'"first"', b'"before"', b'"always"', b'"participants"', b'"host"', b'"score"',
    b'"words"', b'"rank"', b'"@activity@"', b'"@victim_activity@"', b'"@session@"', b"@participant@", b'"@code@"', b'"@seat@"',
    b'"poll"', b'"quiz"', b'"ranking"', b"[]", b"{}", b'"/a/b~0c~1d"', b'"' + b"/0" * 50 + b'"', b'"%00"', b'"../../etc/passwd"',
    b'"1 OR 1=1"', b'"\xc2\x85\xe2\x80\xa8"', b'{"":{"":1}}', b"1E400", b'"0000000000000000"', b'"2026-13-45T99:99:99Z"',
    b"1e-9999", b"0.0e-99999",
]  # fmt: skip
"""Valid and invalid values of any kind."""

PIECES = [
    b"\x00", b"\xff", b"\xfe\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xef\xbb\xbf", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b'"',
    b"\\", b"{", b"}", b"[", b"]", b",", b":", b"e400", b"-", b".", b"NaN", b"\r\n", b"\t", b" ", b"//", b"\x7f",
    b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"\\u00", b"@host@", b"\r\n\r\n", b"\r\ncontent-length: 3\r\n",
    b"\r\ntransfer-encoding: chunked\r\n", b"\r\n 0\r\n\r\n", b"HTTP/1.0", b"0\r\n\r\n", b"ffffffffffffffff\r\n",
]  # fmt: skip
"""Byte sequences for insertion at any place."""

SEGMENTS = [
    b"%00", b"%ff", b"%ed%a0%80", b"%0a", b"%0d%0aset-cookie:a=b", b"..", b"%2e%2e%2f", b"%2f", b"%", b"%zz", b"0", b"-1", b"1e3",
    b"99999999999999999999", b"281474976710655", b"@session@", b"@victim_session@", b"@activity@", b"@victim_activity@",
    b"@participant@", b"@victim_participant@", b"@response@", b"@victim_response@", b"@link@", b"@export@",
    b"@victim_link@", b"00000000-0000-0000-0000-000000000000", b"me",
    b"active", b"now", b"9999999999999999", b"0000000000000001", b"2026-11-25T00:00:00Z", b"2026-11-25T00:00:00.000000%2B14:00",
    b"%D9%A1", b"%F0%9F%92%A9", b"poll", b"x" * 300, b"", b".", b";a=b", b"'--", b"@code@",
]  # fmt: skip

QUERY = [
    b"limit=0", b"limit=-1", b"limit=1000", b"limit=1e9", b"limit=NaN", b"limit=", b"offset=100000000",
    b"offset=99999999999999999999", b"wait=25", b"wait=0", b"wait=-1", b"wait=%D9%A1", b"since=0", b"since=9999999999999999",
    b"since=x", b"round=0", b"round=1", b"round=2147483647", b"round=2147483648", b"contains=NaN",
    b"contains=%7B%22a%22:1,%22a%22:2%7D", b"contains=" + b"[" * 40, b"contains=%22%5Cud800%22", b"contains=%22%5Cu0000%22",
    b"contains=1e400", b"participant_id=@participant@", b"participant_id=281474976710656", b"status=active", b"status=%00",
    b"force=true", b"force=x", b"responses=delete", b"nickname=%F0%9F%92%A9", b"nickname=%ff", b"code=@code@", b"ticket=@ticket@",
    b"ticket=x", b"%00=1", b"a[]=1", b"=", b"&", b"limit=1&limit=2", b"lang=xx",
]  # fmt: skip

HEADERS = [
    (b"content-type", b"text/plain"), (b"content-type", b"application/json; charset=utf-16"),
    (b"content-type", b"multipart/form-data"), (b"content-type", b"application/json"), (b"content-encoding", b"gzip"),
    (b"content-length", b"0"), (b"content-length", b"99999999999"), (b"content-length", b"-1"), (b"content-length", b"1"),
    (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked, identity"), (b"transfer-encoding", b"\x0bchunked"),
    (b"if-match", b'"r1"'), (b"if-match", b"*"), (b"if-match", b'"' + b"x" * 2_000), (b"if-match", b"\xff"),
    (b"if-none-match", b"*"), (b"if-none-match", b'W/"x",' * 200), (b"if-none-match", b"\xff\xfe"), (b"prefer", b"wait=25"),
    (b"prefer", b"wait=99999999999999999999"), (b"prefer", b"wait=-1, wait=x;;,"), (b"idempotency-key", b"k1"),
    (b"idempotency-key", b"k2"), (b"idempotency-key", b""), (b"idempotency-key", b"\xc3\xa9"), (b"idempotency-key", b"x" * 129),
    (b"last-event-id", b"0"), (b"last-event-id", b"\xff"), (b"last-event-id", b"9999999999999999"),
    (b"accept", b"text/event-stream"), (b"accept", b"*/*"), (b"accept-language", b"de,en;q=\xff" + b",x" * 500),
    (b"accept-encoding", b"gzip"), (b"cookie", b"lang=de; lang=\xff"), (b"cookie", b"token=@host@"), (b"host", b"evil.example\\@x"),
    (b"host", b"h" * 3_000), (b"host", b""), (b"host", b"\xff\xfe"), (b"x-forwarded-for", b"1.2.3.4, ::1"),
    (b"x-forwarded-for", b"\xff" * 20), (b"x-forwarded-proto", b"https"), (b"x-forwarded-proto", b"javascript"),
    (b"x-real-ip", b"127.0.0.1"), (b"origin", b"null"), (b"origin", b"https://evil.example"), (b"range", b"bytes=" + b"0-," * 500),
    (b"expect", b"100-continue"), (b"upgrade", b"websocket"), (b"connection", b"close"), (b"connection", b"upgrade, close, x"),
    (b"te", b"trailers"), (b"authorization", b"Bearer @host@"), (b"authorization", b"Bearer @seat@"),
    (b"authorization", b"Bearer @screen@"), (b"authorization", b"Bearer @victim_host@"),
    (b"authorization", b"Bearer @victim_seat@"), (b"authorization", b"Bearer @admin@"), (b"authorization", b"Bearer"),
    (b"authorization", b"Bearer a.b.c"), (b"authorization", b"Bearer \xff.\xfe.\xfd"), (b"authorization", b"Basic YTpi"),
    (b"authorization", b"Bearer @host@="), (b"authorization", b"Bearer eyJhbGciOiJub25lIn0.e30."), (b"x" * 200, b"y"),
    (b"a", b"b" * 4_000),
]  # fmt: skip

METHODS = [
    b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"PROPFIND", b"PURGE",
]  # fmt: skip
