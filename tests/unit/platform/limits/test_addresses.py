import pytest

from conflicto.platform.limits.addresses import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:DB8:1:2:FFFF::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("unix", ""),
        ("fe80::1%" + "x" * 64, ""),
        ("192.0.2.1, 192.0.2.2", ""),
        ("", ""),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network
