"""The matcher that finds listed words in a text, disguised or not.

A word is looked up as written, and without accents and invisible characters. Disguises are digits
and signs for letters (sh1t, a$$), repeated letters (shiiit), and single letters (s h i t). Only
whole words match.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING

from conflicto.platform.normalization import normalized
from conflicto.platform.sizes import MIB
from conflicto.platform.word_filter.phrases import PhraseAutomaton
from conflicto.platform.word_filter.word_lists import common_words, listed_names, listed_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conflicto.platform.word_filter.phrases import Span

MASK = "***"

MAX_CACHE_BYTES = 16 * MIB
"""Memory of all cached matchers: one per combination of languages and own words, 100 KB to 2 MB
each."""

WORD_BYTES = 120
"""Maximum memory of a word in a matcher's set; a host's own word has at most 60 characters."""

MAX_WORD_CHARACTERS = 64
"""Longer words are not looked up; no list contains one."""

MIN_SPELLED_LETTERS = 4
"""Shorter words are not found when spelled out: three single letters are too often initials."""

MIN_INFLECTED_LETTERS = 4
"""Listed words of this length also match in the plural."""

# Combining marks and invisible characters are part of the word in which they occur.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
_INVISIBLE = "\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\u0640"
_WORD = re.compile(f"(?:[^\\W_]|[@$!{_MARKS}{_INVISIBLE}])+")
_ANY_WORD = re.compile(r"\w+")
_INVISIBLES = re.compile(f"[{_INVISIBLE}]")
_MARK = re.compile(f"[{_MARKS}]")
_STRETCHED = re.compile(r"(.)\1{2,}")
_SIGNS = str.maketrans("013457@$!", "oieastasi")
_DISGUISED = re.compile(r"[013457@$!]")
_ONE_AS_L = str.maketrans("1", "l")
_SIGNED = re.compile(r"[@$013457](?=[^\W\d_])|(?<=[^\W\d_])[@$013457]|(?<=[^\W\d_])!(?=[^\W\d_])")
_STRETCHED_LETTER = re.compile(r"([^\W\d_])\1\1")
_TO_SPACES = "".join(char if char.isalnum() else " " for char in map(chr, range(128)))
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


class Matcher:
    """A matcher of the words of some languages and the host's own words."""

    def __init__(self, languages: Iterable[str], own: Iterable[str]) -> None:
        self._words: set[str] = set()
        languages, own = tuple(languages), tuple(own)
        self._own = frozenset(map(_key, own))
        self._common = frozenset().union(*map(common_words, languages))
        phrases: list[tuple[str, ...]] = []
        for language in languages:
            for entry in listed_words(language):
                phrases += self._add(entry, is_own=False)
        for entry in own:
            phrases += self._add(entry, is_own=True)
        self._phrases = PhraseAutomaton(phrases)
        self._starts = self._words | {phrase[0] for phrase in phrases}

    @property
    def memory_bytes(self) -> int:
        """The estimated memory of the matcher."""
        return WORD_BYTES * (len(self._words) + len(self._starts)) + self._phrases.memory_bytes

    def may_match(self, text: str) -> bool:
        """Return false if the text certainly has no listed word; this check is fast."""
        if text.isascii():
            seen = text.lower()
            words = seen.translate(_TO_SPACES).split()
        else:
            seen = _key(text).replace("_", " ")
            words = _ANY_WORD.findall(seen)
            bare = _bare(seen)
            if bare != seen:
                words += _ANY_WORD.findall(bare)
        return not self._starts.isdisjoint(words) or _has_disguises(seen, words)

    def spans(self, text: str) -> list[Span]:
        """Return the spans of listed words in order, without overlaps."""
        return self._find(text) if self.may_match(text) else []

    def masked(self, text: str) -> str | None:
        """Return the text with every listed word masked, or None if there is none.

        >>> matcher = Matcher((), ["plonk"])
        >>> matcher.masked("a Plonk, a plonker"), matcher.masked("fine")
        ('a ***, a plonker', None)
        """
        return _with_masks(text, self.spans(text))

    def spans_in_name(self, name: str) -> list[Span]:
        """Return the spans of listed words in a nickname that are not names."""
        return [(start, end) for start, end in self.spans(name) if not self._is_name(name, start, end)]

    def masked_name(self, name: str) -> str | None:
        """Return a nickname with its listed words masked, except names; None if there is none."""
        return _with_masks(name, self.spans_in_name(name))

    def _is_name(self, name: str, start: int, end: int) -> bool:
        """Return whether a match is a name, alone or with the word before it (De Cock)."""
        found, with_particle = _key(name[start:end]), " ".join(_key(name[:end]).split()[-2:])
        return found not in self._own and not listed_names().isdisjoint({found, with_particle})

    def _find(self, text: str) -> list[Span]:
        tokens = [(found.start(), found.end()) for found in _WORD.finditer(text)]
        keys = [_key(text[start:end]) for start, end in tokens]
        found = [tokens[place] for place, key in enumerate(keys) if key in self._words or self._is_disguised(key)]
        found += self._phrases.spans(tokens, keys)
        if len(tokens) >= MIN_SPELLED_LETTERS:
            found += self._spelled(tokens, keys)
        return _merged(found)

    def _add(self, entry: str, *, is_own: bool) -> Iterator[tuple[str, ...]]:
        """Add a word, or yield a phrase.

        Listed phrases with single letters are skipped: s&m would match S/M/L.
        """
        keys = [_key(found.group()) for found in _WORD.finditer(entry)]
        if len(keys) == 1:
            forms = (keys[0], _bare(keys[0])) if is_own else (form for form in _forms(keys[0]) if form not in self._common)
            self._words.update(forms)
        elif keys and (min(map(len, keys)) > 1 or is_own):
            yield tuple(keys)

    def _is_disguised(self, key: str) -> bool:
        """Return whether an unlisted word is a listed one in disguise."""
        plain = key.strip("@$!")
        if key.isascii() and plain == key and key.isalpha() and not _STRETCHED.search(key):
            return False
        if len(key) > MAX_WORD_CHARACTERS:
            return False
        return any(form in self._words for form in _disguises(key, plain))

    def _spelled(self, tokens: Sequence[Span], keys: Sequence[str]) -> Iterator[Span]:
        """Yield runs of single letters that spell a listed word."""
        for is_letter, group in groupby(range(len(keys)), key=lambda place: len(keys[place]) == 1):
            places = list(group)
            if is_letter and len(places) >= MIN_SPELLED_LETTERS and "".join(keys[place] for place in places) in self._words:
                yield tokens[places[0]][0], tokens[places[-1]][1]


