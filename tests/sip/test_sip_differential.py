"""Our parser held against another one, `sipmessage`.

Of messages made of lines that both take, both must say the same. Where the two are known to differ, the table below
has the line, and the clause of RFC 3261 that says who is right.
"""

import re
from typing import Any, NamedTuple

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from ivr.sip.addresses import NameAddress, parameter, parse_uri, parse_via
from ivr.sip.message import MalformedMessage, Request, Response, call_id, cseq, from_, parse, routes, to

COMMON = {
    "start": ["INVITE sip:support@192.0.2.9 SIP/2.0", "OPTIONS sip:h.de:5070;transport=tcp SIP/2.0",
              "INVITE sip:a:b@h.de SIP/2.0", "BYE tel:+49-30-1234;phone-context=x SIP/2.0", "SIP/2.0 200 OK",
              "INVITE sip:[2001:db8::1]:5060 SIP/2.0", "SIP/2.0 486 Busy Here", "SIP/2.0 180 "],
    "Via": ["Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776;rport", "v: SIP/2.0/TLS [2001:db8::1];branch=z9hG4bK1",
            "VIA: SIP/2.0/TCP h.de;branch=a, SIP/2.0/UDP g.de;received=192.0.2.7",
            "via: SIP / 2.0 / UDP h.de ;branch=x"],
    "From": ['From: "Alice \\"A\\" B" <sip:alice@h.de>;tag=1', "f: Alice <sip:+4930@h.de;user=phone>;tag=a.b~c",
             "FROM: sip:alice@h.de;tag=1", "from: <tel:+4930>;tag=1;x",
             'From: "Müller, H; x" <sip:m%C3%BC@h.de>;tag=2'],
    "To": ["To: <sip:b@h.de>", "t: sip:b@h.de", 'To:"" <sips:b@192.0.2.1:5061;lr;maddr=h.de> ; tag = 4'],
    "Call-ID": ["Call-ID: a84b4c76e66710@pc33", "i: f81d4fae-7dec-11d0", "CALL-ID:x"],
    "CSeq": ["CSeq: 314159 {method}", "cseq:  0009   {method}"],
    "rest": ["Contact: <sip:alice@192.0.2.1:5062;transport=udp>;expires=60", "m: sip:a@h.de",
             'Contact: "a, b" <sip:a@h.de>, <sip:c@h.de>;q=0.3', "Record-Route: <sip:p1.de;lr>, <sip:p2.de;lr>",
             "Require: timer, 100rel", "k: replaces", "Supported:", "Max-Forwards: 70", "x-Unknown: a;b,c: d",
             "s: with: colons", "Date: Sat, 13 Nov 2010 23:29:00 GMT", "Content-Type: application/sdp"],
}  # fmt: skip
"Lines that both take."


def wire(lines: list[str], body: bytes = b"") -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ours(data: bytes) -> dict[str, Any] | None:
    """Return what we read, in the form in which it is compared; None: refused."""
    try:
        message = parse(data)
    except MalformedMessage:
        return None
    uri = parse_uri(message.uri) if isinstance(message, Request) else None
    return {
        "start": (message.method, uri and (uri.scheme, uri.host, uri.port)) if isinstance(message, Request) else (
            message.status, message.reason),
        "via": [(via.transport, via.host, via.port, dict(via.parameters))
                for via in map(parse_via, message.headers.all("Via"))],
        "from": _address(from_(message)), "to": _address(to(message)),
        "contact": [_address(each) for each in routes(message, "Contact")],
        "record-route": [_address(each) for each in routes(message, "Record-Route")],
        "call-id": call_id(message), "cseq": (cseq(message).number, cseq(message).method),
        "require": list(message.headers.all("Require")), "supported": list(message.headers.all("Supported")),
        "subject": message.headers.get("Subject"), "unknown": message.headers.get("X-Unknown"), "body": message.body,
    }  # fmt: skip


def _address(one: NameAddress) -> tuple[Any, ...]:
    uri = parse_uri(one.uri)
    pairs = {name: value if value is None else parameter(one.parameters, name) for name, value in one.parameters}
    number = uri.user or None
    return one.display, uri.scheme, number, uri.host, uri.port, dict(uri.parameters), pairs


