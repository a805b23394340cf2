"""Where a request goes by what its address names (RFC 3263 4), without records in DNS: transport, host and port."""

from ivr.sip.addresses import SipUri
from ivr.sip.outputs import Hop, Transport


def hop_of(uri: SipUri) -> Hop | None:
    """Return the next hop of a `sip:` or `sips:` URI; None: a transport that is not udp, tcp or tls, or no host."""
    transport = _transport(uri.scheme, (uri.parameter("transport") or "").lower())
    if transport is None or not uri.host:
        return None
    return Hop(transport, uri.host, uri.port or (5061 if transport == "tls" else 5060))


def _transport(scheme: str, wanted: str) -> Transport | None:
    match wanted:
        case "":
            return "tls" if scheme == "sips" else "udp"
        case "udp" if scheme == "sip":
            return "udp"
        case "tcp":
            return "tls" if scheme == "sips" else "tcp"
        case "tls":
            return "tls"
    return None
