"""Nicknames: normalization, uniqueness and validation. Start at `clean_nickname`.

A name is shown as `text` and is unique in its session by `key`. Names that are invisible, overflow
their line, or impersonate staff are rejected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from idna.core import valid_contextj

from conflicto.platform.folding import fold
from conflicto.platform.problems import DomainError, FieldError, Kind
from conflicto.platform.word_filter.matcher import MASK
from conflicto.sessions.word_filter import WordFilter

FALLBACK_NAME = "\U0001f642"
"""Fallback name, a smile, which is the same in every language."""

MAX_CHARS = 32  # code points, so at most 128 bytes of UTF-8

_MAX_RAW_CHARS = 128  # normalising a long run of combining marks takes quadratic time
_MAX_MARKS = 3
_MAX_NUMBER = 10**9
_EMPTY_DETAIL = "A name needs a letter, a digit or a symbol."
_RESERVED = frozenset({"host", "admin", "moderator", "system", "conflicto"})

# Pictographs, and code points reserved for future ones: phones draw emoji unknown to this Python.
_PICTOGRAPH = "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]"
_SELECTOR = "[\ufe0e\ufe0f]"
_ELEMENT = f"{_PICTOGRAPH}{_SELECTOR}?[\U0001f3fb-\U0001f3ff]?"
_EMOJI = re.compile(f"{_ELEMENT}(?:\u200d{_ELEMENT})*|[#*0-9]\ufe0f?\u20e3")
_EMOJI_OR_SELECTOR = re.compile(f"({_EMOJI.pattern})|{_SELECTOR}")
# Arabic, Syriac and N'Ko; the scripts of India, Sri Lanka, Myanmar and Tibet; Khmer and Mongolian.
# Elsewhere a joiner is rejected.
_JOINER_OF_SCRIPT = re.compile("(?<=[\u0620-\u08ff\u0900-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc])[\u200c\u200d]")
_VIRAMA_COMBINING_CLASS = 9

_UNSHOWABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Letters, marks and symbols by category that are invisible: grapheme joiner, Hangul fillers (also
# halfwidth), Khmer inherent vowels, variation selectors, blank Braille, null notehead.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U0001d159\U000e0100-\U000e01ef]"
)
_PLAIN = re.compile("[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
"""Names of most people in many languages, which cleaning leaves as they are."""

_NUMBERED = re.compile(r"(?P<stem>.*\S) (?P<number>[1-9][0-9]{0,3})", re.ASCII)

# Case-folded letters of other scripts that look like a Latin one, and small capitals.
_LOOKALIKES = str.maketrans(
    "\u0430\u0432\u0435\u0433\u0455\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u04bb\u0501\u051b"
    "\u03b1\u03b2\u03b5\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b7\u03b6\u03f2"
    "\u1d00\u1d04\u1d05\u1d07\ua730\u029c\u026a\u029f\u1d0d\u0274\u1d0f\u0280\ua731\u1d1b\u028f",
    "abersijkmhopctyxhdqabeikmnoptuxhzcacdefhilmnorsty",
)  # fmt: skip
_LATIN = re.compile("[a-z\u00df-\u00f6\u00f8-\u024f]")
_READ_AS_LETTERS = str.maketrans("0135$@!|\u0131", "oiessaili")


class NicknameInvalid(DomainError):
    """The name cannot be shown or is reserved.

    `reason`: `empty`, `too-long` (over `max` characters), `unseen`, `marks`, `reserved`.
    """

    code = "nickname-invalid"
    title = "The name cannot be used"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Nickname:
    """A name as shown, and its key: names with equal keys look the same (see `platform.folding`).

    In names that mix scripts, letters that look like Latin ones count as Latin.
    """

    text: str
    key: str


def clean_nickname(raw: str) -> Nickname:
    """Return the nickname of `raw`: normalized (NFC), trimmed, inner whitespace collapsed.

    Any script and emoji sequences are allowed; a variation selector outside an emoji is dropped. In
    scripts that use zero-width joiners, those that shape a letter stay (RFC 5892 A.1 and A.2) and
    others are dropped. Cleaning `text` again changes nothing.

    Raises:
        NicknameInvalid: the name is empty, over `MAX_CHARS` code points or reserved. Or it holds
            invisible, unassigned or private characters, a leading combining mark, or more than
            three marks in a row.
    """
    text = raw if len(raw) <= MAX_CHARS and _PLAIN.fullmatch(raw) else _clean_text(raw)
    key = _key(text)
    if not key:
        raise _invalid(_EMPTY_DETAIL, "empty")
    if _is_reserved(key):
        raise _invalid("This name is kept for the people who run the session.", "reserved")
    return Nickname(text, key)


def _clean_text(raw: str) -> str:
    if len(raw) > _MAX_RAW_CHARS:
        raise _too_long()
    text = _EMOJI_OR_SELECTOR.sub(r"\1", unicodedata.normalize("NFC", raw))
    text = _JOINER_OF_SCRIPT.sub(lambda found: found.group() if _shapes(text, found.start()) else "", text)
    # Before whitespace is collapsed: to Python, a line break is some.
    if _has_invisible(_JOINER_OF_SCRIPT.sub("", _EMOJI.sub("", text))):
        raise _invalid("A name cannot hold line breaks or characters that cannot be seen.", "unseen")
    text = " ".join(text.split())
    if len(text) > MAX_CHARS:
        raise _too_long()
    _check_shape(text)
    return text


def key_part(raw: str) -> str:
    """Return the part of a name key that `raw` yields: folded, trimmed, whitespace collapsed."""
    return _key(" ".join(raw.split()))


def suggestions(nickname: Nickname, taken: Callable[[str], bool] | AbstractSet[str], n: int = 3) -> list[str]:
    """Return up to `n` free names like `nickname`: "Anna 2", "Anna 3", and after "Anna 7" "Anna 8".

    `taken` holds the session's keys, or tests one. Among m namesakes it is called about 2·log2(m) +
    n times. The list is shorter if no free name is found.
    """
    is_taken = taken if callable(taken) else taken.__contains__
    match = _NUMBERED.fullmatch(nickname.text)
    stem, number = (match["stem"], int(match["number"])) if match else (nickname.text, 1)

    def is_free(candidate: int) -> bool:
        return not is_taken(_key(_numbered(stem, candidate)))

    found: list[str] = []
    while len(found) < n:
        free = _next_free(number + 1, is_free)
        if free is None:
            break
        number = free
        found.append(_numbered(stem, number))
    return found


def allowed_suggestions(nickname: Nickname, word_filter: WordFilter, taken: Callable[[str], bool], n: int = 3) -> list[str]:
    """Return up to `n` free names without the words that the filter found, else a fallback."""
    left = "".join(word_filter.mask_name(nickname.text).split(MASK)).strip()
    try:
        name = clean_nickname(left)
    except NicknameInvalid:
        name = clean_nickname(FALLBACK_NAME)
    if word_filter.refuses(name.text):
        name = clean_nickname(FALLBACK_NAME)
    return [*([] if taken(name.key) else [name.text]), *suggestions(name, taken, n)][:n]


def _check_shape(text: str) -> None:
    kinds = "".join(unicodedata.category(char)[0] for char in text)
    if not set("LNS") & set(kinds) and not _EMOJI.search(text):
        raise _invalid(_EMPTY_DETAIL, "empty")
    if kinds.startswith("M") or "M" * (_MAX_MARKS + 1) in kinds:
        raise _invalid(f"A name cannot begin with a combining mark, or have more than {_MAX_MARKS} in a row.", "marks")


def _has_invisible(text: str) -> bool:
    return _INVISIBLE.search(text) is not None or any(unicodedata.category(char) in _UNSHOWABLE for char in text)


def _shapes(text: str, place: int) -> bool:
    """Return whether the joiner at `place` changes the shapes of its neighbours.

    Bengali and Kannada write a joiner before the virama too, as in র‍্যাচেল (Rachel), which
    RFC 5892 lacks.
    """
    before_virama = unicodedata.combining(text[place + 1 : place + 2] or " ") == _VIRAMA_COMBINING_CLASS
    return (place > 0 and before_virama and text[place] == "\u200d") or valid_contextj(text, place)


def _key(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text.lower()
    folded = " ".join(fold(text).split())
    latin = folded.translate(_LOOKALIKES)
    return latin if latin != folded and _LATIN.search(folded) else folded


def _is_reserved(key: str) -> bool:
    latin = key.translate(_LOOKALIKES)
    return any(word in _RESERVED for each in (latin, latin.translate(_READ_AS_LETTERS)) for word in _words_as_read(each))


def _words_as_read(text: str) -> set[str]:
    """Return `text` as one word where a reader sees one: spaced letters, or signs between them.

    "h-o-s-t" and "h o s t" are read as one word. "H. Ost" is an initial with a surname, "Ad Min"
    two names.
    """
    if _PLAIN.fullmatch(text):
        parts = text.split(" ")
    else:
        parts = ["".join(char for char in part if unicodedata.category(char)[0] in "LN") for part in text.split()]
        parts = [part for part in parts if part]
    return {"".join(parts)} if len(parts) == 1 or all(len(part) == 1 for part in parts) else set()


def _numbered(stem: str, number: int) -> str:
    suffix = f" {number}"
    # The cut may fall inside an emoji: no joiner or selector may dangle from it.
    return stem[: MAX_CHARS - len(suffix)].rstrip(" \u200c\u200d\ufe0e\ufe0f") + suffix


def _next_free(first: int, is_free: Callable[[int], bool]) -> int | None:
    """Return a free number from `first` on, `first` itself where possible; gaps may be skipped.

    It doubles and halves: 5,000 people called "Player" would otherwise cause 5,000 checks each.
    """
    if is_free(first):
        return first
    low, high = first, first + 1
    while not is_free(high):
        low, high = high, high + 2 * (high - first)
        if high > _MAX_NUMBER:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_free(middle) else (middle, high)
    return high


def _too_long() -> NicknameInvalid:
    return _invalid(f"A name has at most {MAX_CHARS} characters.", "too-long", max=MAX_CHARS)


def _invalid(detail: str, reason: str, **more: object) -> NicknameInvalid:
    return NicknameInvalid(detail, errors=(FieldError("/nickname", detail),), extensions={"reason": reason, **more})
