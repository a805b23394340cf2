"""SIP messages: bytes to structs and back."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.sip.addresses import NameAddress, SipUri
from ivr.sip.message import (
    CSeq,
    Headers,
    MalformedMessage,
    Request,
    Response,
    call_id,
    contact,
    cseq,
    encode,
    from_,
    parse,
    request_uri,
    routes,
    to,
    top_via,
)

INVITE = b"""\
INVITE sip:support@192.0.2.9 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx
v: SIP/2.0/TCP 192.0.2.3;branch=z9hG4bKy
Max-Forwards: 70
t: "Support, first" <sip:support@192.0.2.9>
f: Alice <sip:alice@192.0.2.1>;tag=1928301774
i: a84b4c76e66710@pc33
cseq: 314159 INVITE
m: <sip:alice@192.0.2.1:5062;transport=udp>
k: timer, 100rel,, replaces
RECORD-ROUTE: <sip:p1@192.0.2.5;lr>, <sip:p2@192.0.2.6;lr>
x-unheard-of: a,
 b
Date: Sat, 13 Nov 2010 23:29:00 GMT
rseq: 1
c: application/sdp
l: 4

v=0
""".replace(b"\n", b"\r\n")
"The blank line in it ends the headers; of what follows, four bytes are the body."


def invite(**changed: str | None) -> bytes:
    """Return a small INVITE with some headers changed, or with None left out."""
    headers = {
        "Via": "SIP/2.0/UDP h;branch=z9hG4bK1",
        "From": "<sip:a@h>;tag=1",
        "To": "<sip:b@h>",
        "Call-ID": "c",
        "CSeq": "1 INVITE",
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = ["INVITE sip:b@h SIP/2.0", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode()


def test_an_invite_is_read() -> None:
    message = parse(INVITE)
    assert isinstance(message, Request)
    assert (message.method, message.uri, message.body) == ("INVITE", "sip:support@192.0.2.9", b"v=0\r")
    assert message.headers.all("Via") == (
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport",
        "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx",
        "SIP/2.0/TCP 192.0.2.3;branch=z9hG4bKy",
    )
    assert top_via(message).branch == "z9hG4bK776asdhds"
    assert cseq(message) == CSeq(314159, "INVITE")
    assert call_id(message) == "a84b4c76e66710@pc33"
    assert from_(message) == NameAddress("Alice", "sip:alice@192.0.2.1", (("tag", "1928301774"),))
    assert to(message) == NameAddress("Support, first", "sip:support@192.0.2.9")
    assert contact(message) == NameAddress("", "sip:alice@192.0.2.1:5062;transport=udp")
    assert [each.uri for each in routes(message, "Record-Route")] == ["sip:p1@192.0.2.5;lr", "sip:p2@192.0.2.6;lr"]
    assert request_uri(message) == SipUri("sip", "support", "192.0.2.9")


def test_names_are_compared_without_case_and_written_as_the_rfcs_do() -> None:
    message = parse(INVITE)
    names = [name for name, _ in message.headers]
    assert names == ["Via"] * 3 + ["Max-Forwards", "To", "From", "Call-ID", "CSeq", "Contact"] + ["Supported"] * 3 + [
        "Record-Route", "Record-Route", "X-Unheard-Of", "Date", "RSeq", "Content-Type",
    ]  # fmt: skip
    assert message.headers.get("CALL-id") == message.headers.get("i") == "a84b4c76e66710@pc33"


def test_what_was_not_parsed_says_what_it_lacks() -> None:
    empty = Request("INVITE", "sip:h", Headers())
    with pytest.raises(MalformedMessage):
        cseq(empty)


def test_only_lists_are_split_at_commas() -> None:
    headers = parse(INVITE).headers
    assert headers.all("Supported") == ("timer", "100rel", "replaces")
    assert headers.get("Date") == "Sat, 13 Nov 2010 23:29:00 GMT"
    assert headers.get("X-Unheard-Of") == "a, b"
    assert Headers.of(("Contact", '"a, b" <sip:a,b@h>, <sip:c@h>')).all("Contact") == (
        '"a, b" <sip:a,b@h>',
        "<sip:c@h>",
    )


def test_what_is_written_is_read_again() -> None:
    message = parse(INVITE)
    assert parse(encode(message)) == message
    assert b"\r\nSupported: timer, 100rel, replaces\r\n" in encode(message)
    assert b"\r\nContent-Length: 4\r\n\r\nv=0\r" in encode(message)


def test_a_response_is_read_and_written() -> None:
    data = b"SIP/2.0 180 \r\n" + INVITE.partition(b"\r\n")[2]
    message = parse(data)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (180, "")
    assert parse(encode(message)) == message


def test_headers_are_changed_by_making_others() -> None:
    headers = Headers.of(("Via", "a"), ("To", "t"), ("Via", "b"))
    assert headers.replaced("v", "x", "y") == Headers.of(("Via", "x"), ("Via", "y"), ("To", "t"))
    assert headers.replaced("Allow", "INVITE, ACK").all("allow") == ("INVITE", "ACK")
    assert headers.added("Require", "timer").get("Require") == "timer"
    assert headers.without("via") == Headers.of(("To", "t"))
    assert headers.get("From") is None


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_message_needs_five_headers(name: str) -> None:
    """RFC 3261 8.1.1; without a Via there is nowhere to send the 400 to."""
    with pytest.raises(MalformedMessage) as raised:
        parse(invite(**{name: None}))
    assert (raised.value.request is None) == (name == "Via")
    assert raised.value.status == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"CSeq": "1 OPTIONS"},
        {"CSeq": "x INVITE"},
        {"CSeq": "36893488147419103232 INVITE"},
        {"CSeq": "2147483648 INVITE"},
        {"From": "<sip:a@h"},
        {"To": "nobody"},
        {"Contact": "<sip:a@h:99999>"},
        {"Record-Route": "<sip:[h]>"},
        {"Call_ID": ""},
        {"Call_ID": "a b"},
        {"Content_Length": "-1"},
        {"Content_Length": "1"},
        {"Content_Length": "٣"},
        {"T": "<sip:c@h>"},
        {"X": "a\nb"},
    ],
)
def test_a_request_that_cannot_be_taken_can_be_answered(changed: dict[str, str]) -> None:
    with pytest.raises(MalformedMessage) as raised:
        parse(invite(**changed))
    assert raised.value.request is not None
    assert top_via(raised.value.request).branch == "z9hG4bK1"


def test_another_version_of_sip_gets_505() -> None:
    """RFC 3261 21.5.6, RFC 4475 3.1.2.16."""
    with pytest.raises(MalformedMessage) as raised:
        parse(invite().replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1))
    assert raised.value.status == 505
    assert raised.value.request is not None


def test_no_ack_is_answered() -> None:
    data = invite(CSeq=None).replace(b"INVITE", b"ACK")
    with pytest.raises(MalformedMessage) as raised:
        parse(data)
    assert raised.value.request is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 40,
        b"hello\r\n\r\n",
        INVITE.partition(b"\r\n\r\n")[0],
        INVITE.replace(b"\r\n", b"\n"),
        b"SIP/2.0 099 x\r\n" + INVITE.partition(b"\r\n")[2],
        b"SIP/2.0 4294967301 x\r\n" + INVITE.partition(b"\r\n")[2],
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        invite(**{f"X-{number}": "x" for number in range(256)}),
        invite(X="x" * 65536),
        invite(Allow="," .join(["A"] * 300)),
        invite() + b"x" * 65537,
    ],
)  # fmt: skip
def test_what_is_no_message_is_dropped(data: bytes) -> None:
    with pytest.raises(MalformedMessage) as raised:
        parse(data)
    assert raised.value.request is None


def test_a_datagram_without_content_length_is_body_to_its_end() -> None:
    assert parse(invite() + b"body").body == b"body"


def test_a_malformed_line_that_nobody_needs_is_ignored() -> None:
    """RFC 3261 8.2.2."""
    message = parse(invite(**{"b d": "x", "Route": "<broken", "Date": "yesterday"}).replace(b"Date: ", b"Date "))
    assert [name for name, _ in message.headers] == ["Via", "From", "To", "Call-ID", "CSeq", "Route"]


def test_line_breaks_before_a_message_are_skipped() -> None:
    assert parse(b"\r\n\r\n" + INVITE) == parse(INVITE)


def test_a_head_that_is_not_utf_8_is_read_as_latin_1() -> None:
    message = parse(invite(From="F").replace(b"F\r\n", "Müller <sip:a@h>\r\n".encode("latin-1")))
    assert from_(message).display == "Müller"


def test_a_bare_line_break_is_no_part_of_a_header() -> None:
    for mark in (b"\n", b"\r"):
        with pytest.raises(MalformedMessage):
            parse(invite(X="aMb").replace(b"M", mark))


def test_the_scheme_of_a_request_uri_may_be_one_that_we_do_not_serve() -> None:
    message = parse(invite().replace(b"sip:b@h SIP", b"nobodyKnowsThisScheme:totallyopaquecontent SIP"))
    assert isinstance(message, Request)
    assert request_uri(message) is None


@pytest.mark.parametrize("mark", ["\r\n", "\r", "\n"])
def test_nothing_that_is_written_can_begin_a_new_header(mark: str) -> None:
    evil = f"x{mark}Evil: y"
    good = Headers.of(("Via", "SIP/2.0/UDP h"))
    for message in (
        Request("INVITE", f"sip:{evil}", good),
        Request(evil, "sip:h", good),
        Response(200, evil, good),
        Response(200, "OK", good.added("Reason", evil)),
        Response(200, "OK", good.added("Allow", evil)),
        Response(200, "OK", Headers.of(("Via", evil))),
    ):
        with pytest.raises(ValueError, match="line break"):
            encode(message)
    with pytest.raises(ValueError, match="name of a header"):
        good.added(evil, "x")


def test_the_length_of_a_body_is_written_as_it_is() -> None:
    message = Response(200, "OK", Headers.of(("Content-Length", "99"), ("X-A", "1")), b"body")
    assert encode(message) == b"SIP/2.0 200 OK\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody"


def test_a_contact_may_be_a_star() -> None:
    data = invite(Contact="*", CSeq="1 REGISTER").replace(b"INVITE", b"REGISTER", 1)
    assert contact(parse(data)) is None
    assert contact(parse(invite())) is None


def test_an_invite_is_read_and_written_in_less_than_a_millisecond() -> None:
    """It takes a tenth of that, without what coverage adds; in a flood of them it counts."""
    times = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(50):
            encode(parse(INVITE))
        times.append((time.process_time() - started) / 50)
    assert min(times) < 1e-3


VALUES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters='",<'), max_size=12
)
EXTRAS = st.lists(st.tuples(st.sampled_from(["X-A", "Subject", "Allow", "RSeq", "Reason"]), VALUES), max_size=5)


@given(EXTRAS, st.binary(max_size=50), st.integers(100, 699) | st.sampled_from(["INVITE", "BYE"]))
def test_every_message_comes_back_as_it_was_written(
    extras: list[tuple[str, str]], body: bytes, kind: int | str
) -> None:
    headers = Headers.of(
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", "<sip:a@h>"), ("To", "<sip:b@h>"), ("Call-ID", "c"),
        ("CSeq", f"1 {kind if isinstance(kind, str) else 'INVITE'}"), *extras,
    )  # fmt: skip
    message = Request(kind, "sip:b@h", headers, body) if isinstance(kind, str) else Response(kind, "x", headers, body)
    assert parse(encode(message)) == message