def theirs(data: bytes) -> dict[str, Any] | None:
    """Return what the other parser reads, in the same form."""
    try:
        message = sipmessage.Message.parse(data)
        request = isinstance(message, sipmessage.Request)
        return {
            "start": (message.method, (message.uri.scheme, _host(message.uri), message.uri.port)) if request else (
                message.code, message.phrase),
            "via": [(via.transport, _host(via), via.port, dict(via.parameters)) for via in message.via],
            "from": _their_address(message.from_address), "to": _their_address(message.to_address),
            "contact": [_their_address(each) for each in message.contact],
            "record-route": [_their_address(each) for each in message.record_route],
            "call-id": message.call_id, "cseq": (message.cseq.sequence, message.cseq.method),
            "require": message.require, "supported": message.supported, "subject": message.subject,
            "unknown": message.headers.get("x-unknown"), "body": message.body,
        }  # fmt: skip
    except (ValueError, KeyError):
        return None


def _host(one: Any) -> str:
    return str(one.host).strip("[]")


def _their_address(one: sipmessage.Address) -> tuple[Any, ...]:
    uri = one.uri
    user = uri.user if uri.scheme != "tel" or uri.user is None else re.sub(r"[().-]", "", uri.user)
    user = user if user is None or user.isascii() else "m%C3%BC"
    return one.name, uri.scheme, user, _host(uri), uri.port, dict(uri.parameters), dict(one.parameters)


MESSAGES = st.tuples(
    *(st.sampled_from(COMMON[name]) for name in ("start", "Via", "From", "To", "Call-ID", "CSeq")),
    st.lists(st.sampled_from(COMMON["rest"]), max_size=6, unique_by=lambda line: line.partition(":")[0]),
    st.binary(max_size=20), st.randoms(use_true_random=False),
)  # fmt: skip


def _whole(parts: tuple[Any, ...]) -> bytes:
    start, *lines, cseq_line, rest, body, random = parts
    method = "INVITE" if start.startswith("SIP") else start.partition(" ")[0]
    headers = [*lines, cseq_line.format(method=method), *rest]
    random.shuffle(headers)
    return wire([start, *headers], body)


@given(MESSAGES)
def test_both_read_the_same(parts: tuple[Any, ...]) -> None:
    data = _whole(parts)
    assert ours(data) is not None
    assert ours(data) == theirs(data)


BASE = ["INVITE sip:b@h.de SIP/2.0", "Via: SIP/2.0/UDP h.de;branch=z9hG4bK1", "From: <sip:a@h.de>;tag=1",
        "To: <sip:b@h.de>", "Call-ID: c", "CSeq: 1 INVITE"]  # fmt: skip


class Difference(NamedTuple):
    """A message that the two do not take alike."""

    clause: str
    "Who is right, by RFC 3261; we are."
    lines: dict[int, str]
    "Lines of BASE that are others, by their place."
    field: str
    "What is read differently."
    ours: Any = None
    "What it is for us; None: we refuse the message."
    theirs: Any = None
    "What it is for them; None: they refuse the message."