class MatcherCache:
    """A thread-safe LRU cache of matchers, bounded in bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._matchers: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], Matcher] = OrderedDict()
        self._lock = Lock()

    @property
    def memory_bytes(self) -> int:
        """The estimated memory of all cached matchers."""
        return self._bytes

    def get(self, languages: tuple[str, ...], own: tuple[str, ...]) -> Matcher:
        """Return the cached matcher of some languages and own words, built on demand."""
        key = languages, own
        with self._lock:
            matcher = self._matchers.get(key)
            if matcher is None:
                matcher = self._matchers[key] = Matcher(languages, own)
                self._bytes += matcher.memory_bytes
            self._matchers.move_to_end(key)
            while self._bytes > self._max_bytes and len(self._matchers) > 1:
                self._bytes -= self._matchers.popitem(last=False)[1].memory_bytes
        return matcher


MATCHERS = MatcherCache(MAX_CACHE_BYTES)


def matcher_for(languages: tuple[str, ...], own: tuple[str, ...]) -> Matcher:
    """Return the matcher of some languages and own words from the cache."""
    return MATCHERS.get(languages, own)


def has_word_characters(text: str) -> bool:
    """Return whether a text contains a character that a listed word may have."""
    return _WORD.search(text) is not None


def _key(word: str) -> str:
    """Return the key of a word for look-ups."""
    if word.isascii():
        return word.lower()
    return normalized("NFKC", _INVISIBLES.sub("", normalized("NFKC", word)).casefold())


def _bare(key: str) -> str:
    """Return a key without accents and other marks."""
    return key if key.isascii() else _MARK.sub("", normalized("NFKD", key))


def _forms(key: str) -> Iterator[str]:
    """Yield a listed word and its regular inflections."""
    yield key
    if "\u0600" <= key[0] <= "\u06ff":
        yield from (_bare(key), f"ال{key}", f"ال{_bare(key)}")
    elif len(key) >= MIN_INFLECTED_LETTERS and key.isalpha():
        yield f"{key}s"
        if key.endswith("e"):
            yield f"{key}n"
    if key.translate(_UMLAUTS) != key:
        yield key.translate(_UMLAUTS)


def _has_disguises(seen: str, words: Sequence[str]) -> bool:
    """Return whether a text may have disguises: signs in words, repeated or single letters.

    Cheap tests precede the exact ones.
    """
    return (
        (_DISGUISED.search(seen) is not None and _SIGNED.search(seen) is not None)
        or (_STRETCHED.search(seen) is not None and _STRETCHED_LETTER.search(seen) is not None)
        or len([word for word in words if len(word) == 1]) >= MIN_SPELLED_LETTERS
    )


def _disguises(key: str, plain: str) -> Iterator[str]:
    """Yield the words that a disguised word may stand for."""
    bare = _bare(plain)
    yield plain
    yield bare
    shown = _bare(key).strip("!")
    if _DISGUISED.search(shown) and 2 * len(_DISGUISED.findall(shown)) <= len(shown):
        bare = shown.translate(_SIGNS)
        yield bare
        yield shown.translate(_ONE_AS_L).translate(_SIGNS)
    if _STRETCHED.search(bare):
        yield _STRETCHED.sub(r"\1", bare)
        yield _STRETCHED.sub(r"\1\1", bare)


def _with_masks(text: str, spans: Sequence[Span]) -> str | None:
    if not spans:
        return None
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], MASK]
        at = end
    return "".join([*pieces, text[at:]])


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
