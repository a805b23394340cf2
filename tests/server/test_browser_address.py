"""Under which address a browser is counted: what one person has to choose from is one."""

import pytest

from ivr.server.browser_address import counted_as


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("2001:DB8:0:1::", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::1%" + "a" * 40, "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_ipv6_is_counted_by_its_network(address: str, counted: str) -> None:
    assert counted_as(address) == counted