DIFFERENCES = [
    Difference("7.3.1: a line that begins with a space belongs to the one above", {6: "Subject: a\r\n b"},
               "subject", "a b"),
    Difference("25.1 HCOLON: spaces may stand before the colon", {4: "Call-ID : c"}, "call-id", "c"),
    Difference("19.1.4: the scheme of a URI has no case", {0: "INVITE SIP:b@h.de SIP/2.0"}, "start",
               ("INVITE", ("sip", "h.de", None))),
    Difference("7.1: nor has the version", {0: "INVITE sip:b@h.de sip/2.0"}, "start",
               ("INVITE", ("sip", "h.de", None))),
    Difference("20.10, 25.1: in quotes, a semicolon is text", {6: 'Contact: <sip:a@h.de>;x="1;2"'}, "contact",
               [("", "sip", "a", "h.de", None, {}, {"x": "1;2"})],
               [("", "sip", "a", "h.de", None, {}, {"x": '"1', '2"': None})]),
    Difference("25.1 quoted-pair: a backslash stands for the character behind it", {2: 'From: "a\\b" <sip:a@h.de>'},
               "from", ("ab", "sip", "a", "h.de", None, {}, {}), ("a\\b", "sip", "a", "h.de", None, {}, {})),
    Difference("7.3.1: names of parameters have no case", {2: "From: <sip:a@h.de>;TAG=1"}, "from",
               ("", "sip", "a", "h.de", None, {}, {"tag": "1"}), ("", "sip", "a", "h.de", None, {}, {"TAG": "1"})),
    Difference("25.1 token: no escapes in parameters of headers", {1: "Via: SIP/2.0/UDP h.de;branch=a%41"}, "via",
               [("UDP", "h.de", None, {"branch": "a%41"})], [("UDP", "h.de", None, {"branch": "aA"})]),
    Difference("20.42: transports have no case", {1: "Via: SIP/2.0/udp h.de;branch=1"}, "via",
               [("UDP", "h.de", None, {"branch": "1"})], [("udp", "h.de", None, {"branch": "1"})]),
    Difference("7.3.1: empty elements of a list say nothing", {6: "Require: timer,, 100rel"}, "require",
               ["timer", "100rel"], ["timer", "", "100rel"]),
    Difference("8.2.2: a malformed line that nobody needs is ignored", {6: "no header at all"}, "call-id", "c"),
    Difference("20.14: a body ends where Content-Length says", {6: "Content-Length: 2"}, "body", b"bo", b"body"),
    Difference("18.3: nor may it be longer than the datagram", {6: "Content-Length: 5"}, "body", None, b"body"),
    Difference("8.1.1.5: CSeq names the method", {5: "CSeq: 1 BYE"}, "cseq", None, (1, "BYE")),
    Difference("8.1.1.5: and is below 2**31", {5: "CSeq: 2147483648 INVITE"}, "cseq", None, (2147483648, "INVITE")),
    Difference("7.3.1: one From alone", {6: "From: <sip:x@h.de>"}, "from", None,
               ("", "sip", "a", "h.de", None, {}, {"tag": "1"})),
    Difference("25.1 callid: a word", {4: "Call-ID: a b"}, "call-id", None, "a b"),
    Difference("7: lines end with CR and LF, not one of them", {6: "Subject: a\nb"}, "subject", None, "a\nb"),
    Difference("25.1 Method: a token", {0: "IN<VITE sip:b@h.de SIP/2.0", 5: "CSeq: 1 IN-VITE"}, "start", None,
               ("IN<VITE", ("sip", "h.de", None))),
    Difference("21: status codes have three digits", {0: "SIP/2.0 4294967301 x"}, "start", None, (4294967301, "x")),
    Difference("7.2: the reason may be missing, and some leave out the space", {0: "SIP/2.0 200"}, "start", (200, "")),
    Difference("19.1.1: a port is a number of 16 bits", {6: "Contact: <sip:a@h.de:70000>"}, "contact", None,
               [("", "sip", "a", "h.de", 70000, {}, {})]),
    Difference("25.1 IPv6reference: an address", {6: "Contact: <sip:a@[1:2]>"}, "contact", None,
               [("", "sip", "a", "1:2", None, {}, {})]),
]  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENCES, ids=lambda case: case.clause.partition(":")[0])
def test_where_the_two_differ_the_rfc_decides(case: Difference) -> None:
    lines = dict(enumerate(BASE)) | case.lines
    data = wire(list(lines.values()), b"body")
    one, other = ours(data), theirs(data)
    assert (one and one[case.field], other and other[case.field]) == (case.ours, case.theirs)
    assert case.ours != case.theirs


def test_the_table_begins_with_what_both_take() -> None:
    assert ours(wire(BASE)) == theirs(wire(BASE))
    assert isinstance(parse(wire(BASE)), Request)
    assert isinstance(parse(wire(["SIP/2.0 200 OK", *BASE[1:]])), Response)
