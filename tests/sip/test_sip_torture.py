"""The torture messages of RFC 4475, and those of RFC 5118 for IPv6: what is taken, and what is refused how.

Each test names the section. Bodies and headers that do not matter for it are left out.
"""

from typing import NamedTuple

import pytest

from ivr.sip.addresses import parse_uri, parse_via
from ivr.sip.bodies import Unsupported, sdp_of
from ivr.sip.message import (
    CSeq,
    MalformedMessage,
    Message,
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
from ivr.sip.negotiation import LocalMedia, answer


def wire(text: str, body: bytes = b"") -> bytes:
    """Return a head as it is sent, with a body."""
    return text.strip("\n").replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


REST = """
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
From: <sip:caller@example.net>;tag=1
To: <sip:user@example.com>
Call-ID: torture@192.0.2.1
CSeq: 1 {method}
"""


def request(start: str = "INVITE sip:user@example.com SIP/2.0", *lines: str, body: bytes = b"") -> bytes:
    """Return a request with what all have; a line of ours takes the place of one of the same name."""
    names = tuple(line.partition(":")[0].strip().lower() for line in lines)
    method = start.partition(" ")[0]
    rest = [line for line in REST.format(method=method).split("\n") if line.partition(":")[0].lower() not in names]
    return wire("\n".join([start, *filter(None, rest), *lines]), body)


def taken(data: bytes) -> Message:
    """Return what was read, after it went out and came in again."""
    message = parse(data)
    assert parse(encode(message)) == message
    return message


class Refusal(NamedTuple):
    status: int | None
    "None: no answer."


def refusal(data: bytes) -> Refusal:
    with pytest.raises(MalformedMessage) as raised:
        parse(data)
    return Refusal(raised.value.status if raised.value.request else None)


WSINV = r"""
INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 4
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33
"""


def test_3_1_1_1_a_short_tortuous_invite() -> None:
    message = taken(wire(WSINV, b"v=0\r\n"))
    assert from_(message).display == 'J Rosenberg \\"'
    assert (from_(message).tag, to(message).tag) == ("98asjd8", "1918181833n")
    assert cseq(message) == CSeq(9, "INVITE")
    assert [parse_via(each).branch for each in message.headers.all("Via")] == [
        "390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239",
    ]  # fmt: skip
    assert parse_via(message.headers.all("Via")[1]).host == "spindle.example.com"
    there = contact(message)
    assert there is not None
    assert (there.display, there.parameter("newparam"), there.parameter("q")) == (
        'Quoted string ""',
        "newvalue",
        "0.33",
    )
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert message.headers.get("Subject") == ""
    assert message.body == b"v=0\r"


METHOD = "!interesting-Method0123456789_*+`.%indeed'~"
CALL_ID = "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"


def test_3_1_1_2_a_wide_range_of_valid_characters() -> None:
    message = taken(
        request(
            f"{METHOD} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
            "@example.com SIP/2.0",
            "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~",
            'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" '
            "<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>",
            "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"\u0440\u0430\u0431\";"
            "tag=_token~1'+`*%!-.",
            f"Call-ID: {CALL_ID}",
            "extensionHeader-!.%*+_`': \u5927\u505c\u96fb",
        )
    )
    assert isinstance(message, Request)
    assert message.method == METHOD
    assert call_id(message) == CALL_ID
    assert to(message).display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert (from_(message).display, from_(message).tag) == ("token1~` token2'+_ token3*%!.-", "_token~1'+`*%!-.")
    assert message.headers.get("extensionHeader-!.%*+_`'") == "\u5927\u505c\u96fb"
    assert top_via(message).branch == "z9hG4bK-.!%66*_+`'~"


def test_3_1_1_3_escapes() -> None:
    message = taken(
        request("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0", "To: sip:%75se%72@example.com",
                "From: <sip:I%20have%20spaces@example.net>;tag=938")
    )  # fmt: skip
    assert isinstance(message, Request)
    uri = request_uri(message)
    assert uri is not None
    assert (uri.user, uri.host) == ("sips%3Auser%40example.com", "example.net")
    assert parse_uri(to(message).uri).user == "user"
    assert parse_uri(from_(message).uri).user == "I%20have%20spaces"


def test_3_1_1_4_escaped_nulls() -> None:
    message = taken(
        request("REGISTER sip:example.com SIP/2.0", "To: sip:null-%00-null@example.com",
                "Contact: <sip:%00@host5.example.com>", "Contact: <sip:%00%00@host5.example.com>")
    )  # fmt: skip
    assert [parse_uri(each.uri).user for each in routes(message, "Contact")] == ["%00", "%00%00"]


def test_3_1_1_5_a_percent_sign_that_is_no_escape() -> None:
    message = taken(request("RE%47IST%45R sip:registrar.example.com SIP/2.0", 'To: "%Z%45" <sip:resource@example.com>'))
    assert isinstance(message, Request)
    assert message.method == "RE%47IST%45R"
    assert to(message).display == "%Z%45"


def test_3_1_1_6_no_space_between_name_and_address() -> None:
    assert (
        from_(taken(request("OPTIONS sip:h SIP/2.0", "From: caller<sip:caller@example.com>;tag=323"))).display
        == "caller"
    )


def test_3_1_1_7_long_values() -> None:
    long = "long" * 100
    message = taken(
        request(f"INVITE sip:user@example.com;{long}param={long}value SIP/2.0",
                f'To: "{long}" <sip:{long}@h:6000;x={long}>', f"From: sip:a@h;tag=1;{long}={long}", f"Call-ID: {long}",
                f"Unknown-{long}: {long * 20}",
                *[f"Via: SIP/2.0/TCP sip{number}.example.com;branch=z9hG4bK{long}" for number in range(30)])
    )  # fmt: skip
    assert to(message).display == long
    assert len(message.headers.all("Via")) == 30


def test_3_1_1_8_trailing_octets_in_a_datagram_are_ignored() -> None:
    message = taken(request("REGISTER sip:example.com SIP/2.0", "l: 0") + request())
    assert isinstance(message, Request)
    assert (message.method, message.body) == ("REGISTER", b"")


def test_3_1_1_9_semicolons_in_the_user_part() -> None:
    message = taken(request("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"))
    assert isinstance(message, Request)
    uri = request_uri(message)
    assert uri is not None
    assert (uri.user, uri.host) == ("user;par=u%40example.net", "example.com")


def test_3_1_1_10_unknown_transports() -> None:
    message = taken(
        request("OPTIONS sip:h SIP/2.0", *[f"Via: SIP/2.0/{one} t.example.com;branch=z9hG4bK{one}"
                                           for one in ("UDP", "SCTP", "TLS", "UNKNOWN", "TCP")])
    )  # fmt: skip
    assert [parse_via(each).transport for each in message.headers.all("Via")] == [
        "UDP",
        "SCTP",
        "TLS",
        "UNKNOWN",
        "TCP",
    ]


def test_3_1_1_11_a_multipart_body() -> None:
    parts = (b"Content-Type: text/plain\r\n\r\nHello", b"Content-Type: application/octet-stream\r\n\r\n\0")
    body = b"".join(b"--7a9\r\n" + part + b"\r\n" for part in parts) + b"--7a9--\r\n"
    message = taken(request("MESSAGE sip:h SIP/2.0", "Content-Type: multipart/mixed;boundary=7a9", body=body))
    assert message.body == body
    assert sdp_of(message) == Unsupported()


@pytest.mark.parametrize("reason", ["= 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e", ""])
def test_3_1_1_12_and_13_unusual_and_empty_reasons(reason: str) -> None:
    message = taken(request(f"SIP/2.0 200 {reason}", "CSeq: 1 INVITE"))
    assert isinstance(message, Response)
    assert message.reason == reason


def test_3_1_2_1_extraneous_separators() -> None:
    """Its Via cannot be read either, so that there is nowhere to send the 400 to."""
    assert refusal(request("INVITE sip:h SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.15;;,;,,")) == Refusal(None)
    assert refusal(request("INVITE sip:h SIP/2.0", 'Contact: "Joe" <sip:joe@example.org>;;;;')) == Refusal(400)


@pytest.mark.parametrize("length", ["9999", "-999"])
def test_3_1_2_2_and_3_a_content_length_that_is_not_true(length: str) -> None:
    assert refusal(request("INVITE sip:h SIP/2.0", f"Content-Length: {length}")) == Refusal(400)


def test_3_1_2_4_and_5_overlarge_numbers() -> None:
    line = "CSeq: 36893488147419103232 REGISTER"
    assert refusal(request("REGISTER sip:h SIP/2.0", line)) == Refusal(400)
    assert refusal(request("SIP/2.0 503 Service Unavailable", line)) == Refusal(None)


@pytest.mark.parametrize(
    ("start", "lines"),
    [
        pytest.param("INVITE sip:h SIP/2.0", ['To: "Mr. J. User <sip:j.user@example.com>'], id="3.1.2.6 quotes"),
        pytest.param("INVITE <sip:user@example.com> SIP/2.0", [], id="3.1.2.7 brackets round the Request-URI"),
        pytest.param("INVITE sip:user@example.com; lr SIP/2.0", [], id="3.1.2.8 space in the Request-URI"),
        pytest.param("INVITE  sip:user@example.com  SIP/2.0", [], id="3.1.2.9 more than one space"),
        pytest.param("INVITE sip:user@example.com SIP/2.0  ", [], id="3.1.2.10 spaces at the end"),
        pytest.param("INVITE sip:h?Route=%3Csip:example.com%3E SIP/2.0", [], id="3.1.2.11 headers in the Request-URI"),
        pytest.param("INVITE sip:h SIP/2.0", ["Contact: sip:h?Route=%3Csip:h%3E"], id="3.1.2.13 no brackets"),
        pytest.param("INVITE sip:h SIP/2.0", ["CSeq: 8 OPTIONS"], id="3.1.2.17 another method in CSeq"),
        pytest.param("NEWMETHOD sip:h SIP/2.0", ["CSeq: 8 INVITE"], id="3.1.2.18 unknown, another in CSeq"),
        pytest.param("INVITE sip:h SIP/2.0", ["CSeq: 5 INVITE", "CSeq: 59 INVITE"], id="3.3.8 two of one"),
        pytest.param("INVITE sip:h SIP/2.0", ["Content-Length: 13", "Content-Length: 5"], id="3.3.9 two lengths"),
    ],
)
def test_requests_that_get_400(start: str, lines: list[str]) -> None:
    body = b"There's no way to know how many octets are supposed to be here."
    assert refusal(request(start, *lines, body=body)) == Refusal(400)


def test_3_1_2_12_a_date_in_another_time_zone_is_nobodys_business() -> None:
    taken(request("INVITE sip:h SIP/2.0", "Date: Fri, 01 Jan 2010 16:00:00 EST"))


def test_3_1_2_14_spaces_round_an_address_are_taken() -> None:
    message = taken(request("OPTIONS sip:h SIP/2.0", 'To: "Watson, Thomas" < sip:t.watson@example.org >'))
    assert to(message).uri == "sip:t.watson@example.org"


def test_3_1_2_15_a_display_name_that_is_no_token_is_taken() -> None:
    message = taken(request("OPTIONS sip:h SIP/2.0", "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"))
    assert from_(message).display == "Bell, Alexander"


def test_3_1_2_16_an_unknown_version() -> None:
    assert refusal(request("OPTIONS sip:h SIP/7.0")) == Refusal(505)


def test_3_1_2_19_an_overlarge_response_code() -> None:
    assert refusal(request("SIP/2.0 4294967301 better not break the receiver", "CSeq: 1 INVITE")) == Refusal(None)


def test_3_2_1_a_branch_with_nothing_behind_the_cookie() -> None:
    message = taken(request("OPTIONS sip:h SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"))
    assert top_via(message).branch == "z9hG4bK"


def test_3_3_1_missing_headers() -> None:
    data = wire(
        "INVITE sip:user@example.com SIP/2.0\nCSeq: 193942 INVITE\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj"
    )
    assert refusal(data) == Refusal(400)


@pytest.mark.parametrize("uri", ["nobodyKnowsThisScheme:totallyopaquecontent", "soap.beep://192.0.2.103:3002"])
def test_3_3_2_and_3_a_request_uri_of_another_scheme(uri: str) -> None:
    """It is for the endpoint to say 416."""
    message = taken(request(f"OPTIONS {uri} SIP/2.0"))
    assert isinstance(message, Request)
    assert request_uri(message) is None


def test_3_3_4_other_schemes_in_headers() -> None:
    message = taken(
        request("REGISTER sip:example.com SIP/2.0", "To: isbn:2983792873", "From: <http://www.example.com>;tag=3234233",
                "Contact: <name:John_Smith>")
    )  # fmt: skip
    assert (to(message).uri, from_(message).uri) == ("isbn:2983792873", "http://www.example.com")


def test_3_3_5_required_extensions() -> None:
    message = taken(request("OPTIONS sip:h SIP/2.0", "Require: nothingSupportsThis, nothingSupportsThisEither",
                            "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis"))  # fmt: skip
    assert message.headers.all("Require") == ("nothingSupportsThis", "nothingSupportsThisEither")


def test_3_3_6_an_unknown_content_type() -> None:
    data = request("INVITE sip:h SIP/2.0", "Content-Type: application/unknownformat", body=b"<audio><pcmu/></audio>")
    assert sdp_of(taken(data)) == Unsupported()


def test_3_3_7_an_unknown_authorization() -> None:
    taken(request("REGISTER sip:h SIP/2.0", "Authorization: NoOneKnowsThisScheme opaque-data=here"))


def test_3_3_10_a_response_with_a_broadcast_via() -> None:
    taken(request("SIP/2.0 200 OK", "CSeq: 1 INVITE", "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923",
                  "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23"))  # fmt: skip


def test_3_3_11_max_forwards_of_zero_does_not_matter_at_the_end() -> None:
    assert taken(request("OPTIONS sip:h SIP/2.0", "Max-Forwards: 0")).headers.get("Max-Forwards") == "0"


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ("sip:+19725552222@gw1.example.net;unknownparam", (("unknownparam", None),)),
        ("<sip:+19725552222@gw1.example.net;unknownparam>", ()),
        ("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>", ()),
    ],
)
def test_3_3_12_to_14_contacts_of_a_register(value: str, parameters: tuple[tuple[str, None], ...]) -> None:
    there = contact(taken(request("REGISTER sip:example.com SIP/2.0", f"Contact: {value}")))
    assert there is not None
    assert there.parameters == parameters


