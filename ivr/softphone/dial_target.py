"""Whom to call, and as whom."""

from pathlib import Path

from msgspec import Struct

from ivr.errors import IvrError
from ivr.sip.addresses import MalformedAddress, NameAddress, SipUri, host_port, parse_uri
from ivr.sip.next_hop import hop_of
from ivr.sip.outputs import Hop
from ivr.sip.sip_call import Credentials

NOBODY = "phone"
"The user part of who calls, if nobody is named."


class NotDiallable(IvrError):
    """An address that cannot be called; the text says why."""


class DialTarget(Struct, frozen=True):
    """A SIP address, and who calls it."""

    uri: str
    "The Request-URI."
    hop: Hop
    "Where the INVITE goes: what the address itself names (RFC 3263 without its records in DNS)."
    caller: str
    "The value of From."
    credentials: Credentials | None = None
    authorities: Path | None = None
    "PEM file of the authorities that a TLS server is believed by; None: the system's."


def dial_target(
    address: str,
    *,
    caller: str | None = None,
    credentials: Credentials | None = None,
    authorities: Path | None = None,
) -> DialTarget:
    """Read a `sip:` or `sips:` address; raise NotDiallable. `caller` is a number, a user or a `sip:` address."""
    try:
        uri = parse_uri(address if ":" in address else f"sip:{address}")
    except MalformedAddress as error:
        raise NotDiallable(
            f'"{address}" is no SIP address: {error}. Write it like sip:support@127.0.0.1:5070.'
        ) from error
    if uri.scheme == "tel":
        raise NotDiallable("A telephone number needs somebody to call it through: sip:+49…@your-pbx.example.")
    hop = hop_of(uri)
    if hop is None:
        raise NotDiallable(f'The transport "{uri.parameter("transport")}" is not one of udp, tcp and tls.')
    return DialTarget(uri.text, hop, _caller(caller, uri, credentials), credentials, authorities)


def _caller(caller: str | None, uri: SipUri, credentials: Credentials | None) -> str:
    caller = caller or (credentials.user if credentials else NOBODY)
    text = caller if caller.startswith(("sip:", "sips:", "tel:")) else f"sip:{caller}@{host_port(uri.host, uri.port)}"
    try:
        return NameAddress("", parse_uri(text).text).text
    except MalformedAddress as error:
        raise NotDiallable(f'"{caller}" cannot be a caller: {error}.') from error
