"""Identifiers and secrets: all randomness of the program, from the operating system's generator."""

from __future__ import annotations

import base64
import random
import secrets
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")

PUBLIC_ID_BITS = 48
"""Session and participant ids stay below 2^48: exact in JavaScript, and too sparse to guess."""


_CHANCE = random.Random()  # noqa: S311 - for `random_up_to` only, where the system's generator would cost ten times as much

_SYSTEM = secrets.SystemRandom()


def public_id() -> int:
    """Return a random integer in 1 … 2^48 − 1."""
    return secrets.randbelow((1 << PUBLIC_ID_BITS) - 1) + 1


def random_uuid() -> UUID:
    """Return a version 4 UUID, which reveals neither order nor time."""
    return UUID(bytes=secrets.token_bytes(16), version=4)


def ordered_uuids(at_us: int, count: int) -> Iterator[UUID]:
    """Yield up to `count` version 7 UUIDs (RFC 9562 §5.7) for `at_us`, µs since 1970.

    Neighbouring rows get neighbouring keys, so inserts touch the right edge of the index. The 12
    bits of `rand_a` carry the µs within the ms (method 3 of §6.2). The other 62 bits are random,
    drawn in one call for all.
    """
    milliseconds, rest = divmod(at_us, 1000)
    sub_ms = rest * 4096 // 1000
    fixed = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | sub_ms << 64 | 0b10 << 62
    bits = secrets.token_bytes(8 * count)
    for place in range(0, 8 * count, 8):
        yield UUID(int=fixed | int.from_bytes(bits[place : place + 8]) >> 2)


def opaque_secret(size_bytes: int = 32) -> str:
    """Return `size_bytes` random bytes as URL-safe text."""
    return secrets.token_urlsafe(size_bytes)


def opaque_names(size_bytes: int, *, batch_names: int = 256) -> Iterator[str]:
    """Return texts of `size_bytes` random bytes, a multiple of 3, without end.

    `batch_names` of them are drawn in one system call, because a call releases the interpreter's
    lock. While the writer waits for the lock, one call per request cost a seventh more processor
    time.
    """

    def draw() -> Iterator[str]:
        drawn_bytes = secrets.token_bytes(size_bytes * batch_names)
        parts = [drawn_bytes[place : place + size_bytes] for place in range(0, len(drawn_bytes), size_bytes)]
        return map(bytes.decode, map(base64.urlsafe_b64encode, parts))

    return chain.from_iterable(iter(draw, None))


def random_up_to(maximum: float) -> float:
    """Return a random number from 0 to `maximum`, for times that must not coincide."""
    return _CHANCE.random() * maximum


def random_letters(alphabet: str, length: int) -> str:
    """Return `length` letters drawn evenly from `alphabet`."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def epoch_name() -> str:
    """Return 10 lower-case base-32 characters, the name of a database's epoch."""
    return base64.b32encode(secrets.token_bytes(7)).decode().rstrip("=").lower()[:10]


def secret_number(maximum: int) -> int:
    """Return an unpredictable integer from 0 to `maximum`, from the system's generator."""
    return secrets.randbelow(maximum + 1)


def random_sample(items: Sequence[T], count: int) -> list[T]:
    """Return up to `amount` of the items, in random order, from the system's generator."""
    return _SYSTEM.sample(items, min(count, len(items)))
