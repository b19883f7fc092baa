"""The network of a client address."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

MAX_ADDRESS_CHARS = 64
"""Longest text that may be an address, and bound of what is cached."""

MAX_CACHED_ADDRESSES = 4_096


def network_of(address: str) -> str:
    """Return an IPv4 address unchanged, the /64 of an IPv6 address, or an empty text.

    >>> network_of("::ffff:192.0.2.1"), network_of("2001:db8::1:2:3:4"), network_of("somewhere")
    ('192.0.2.1', '2001:db8::', '')
    """
    return _network_of(address) if len(address) <= MAX_ADDRESS_CHARS else ""


@lru_cache(maxsize=MAX_CACHED_ADDRESSES)
def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
