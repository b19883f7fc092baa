"""The network of a client address."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


def network_of(address: str) -> str:
    """Return an IPv4 address unchanged, the /64 of an IPv6 address, or an empty text.

    >>> network_of("::ffff:192.0.2.1"), network_of("2001:db8::1:2:3:4"), network_of("somewhere")
    ('192.0.2.1', '2001:db8::', '')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
