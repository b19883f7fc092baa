"""JSON of any shape; every reader must return its texts byte for byte."""

SHAPES = {
    "poll": '{"options":["Pizza","Curry"],"multiple":false}',
    "quiz": '{"question":{"text":"2+2?","media":null},"answers":[{"id":"a","text":"3"},{"id":"b","text":"4"}],"points":10}',
    "matrix": "[[1,2,3],[4,5,6],[[],[[]],{}]]",
    "unicode": '{"für":"👩\u200d🚀 日本語 Ω","عربى":"\u200f","é":"e\u0301"}',
    "escapes": r'{"a":"\u00e9\n\t\r\b\f\"\\\/","\u0061b":"\ud83d\ude00"}',
    "numbers": "[1.50,1e2,-0.0,1E+2,0.1,1e-7,9007199254740991,-9007199254740991,0.10000000000000000000001,1e308,5e-324]",
    "names": '{"__proto__":{"x":1},"constructor":1,"toString":null,"hasOwnProperty":[]}',
    "order": '{"z":1,"a":2,"m":{"y":1,"b":2},"A":3}',
    "nested": '{"a":[' * 14 + "true" + "]}" * 14,
    "long": "[" + ",".join(str(each) for each in range(1_500)) + "]",
    "object": "{}",
    "array": "[]",
    "text": '""',
    "number": "1.0",
    "false": "false",
    "null": "null",
}
