"""Addresses of SIP: read, written, and what a stranger may put into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.sip.addresses import (
    MalformedAddress,
    NameAddress,
    SipUri,
    Via,
    parse_name_address,
    parse_uri,
    parse_via,
)

URIS = [
    ("sip:alice@example.com", SipUri("sip", "alice", "example.com")),
    ("SIP:alice@example.com:5070", SipUri("sip", "alice", "example.com", 5070)),
    (
        "sips:example.com;transport=tcp;lr",
        SipUri("sips", "", "example.com", None, (("transport", "tcp"), ("lr", None))),
    ),
    ("sip:+49301234;phone-context=x@h", SipUri("sip", "+49301234;phone-context=x", "h")),
    ("sip:%2B4930@h", SipUri("sip", "+4930", "h")),
    ("sip:user;par=u%40example.net@example.com", SipUri("sip", "user;par=u%40example.net", "example.com")),
    ("sip:a%00b@h", SipUri("sip", "a%00b", "h")),
    ("sip:alice:secret@h", SipUri("sip", "alice", "h")),
    ("sip:[2001:db8::10]:5070", SipUri("sip", "", "2001:db8::10", 5070)),
    ("sip:h?Subject=a%20b&X=1", SipUri("sip", "", "h", None, (), "Subject=a%20b&X=1")),
    ("sip:h;Maddr=239.255.255.1;ttl=15", SipUri("sip", "", "h", None, (("maddr", "239.255.255.1"), ("ttl", "15")))),
    ("tel:+49-30-1234", SipUri("tel", "+49301234", "")),
    ("tel:7042;phone-context=example.com", SipUri("tel", "7042", "", None, (("phone-context", "example.com"),))),
]


@pytest.mark.parametrize(("text", "uri"), URIS)
def test_a_uri_is_read_in_its_parts_and_written_in_one_form(text: str, uri: SipUri) -> None:
    assert parse_uri(text) == uri
    assert parse_uri(uri.text) == uri


def test_a_request_uri_of_rfc_4475_is_read() -> None:
    text = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"
    uri = parse_uri(text)
    assert uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert uri.host == "example.com"


@pytest.mark.parametrize(
    "text",
    ["", "sip:", "alice", "http://h", "sip:a b@h", "sip:h:0", "sip:h:65536", "sip:@h", "sip:[::1", "sip:[zz]", "tel:",
     "sip:2001:db8::10", "sip:[1:2]", "sip:a@h\r\nX: y", "sip:h;a b", "tel:abc xyz", "sip:<h>", "sip:ä@h", "sip:a@b@c",
     "sip:a\x7f@h", "sip:a\x00@h", "sip:h;x=ä", "sip:h?\x01", "tel:1;x=\x01", "sip:h\n"],
)  # fmt: skip
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(MalformedAddress):
        parse_uri(text)


ADDRESSES = [
    ('"Alice \\"A\\" B" <sip:a@h>;tag=1', NameAddress('Alice "A" B', "sip:a@h", (("tag", "1"),))),
    ("Alice B <sip:a@h;user=phone>", NameAddress("Alice B", "sip:a@h;user=phone")),
    ("<sip:a@h>", NameAddress("", "sip:a@h")),
    ("sip:a@h;tag=x", NameAddress("", "sip:a@h", (("tag", "x"),))),
    ("sip:a@h", NameAddress("", "sip:a@h")),
    ("<sip:a@h> ; TAG = x ;lr", NameAddress("", "sip:a@h", (("tag", "x"), ("lr", None)))),
    ('"" <tel:+49>', NameAddress("", "tel:+49")),
    ("<sip:a@h>;reason=\"no; answer\"", NameAddress("", "sip:a@h", (("reason", '"no; answer"'),))),
    ("Müller, Hans (IT) <sip:a@h>", NameAddress("Müller, Hans (IT)", "sip:a@h")),
    ("<sip:a@h>;", NameAddress("", "sip:a@h")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_a_name_address_is_read_and_written(text: str, address: NameAddress) -> None:
    assert parse_name_address(text) == address
    assert parse_name_address(address.text) == address


@pytest.mark.parametrize(
    "text",
    ["", "<>", "<sip:a@h", '"Alice <sip:a@h>', "sip:a@h?Route=x", "sip:a@h,sip:b@h", "<sip:a h>", "<sip:a@h> x",
     "alice", "<sip:a@h>;=x", "<sip:a@h><sip:b@h>", "<sip:a\x00@h>", '"a" "b" <sip:a@h>'],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedAddress):
        parse_name_address(text)


def test_a_parameter_is_given_without_its_quotes() -> None:
    address = parse_name_address('<sip:a@h>;reason="a \\"b\\"";flag;empty=')
    assert address.parameter("reason") == 'a "b"'
    assert address.parameter("flag") == ""
    assert address.parameter("empty") == ""
    assert address.parameter("other") is None


def test_the_parameters_of_a_uri_are_its_own() -> None:
    uri = parse_uri(parse_name_address("<sip:a@h;transport=tcp;lr>;tag=1").uri)
    assert (uri.parameter("transport"), uri.parameter("lr"), uri.parameter("tag")) == ("tcp", "", None)


def test_a_tag_is_put_in_place_of_another() -> None:
    address = parse_name_address("<sip:a@h>;tag=1;x=2")
    assert address.tag == "1"
    assert address.with_tag("3").text == "<sip:a@h>;x=2;tag=3"


VIAS = [
    ("SIP/2.0/UDP h:5070;branch=z9hG4bK1;rport", Via("UDP", "h", 5070, (("branch", "z9hG4bK1"), ("rport", None)))),
    ("SIP / 2.0 / tcp  h : 5060 ;branch=1", Via("TCP", "h", 5060, (("branch", "1"),))),
    ("SIP/2.0/TLS [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3-111",
     Via("TLS", "2001:db8::9:1", None, (("received", "2001:db8::9:255"), ("branch", "z9hG4bKas3-111")))),
    ("SIP/2.0/UDP h", Via("UDP", "h")),
    ('SIP/2.0/UDP 192.0.2.1:5060;x-ds0num="ISDN 0 / 0 / 1:15; DS0";branch=z9hG4bK1;alias',
     Via("UDP", "192.0.2.1", 5060,
         (("x-ds0num", '"ISDN 0 / 0 / 1:15; DS0"'), ("branch", "z9hG4bK1"), ("alias", None)))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "via"), VIAS)
def test_a_via_is_read_and_written(text: str, via: Via) -> None:
    assert parse_via(text) == via
    assert parse_via(via.text) == via


@pytest.mark.parametrize("text", ["", "SIP/3.0/UDP h", "SIP/2.0/UDP", "SIP/2.0/UDP h:x", "SIP/2.0/UDP h x", "UDP h"])
def test_what_is_no_via_is_refused(text: str) -> None:
    with pytest.raises(MalformedAddress):
        parse_via(text)


def test_where_a_request_came_from_is_written_into_its_via() -> None:
    """RFC 3581 4: `rport` gets its value where it stands; RFC 3261 18.2.1: `received`."""
    via = parse_via("SIP/2.0/UDP pc;rport;branch=z9hG4bK1")
    filled = via.with_parameter("received", "192.0.2.1").with_parameter("rport", "9988")
    assert filled.text == "SIP/2.0/UDP pc;rport=9988;branch=z9hG4bK1;received=192.0.2.1"
    assert (filled.branch, filled.sent_by) == ("z9hG4bK1", "pc")


def test_a_display_name_cannot_break_out_of_its_header() -> None:
    address = NameAddress('x" <sip:evil@h>\r\nVia: y', "sip:a@h")
    assert address.text == '"x\\" <sip:evil@h>  Via: y" <sip:a@h>'


DISPLAY = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cc", "Cs")), max_size=20)
USER = st.text("abcXYZ019-_.!~*'()&=+$,;/", max_size=12)
PARAMETERS = st.lists(
    st.tuples(st.sampled_from(["a", "tag", "x-y"]), st.none() | st.text("abc019.", min_size=1, max_size=6)), max_size=3
).map(tuple)
HOSTS = st.one_of(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True), st.ip_addresses().map(str))


@given(st.builds(SipUri, st.sampled_from(["sip", "sips"]), USER, HOSTS, st.none() | st.integers(1, 65535), PARAMETERS))
def test_every_uri_comes_back_as_it_was_written(uri: SipUri) -> None:
    assert parse_uri(uri.text) == uri


@given(st.builds(NameAddress, DISPLAY, st.just("sip:a@h"), PARAMETERS))
def test_every_name_address_comes_back_as_it_was_written(address: NameAddress) -> None:
    assert parse_name_address(address.text) == address


@given(st.builds(Via, st.sampled_from(["UDP", "TCP", "TLS"]), HOSTS, st.none() | st.integers(1, 65535), PARAMETERS))
def test_every_via_comes_back_as_it_was_written(via: Via) -> None:
    assert parse_via(via.text) == via


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for parse in (parse_uri, parse_name_address, parse_via):
        try:
            parse(text)
        except MalformedAddress:
            continue
