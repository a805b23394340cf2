"""SIP requests as strangers send them, for tests of what is decided about them."""

from ivr.sip.message import Headers, Request
from ivr.sip.outputs import Link, Transport


def request(method: str = "INVITE", uri: str = "sip:support@127.0.0.1", **headers: str) -> Request:
    """Return a request; `headers` are more of them, with `_` for `-`, in place of those that every request has."""
    every = {
        "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
        "From": "<sip:anna@example.com>;tag=a",
        "To": f"<{uri}>",
        "Call-ID": "c",
        "CSeq": f"1 {method}",
    }
    every |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, uri, Headers.of(*every.items()))


def link(host: str = "127.0.0.1", port: int = 5060, transport: Transport = "udp") -> Link:
    return Link(transport, ("127.0.0.1", 5070), (host, port), connection=int(transport != "udp"))
