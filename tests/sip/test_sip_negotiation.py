"""Offer and answer: each rule of the profile, with the offers that real peers send."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.sip.media_plan import CodecName, MediaPlan, SrtpKeys
from ivr.sip.negotiation import LocalMedia, accepted, answer, offer
from ivr.sip.sdp import MediaDescription, SessionDescription, encode_sdp, parse_sdp

OURS = bytes(range(30))
THEIRS = bytes(range(100, 130))
INLINE = f"inline:{base64.b64encode(THEIRS).decode()}"
LOCAL = LocalMedia("192.0.2.9", 20000, 7, 1)
SECURE = replace(LOCAL, srtp_key=OURS, secure=True)
WIDE: tuple[CodecName, ...] = ("PCMA", "PCMU", "G722", "opus")


def sdp(*lines: str, host: str = "IP4 192.0.2.1") -> bytes:
    """Return a description with these lines below its own."""
    return "\r\n".join(["v=0", f"o=- 1 2 IN {host}", "s=call", f"c=IN {host}", "t=0 0", *lines, ""]).encode()


def agreed(*lines: str, local: LocalMedia = LOCAL, host: str = "IP4 192.0.2.1") -> tuple[list[str], MediaPlan]:
    """Return the lines of our answer from `m=` on, and the plan."""
    result = answer(sdp(*lines, host=host), local)
    assert result is not None
    text = result[0].decode()
    return text[text.index("m=") :].splitlines(), result[1]


def test_an_offer_of_a_trunk_is_answered_to_the_letter() -> None:
    result = answer(
        sdp("m=audio 30000 RTP/AVP 0 8 18 96 13", "a=rtpmap:96 telephone-event/8000", "a=fmtp:96 0-16", "a=ptime:30"),
        LOCAL,
    )
    assert result is not None
    assert result[0].decode().split("\r\n") == [
        "v=0", "o=- 7 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0", "m=audio 20000 RTP/AVP 0 96",
        "a=rtpmap:0 PCMU/8000", "a=rtpmap:96 telephone-event/8000", "a=fmtp:96 0-15", "a=ptime:20", "a=sendrecv", "",
    ]  # fmt: skip
    assert result[1] == MediaPlan(
        "PCMU", 0, 96, 8000, ("192.0.2.1", 30000), ("192.0.2.1", 30001), "sendrecv", False, None, 13
    )


@pytest.mark.parametrize(
    ("formats", "maps", "codec", "number"),
    [
        ("8 0", [], "PCMA", 8),
        ("0 8", [], "PCMU", 0),
        ("18 3 8", [], "PCMA", 8),
        ("9 8", [], "G722", 9),
        ("96 0", ["96 opus/48000/2"], "opus", 96),
        ("96 0", ["96 OPUS/48000/2"], "opus", 96),
        ("111 0", ["111 opus/48000"], "PCMU", 0),  # RFC 7587 7: always two channels
        ("97 0", ["97 PCMA/8000"], "PCMA", 97),
        ("97 0", ["97 pcma/8000/1"], "PCMA", 97),
        ("9 0", ["9 G722/16000"], "PCMU", 0),  # RFC 3551 4.5.2: its clock is 8000
        ("8 0", ["8 SPEEX/8000"], "PCMU", 0),
        ("300 0", ["300 PCMA/8000"], "PCMU", 0),
    ],
)
def test_the_first_codec_offered_is_taken_by_its_name(formats: str, maps: list[str], codec: str, number: int) -> None:
    _, plan = agreed(f"m=audio 30000 RTP/AVP {formats}", *(f"a=rtpmap:{each}" for each in maps),
                     local=replace(LOCAL, codecs=WIDE))  # fmt: skip
    assert (plan.codec, plan.payload_type) == (codec, number)


def test_a_codec_that_is_not_enabled_is_not_taken() -> None:
    assert agreed("m=audio 30000 RTP/AVP 9 0")[1].codec == "PCMU"
    assert answer(sdp("m=audio 30000 RTP/AVP 9 18"), LOCAL) is None


def test_keys_have_the_clock_of_the_codec_where_it_was_offered() -> None:
    """RFC 4733 2.1; many offer 8000 alone beside Opus, and mean it."""
    opus = replace(LOCAL, codecs=("opus",))
    lines = ["m=audio 30000 RTP/AVP 96 101 102", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000"]
    answered, plan = agreed(*lines, "a=rtpmap:102 telephone-event/48000", local=opus)
    assert (plan.event_type, plan.event_clock) == (102, 48000)
    assert "a=rtpmap:102 telephone-event/48000" in answered
    assert "a=rtpmap:96 opus/48000/2" in answered
    plan = agreed(*lines, local=opus)[1]
    assert (plan.event_type, plan.event_clock) == (101, 8000)
    plan = agreed("m=audio 30000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", local=opus)[1]
    assert (plan.event_type, plan.event_clock) == (None, 48000)


def test_there_are_as_many_media_lines_as_offered_and_others_are_refused() -> None:
    """RFC 3264 6."""
    lines, plan = agreed(
        "m=video 30100 RTP/AVP 31 34", "m=audio 0 RTP/AVP 8", "m=audio 30000 RTP/AVP 0", "m=audio 30002 RTP/AVP 0",
        "m=image 30004 udptl t38", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    )  # fmt: skip
    assert [line for line in lines if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 31", "m=audio 0 RTP/AVP 8", "m=audio 20000 RTP/AVP 0", "m=audio 0 RTP/AVP 0",
        "m=image 0 udptl t38", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ]  # fmt: skip
    assert plan.remote == ("192.0.2.1", 30000)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
@pytest.mark.parametrize("level", ["media", "session"])
def test_a_direction_is_mirrored(theirs: str, ours: str, level: str) -> None:
    """RFC 3264 6.1; it may stand above all media (RFC 8866 6.7)."""
    lines = ["m=audio 30000 RTP/AVP 8", f"a={theirs}"]
    answered, plan = agreed(*(lines if level == "media" else reversed(lines)))
    assert plan.direction == ours
    assert f"a={ours}" in answered


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "recvonly"), ("sendonly", "recvonly"), ("recvonly", "inactive"), ("inactive", "inactive")],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_address_of_zeros_means_hold(theirs: str, ours: str, host: str) -> None:
    """RFC 3264 8.4: nothing is sent to who names no address."""
    family, local = ("IP6", replace(LOCAL, host="2001:db8::9")) if host == "::" else ("IP4", LOCAL)
    _, plan = agreed("m=audio 30000 RTP/AVP 8", f"c=IN {family} {host}", f"a={theirs}", local=local)
    assert (plan.direction, plan.remote) == (ours, (host, 30000))


def test_our_own_wish_limits_the_direction() -> None:
    assert agreed("m=audio 30000 RTP/AVP 8", local=replace(LOCAL, direction="sendonly"))[1].direction == "sendonly"
    held = agreed("m=audio 30000 RTP/AVP 8", "a=sendonly", local=replace(LOCAL, direction="sendonly"))[1]
    assert held.direction == "inactive"


@pytest.mark.parametrize("time", ["ptime:10", "ptime:30", "ptime:60", "maxptime:150", "ptime:0", "ptime:x"])
def test_their_packets_may_be_of_any_length_and_ours_are_of_20_ms(time: str) -> None:
    """RFC 8866 6.4: a wish of the receiver."""
    assert "a=ptime:20" in agreed("m=audio 30000 RTP/AVP 8", f"a={time}")[0]


def test_the_address_of_a_media_line_wins_over_that_of_the_session() -> None:
    assert agreed("m=audio 30000 RTP/AVP 8", "c=IN IP4 198.51.100.4/127")[1].remote == ("198.51.100.4", 30000)


def test_ipv6_is_answered_with_ipv6() -> None:
    local = replace(LOCAL, host="2001:db8::9")
    result = answer(sdp("m=audio 30000 RTP/AVP 8", host="IP6 2001:db8::1"), local)
    assert result is not None
    assert b"c=IN IP6 2001:db8::9\r\n" in result[0]
    assert result[1].remote == ("2001:db8::1", 30000)
    assert answer(sdp("m=audio 30000 RTP/AVP 8", host="IP6 2001:db8::1"), LOCAL) is None
    assert answer(sdp("m=audio 30000 RTP/AVP 8"), local) is None


@pytest.mark.parametrize("host", ["224.2.1.1", "255.255.255.255", "pc.example.com", "1.2.3", "FF02::1", "fe80::1%eth0"])
def test_no_sound_is_sent_to_a_name_or_to_a_crowd(host: str) -> None:
    assert answer(sdp("m=audio 30000 RTP/AVP 8", host=f"IP4 {host}"), LOCAL) is None
    assert answer(sdp("m=audio 30000 RTP/AVP 8", host=f"IP6 {host}"), replace(LOCAL, host="::1")) is None


@pytest.mark.parametrize(
    ("attribute", "port"),
    [("rtcp:53020", 53020), ("rtcp:53020 IN IP4 198.51.100.9", 53020), ("rtcp:x", 30001), ("rtcp:70000", 30001)],
)
def test_rtcp_goes_to_the_port_that_was_named_and_never_to_another_address(attribute: str, port: int) -> None:
    """RFC 3605."""
    assert agreed("m=audio 30000 RTP/AVP 8", f"a={attribute}")[1].rtcp_remote == ("192.0.2.1", port)


def test_rtcp_shares_the_port_if_that_was_offered() -> None:
    """RFC 5761 5.1.1."""
    lines, plan = agreed("m=audio 30000 RTP/AVP 8", "a=rtcp-mux")
    assert "a=rtcp-mux" in lines
    assert (plan.rtcp_mux, plan.rtcp_remote) == (True, ("192.0.2.1", 30000))
    assert "a=rtcp-mux" not in agreed("m=audio 30000 RTP/AVP 8")[0]


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"])
@pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP"])
def test_a_key_is_answered_by_ours_with_the_same_tag(suite: str, protocol: str) -> None:
    """RFC 4568 7.1.2; a key in RTP/AVP: RFC 8643."""
    lines, plan = agreed(f"m=audio 30000 {protocol} 8", f"a=crypto:5 {suite} {INLINE}|2^31", local=SECURE)
    assert lines[0] == f"m=audio 20000 {protocol} 8"
    assert f"a=crypto:5 {suite} inline:{base64.b64encode(OURS).decode()}" in lines
    assert plan.srtp == SrtpKeys(suite, OURS, THEIRS)


@pytest.mark.parametrize("local", [LOCAL, replace(SECURE, secure=False), replace(SECURE, srtp_key=b"")])
def test_a_key_is_taken_only_over_tls_or_if_allowed(local: LocalMedia) -> None:
    crypto = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {INLINE}"
    assert answer(sdp("m=audio 30000 RTP/SAVP 8", crypto), local) is None
    lines, plan = agreed("m=audio 30000 RTP/AVP 8", crypto, local=local)
    assert plan.srtp is None
    assert not any("crypto" in line for line in lines)


@pytest.mark.parametrize(
    "crypto",
    [
        f"1 NULL_HMAC_SHA1_80 {INLINE}",
        f"1 AES_256_CM_HMAC_SHA1_80 {INLINE}",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} UNENCRYPTED_SRTP",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} UNENCRYPTED_SRTCP WSH=60",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} UNAUTHENTICATED_SRTP",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^20|1:4",
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "1 AES_CM_128_HMAC_SHA1_80 inline:!!!!",
        "1 AES_CM_128_HMAC_SHA1_80 url:https://h/key",
        "1 AES_CM_128_HMAC_SHA1_80",
        "x AES_CM_128_HMAC_SHA1_80 " + INLINE,
        "٣ AES_CM_128_HMAC_SHA1_80 " + INLINE,
    ],
)
def test_a_key_that_protects_less_or_cannot_be_used_is_passed_over(crypto: str) -> None:
    assert answer(sdp("m=audio 30000 RTP/SAVP 8", f"a=crypto:{crypto}"), SECURE) is None
    good = f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 {INLINE} WSH=60"
    plan = agreed("m=audio 30000 RTP/SAVP 8", f"a=crypto:{crypto}", good, local=SECURE)[1]
    assert plan.srtp == SrtpKeys("AES_CM_128_HMAC_SHA1_32", OURS, THEIRS)


@pytest.mark.parametrize("protocol", ["RTP/SAVPF", "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"])
def test_the_offer_of_a_browser_does_not_fit(protocol: str) -> None:
    lines = [f"m=audio 9 {protocol} 8", "a=fingerprint:sha-256 AA:BB", "a=setup:actpass"]
    assert answer(sdp(*lines, f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {INLINE}"), SECURE) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"v=0", b"v=1\r\no=- 1 1 IN IP4 h\r\n", sdp(), sdp("m=audio"), sdp("m=audio x RTP/AVP 8"), b"\xff" * 99,
     sdp("m=audio 99999 RTP/AVP 8"), sdp("m=audio 30000 RTP/AVP"), sdp("m=audio 0 RTP/AVP 8"),
     sdp("m=video 30000 RTP/AVP 8"), sdp("m=audio 30000 RTP/AVP 8", host="IP4"),
     sdp("m=audio 30000 RTP/AVP 8").replace(b"c=IN IP4 192.0.2.1\r\n", b""),
     sdp(*["m=audio 30000 RTP/AVP 8"] * 33), sdp("m=audio 30000 TCP/RTP/AVP 8")],
)  # fmt: skip
def test_what_does_not_fit_is_not_answered(body: bytes) -> None:
    assert answer(body, LOCAL) is None
    assert accepted(body, LOCAL) is None


@pytest.mark.parametrize("origin", [b"o=- 1.5 x IN IP4 h", b"o=-  1  2  IN  IP4  h", b"o=", b"x="])
def test_an_origin_that_cannot_be_read_does_no_harm(origin: bytes) -> None:
    assert answer(sdp("m=audio 30000 RTP/AVP 8").replace(b"o=- 1 2 IN IP4 192.0.2.1", origin), LOCAL) is not None


def test_a_description_comes_back_as_it_was_written() -> None:
    audio = MediaDescription("audio", 4000, "RTP/AVP", ("8",), "192.0.2.7", (("ptime", "20"), ("sendrecv", "")))
    whole = SessionDescription(1, 2, "192.0.2.1", (audio,), "2001:db8::1", "1 2", (("tool", "x"),))
    assert parse_sdp(encode_sdp(whole)) == whole
    bare = SessionDescription(1, 2, "192.0.2.1", (audio,))
    assert parse_sdp(encode_sdp(bare)) == bare


@pytest.mark.parametrize("mark", ["\r\n", "\r", "\n"])
def test_no_line_of_a_description_can_begin_another(mark: str) -> None:
    evil = f"x{mark}a=crypto:1"
    for description in (
        SessionDescription(1, 1, evil, ()),
        SessionDescription(1, 1, "h", (), evil),
        SessionDescription(1, 1, "h", (), attributes=(("x", evil),)),
        SessionDescription(1, 1, "h", (MediaDescription(evil, 1, "RTP/AVP", ("0",)),)),
        SessionDescription(1, 1, "h", (MediaDescription("audio", 1, "RTP/AVP", (evil,)),)),
    ):
        with pytest.raises(ValueError, match="line break"):
            encode_sdp(description)


def test_an_offer_with_bare_line_feeds_is_read() -> None:
    """RFC 8866 5."""
    assert answer(sdp("m=audio 30000/2 RTP/AVP 8").replace(b"\r\n", b"\n"), LOCAL) is not None


def test_our_offer_has_all_codecs_and_their_events() -> None:
    assert offer(LOCAL).decode().split("\r\n")[5:] == [
        "m=audio 20000 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv", "",
    ]  # fmt: skip
    wide = offer(replace(LOCAL, codecs=("opus", "PCMA"))).decode()
    assert "m=audio 20000 RTP/AVP 111 8 102 101\r\n" in wide
    assert "a=rtpmap:111 opus/48000/2\r\n" in wide
    assert "a=rtpmap:102 telephone-event/48000\r\n" in wide


def test_our_offer_asks_for_encryption_where_keys_are_safe() -> None:
    text = offer(SECURE).decode()
    assert "m=audio 20000 RTP/SAVP 8 0 101\r\n" in text
    key = base64.b64encode(OURS).decode()
    assert f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\na=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{key}" in text
    assert accepted(sdp("m=audio 30000 RTP/AVP 8"), SECURE) is None
    assert accepted(sdp("m=audio 30000 RTP/SAVP 8"), SECURE) is None
    plan = accepted(sdp("m=audio 30000 RTP/SAVP 8", f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 {INLINE}"), SECURE)
    assert plan is not None
    assert plan.srtp == SrtpKeys("AES_CM_128_HMAC_SHA1_32", OURS, THEIRS)


def test_an_answer_to_our_offer_is_read() -> None:
    plan = accepted(
        sdp("m=audio 30000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=sendonly", "a=rtcp-mux"), LOCAL
    )
    assert plan == MediaPlan(
        "PCMU", 0, 101, 8000, ("192.0.2.1", 30000), ("192.0.2.1", 30001), "recvonly", False, None, None
    )
    assert accepted(sdp("m=audio 0 RTP/AVP 8"), LOCAL) is None
    assert accepted(sdp("m=audio 30000 RTP/AVP 9"), LOCAL) is None


HOSTS = st.sampled_from(["192.0.2.9", "2001:db8::9"])
MEDIA = st.builds(
    LocalMedia, HOSTS, st.integers(512, 32767).map(lambda half: half * 2), st.integers(0, 2**62), st.integers(0, 2**31),
    st.lists(st.sampled_from(WIDE), min_size=1, unique=True).map(tuple), st.just(OURS), st.booleans(),
    st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"]),
)  # fmt: skip


@given(MEDIA, MEDIA)
def test_two_of_us_agree_on_the_same_call(one: LocalMedia, other: LocalMedia) -> None:
    """Whatever is offered, who offered understands the answer as who answered meant it."""
    result = answer(offer(one), replace(other, srtp_key=THEIRS))
    if result is None:
        family = (":" in one.host) != (":" in other.host)
        assert family or not set(one.codecs) & set(other.codecs) or (one.secure and not other.secure)
        return
    body, theirs = result
    plan = accepted(body, one)
    assert plan is not None
    assert (plan.codec, plan.payload_type) == (theirs.codec, theirs.payload_type)
    assert (plan.event_type, plan.event_clock) == (theirs.event_type, theirs.event_clock)
    assert plan.codec == next(codec for codec in one.codecs if codec in other.codecs)
    assert (plan.direction in ("sendrecv", "sendonly")) == (theirs.direction in ("sendrecv", "recvonly"))
    assert (plan.direction in ("sendrecv", "recvonly")) == (theirs.direction in ("sendrecv", "sendonly"))
    assert plan.remote == (other.host, other.port)
    assert (plan.srtp is None) == (theirs.srtp is None)
    if plan.srtp and theirs.srtp:
        assert (plan.srtp.local, plan.srtp.remote) == (theirs.srtp.remote, theirs.srtp.local)
    assert encode_sdp(parse_sdp(body)) == body


LINES = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(["m=audio 30000 RTP/AVP 8 0 96", "m=video 9 RTP/SAVP 8", "c=IN IP4 192.0.2.1", "a=sendonly",
                         "a=rtpmap:96 opus/48000/2", f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {INLINE}", "v=0", "t=1 2",
                         "o=- 1 2 IN IP4 192.0.2.1", "a=rtcp:9", "m=", "c=", "a="]),
    ),
    max_size=12,
)  # fmt: skip


@given(LINES, st.booleans())
def test_any_body_is_answered_or_refused(lines: list[str], whole: bool) -> None:
    body = sdp(*lines) if whole else "\r\n".join(lines).encode("utf-8", "replace")
    result: Any = answer(body, SECURE)
    if result is not None:
        assert len(parse_sdp(result[0]).media) == len(parse_sdp(body).media)
    accepted(body, SECURE)
