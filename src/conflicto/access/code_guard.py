"""Guessing join codes: only misses are counted, and a hall full of phones behind one address is never locked out.

An address that missed too often may go on using codes that led someone there into a session before; every other code is refused unseen.
While the whole server is being guessed at, a miss costs ten times as much.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from conflicto.access.errors import TooManyGuesses
from conflicto.platform.limits.bucket import Policy

if TYPE_CHECKING:
    from conflicto.platform.limits.memory import MemoryLimiter

PER_ADDRESS = Policy("code-misses", 60, 60)
EVERYWHERE = Policy("all-code-misses", 1000, 60)
COST_UNDER_ATTACK = 10
MOST_PAIRS = 100_000


class CodeGuard:
    """Remembers misses and hits of one process."""

    def __init__(self, limiter: MemoryLimiter) -> None:
        self._limiter = limiter
        self._hits: OrderedDict[tuple[str, str], None] = OrderedDict()

    def check(self, address: str, code: str) -> None:
        """Refuse a code that was not used from this address before, once the address missed too often.

        Raises:
            TooManyGuesses: retry after the bucket has filled a little.
        """
        network = _network(address)
        if (network, code) not in self._hits and self._limiter.is_empty(PER_ADDRESS, network):
            raise TooManyGuesses(retry_after_s=int(PER_ADDRESS.interval_s) + 1)

    def missed(self, address: str) -> None:
        """Count a wrong code; an address with less left than it costs loses the rest, or it could go on for ever."""
        calm, network = self._limiter.spend(EVERYWHERE, "").allowed, _network(address)
        cost = 1 if calm else COST_UNDER_ATTACK
        while cost and not self._limiter.spend(PER_ADDRESS, network, cost).allowed:
            cost -= 1

    def hit(self, address: str, code: str) -> None:
        """Remember that this code is good for this address."""
        self._hits[_network(address), code] = None
        if len(self._hits) > MOST_PAIRS:
            self._hits.popitem(last=False)


def _network(address: str) -> str:
    """Return what one subscriber is: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
