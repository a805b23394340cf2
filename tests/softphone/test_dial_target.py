"""Whom a SIP address calls, and by which way."""

import pytest

from ivr.sip.outputs import Hop
from ivr.sip.sip_call import Credentials
from ivr.softphone.dial_target import NotDiallable, dial_target


@pytest.mark.parametrize(
    ("address", "uri", "hop"),
    [
        ("sip:support@127.0.0.1:5070", "sip:support@127.0.0.1:5070", Hop("udp", "127.0.0.1", 5070)),
        ("sip:support@pbx.example", "sip:support@pbx.example", Hop("udp", "pbx.example", 5060)),
        ("sip:a@pbx.example;transport=tcp", "sip:a@pbx.example;transport=tcp", Hop("tcp", "pbx.example", 5060)),
        ("sip:a@pbx.example;transport=TLS", "sip:a@pbx.example;transport=TLS", Hop("tls", "pbx.example", 5061)),
        ("sips:a@pbx.example:5071", "sips:a@pbx.example:5071", Hop("tls", "pbx.example", 5071)),
        ("sip:a@[2001:db8::1]:5070", "sip:a@[2001:db8::1]:5070", Hop("udp", "2001:db8::1", 5070)),
        ("support@pbx.example", "sip:support@pbx.example", Hop("udp", "pbx.example", 5060)),
    ],
)
def test_an_address_says_where_the_call_goes(address: str, uri: str, hop: Hop) -> None:
    found = dial_target(address)
    assert (found.uri, found.hop) == (uri, hop)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1/call", "is no SIP address"),
        ("sip:", "is no SIP address"),
        ("tel:+4930123", "somebody to call it through"),
        ("sip:a@b;transport=sctp", "not one of udp, tcp and tls"),
    ],
)
def test_what_cannot_be_called_is_told(address: str, why: str) -> None:
    with pytest.raises(NotDiallable, match=why):
        dial_target(address)


@pytest.mark.parametrize(
    ("caller", "user", "found"),
    [
        (None, None, "<sip:phone@pbx.example:5070>"),
        (None, "200", "<sip:200@pbx.example:5070>"),
        ("+4930123", "200", "<sip:+4930123@pbx.example:5070>"),
        ("sip:anna@home.example", None, "<sip:anna@home.example>"),
    ],
)
def test_who_calls(caller: str | None, user: str | None, found: str) -> None:
    credentials = Credentials(user, "secret") if user else None
    assert dial_target("sip:a@pbx.example:5070", caller=caller, credentials=credentials).caller == found


def test_who_cannot_call_is_told() -> None:
    with pytest.raises(NotDiallable, match="cannot be a caller"):
        dial_target("sip:a@pbx.example", caller="<anna>\r\nX: y")