def test_3_4_1_an_invite_of_rfc_2543() -> None:
    message = taken(
        request("INVITE sip:UserB@example.com SIP/2.0", "Via: SIP/2.0/UDP iftgw.example.com",
                "From: <sip:+13035551111@ift.client.example.net;user=phone>",
                "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>",
                "To: sip:+16505552222@ss1.example.net;user=phone")
    )  # fmt: skip
    assert (top_via(message).branch, from_(message).tag) == ("", "")
    assert to(message).uri == "sip:+16505552222@ss1.example.net"


def test_rfc_5118_4_1_and_4_2_ipv6_needs_its_brackets() -> None:
    good = taken(
        request("REGISTER sip:[2001:db8::10] SIP/2.0", "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111",
                "Contact: sip:caller@[2001:db8::1]")
    )  # fmt: skip
    assert top_via(good).host == "2001:db8::9:1"
    assert refusal(request("REGISTER sip:2001:db8::10 SIP/2.0")) == Refusal(400)


def test_rfc_5118_4_3_and_4_4_a_port_stands_outside_of_the_brackets() -> None:
    assert parse_uri("sip:[2001:db8::10:5070]").port is None
    assert parse_uri("sip:[2001:db8::10]:5070").port == 5070


@pytest.mark.parametrize("received", ["[2001:db8::9:255]", "2001:db8::9:255"])
def test_rfc_5118_4_5_received_with_and_without_brackets(received: str) -> None:
    message = taken(
        request("BYE sip:h SIP/2.0", f"Via: SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bK1")
    )
    assert top_via(message).parameter("received") == received


def test_rfc_5118_4_6_ipv6_in_sdp() -> None:
    body = (
        b"v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\ns=Live video feed for today's meeting\r\n"
        b"c=IN IP6 2001:db8::20\r\nt=3338481189 3370017201\r\nm=audio 6000 RTP/AVP 2\r\na=rtpmap:2 G726-32/8000\r\n"
        b"m=audio 6004 RTP/AVP 0\r\nm=video 6024 RTP/AVP 107\r\na=rtpmap:107 H263-1998/90000\r\n"
    )
    result = answer(body, LocalMedia("2001:db8::9", 20000, 1, 1))
    assert result is not None
    assert result[1].remote == ("2001:db8::20", 6004)
    assert b"t=3338481189 3370017201\r\n" in result[0]


def test_rfc_5118_4_9_and_4_10_mapped_addresses_and_three_colons() -> None:
    taken(request("INVITE sip:user@example.com SIP/2.0", "Contact: <sip:a@[::ffff:192.0.2.10]>"))
    assert refusal(request("OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0")) == Refusal(400)
