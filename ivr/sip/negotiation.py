"""Offer and answer (RFC 3264): which codec, to which address, in which direction, with which keys.

One audio line is taken, the first that fits, with the first codec offered of those that we take; every other line is
refused with port 0. Rules of the formats: RFC 3551, RFC 4733 (keys), RFC 7587 (Opus), RFC 4568 (SRTP keys in SDP).
"""

import base64
import re

from msgspec import Struct

from ivr.sip.media_plan import CodecName, Direction, HostPort, MediaPlan, SrtpKeys
from ivr.sip.sdp import (
    MalformedDescription,
    MediaDescription,
    RtpFormat,
    SessionDescription,
    encode_sdp,
    literal_address,
    parse_sdp,
    rtp_formats,
)

SUITES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
"Suites that we take (RFC 4568 6.2); both have a key of 30 bytes: 16 of the cipher, 14 of salt."
KEY_BYTES = 30

_FORMATS: dict[CodecName, RtpFormat] = {
    "PCMA": RtpFormat(8, "PCMA", 8000),
    "PCMU": RtpFormat(0, "PCMU", 8000),
    "G722": RtpFormat(9, "G722", 8000),
    "opus": RtpFormat(111, "OPUS", 48000, 2),
}
"How a codec is offered; what is offered to us is known by its name, never by its number."
_EVENT_NUMBERS = {8000: 101, 48000: 102}
"Payload types of telephone-event in our offers, by clock."
_TAG = re.compile(r"[0-9]{1,9}")
_DIRECTIONS: dict[tuple[bool, bool], Direction] = {
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}


class LocalMedia(Struct, frozen=True):
    """Our side of a negotiation."""

    host: str
    "A literal address, IPv4 or IPv6, at which RTP is received."
    port: int
    "An even one; RTCP is received one above."
    session: int
    "The id of `o=`, the same for all of a call."
    version: int
    "The version of `o=`, one higher for each description that is sent."
    codecs: tuple[CodecName, ...] = ("PCMA", "PCMU")
    "Which are taken; in an offer, the preferred one first."
    srtp_key: bytes = b""
    "Our master key of 30 bytes; empty: no SRTP."
    secure: bool = False
    "Whether a key may be sent in SDP: the signalling is TLS, or the operator allows it without."
    direction: Direction = "sendrecv"
    "What we want, whatever the other side wants."


class _Crypto(Struct, frozen=True):
    """A usable `a=crypto` (RFC 4568 9.1)."""

    tag: str
    suite: str
    key: bytes


def answer(offer: bytes, local: LocalMedia) -> tuple[bytes, MediaPlan] | None:
    """Return our answer to an offer and what it means; None if nothing offered fits (488)."""
    try:
        theirs = parse_sdp(offer)
    except MalformedDescription:
        return None
    chosen = _choose(theirs, local, answered=False)
    if chosen is None:
        return None
    index, plan, crypto = chosen
    taken = theirs.media[index]
    lines = [_refused(media) for media in theirs.media]
    lines[index] = MediaDescription(
        "audio", local.port, taken.protocol, _numbers(plan), None, _attributes(plan, local, crypto)
    )
    # RFC 3264 6: as many media lines as offered, in the same order, and the same time.
    ours = SessionDescription(local.session, local.version, local.host, tuple(lines), local.host, theirs.time)
    return encode_sdp(ours), plan


def offer(local: LocalMedia) -> bytes:
    """Return an offer of all our codecs, for an INVITE of ours or one that came without an offer."""
    formats = [_FORMATS[codec] for codec in local.codecs]
    clocks = dict.fromkeys(each.clock for each in formats)
    events = [RtpFormat(_EVENT_NUMBERS[clock], "TELEPHONE-EVENT", clock) for clock in clocks]
    attributes = [pair for each in (*formats, *events) for pair in _format_attributes(each)]
    if _may_encrypt(local):  # RFC 4568 6.1
        attributes += [_crypto_attribute(str(tag), suite, local.srtp_key) for tag, suite in enumerate(SUITES, 1)]
    attributes += [("ptime", "20"), (local.direction, "")]
    protocol = "RTP/SAVP" if _may_encrypt(local) else "RTP/AVP"
    numbers = tuple(str(each.number) for each in (*formats, *events))
    audio = MediaDescription("audio", local.port, protocol, numbers, None, tuple(attributes))
    return encode_sdp(SessionDescription(local.session, local.version, local.host, (audio,), local.host))


def accepted(answer: bytes, local: LocalMedia) -> MediaPlan | None:
    """Return what the answer to an offer of ours means; None if it accepts nothing, or what was not offered."""
    try:
        theirs = parse_sdp(answer)
    except MalformedDescription:
        return None
    chosen = _choose(theirs, local, answered=True)
    return chosen[1] if chosen else None


def _choose(
    theirs: SessionDescription, local: LocalMedia, *, answered: bool
) -> tuple[int, MediaPlan, _Crypto | None] | None:
    """Find the first media line that fits: its place, what it comes to, and the key that it brought."""
    for index, media in enumerate(theirs.media):
        crypto = _crypto(media) if _may_encrypt(local) else None
        plan = _plan(theirs, media, local, crypto, answered=answered)
        if plan is not None:
            return index, plan, crypto
    return None


def _plan(
    theirs: SessionDescription, media: MediaDescription, local: LocalMedia, crypto: _Crypto | None, *, answered: bool
) -> MediaPlan | None:
    """Return what a media line comes to; None if it does not fit."""
    remote = _remote(theirs, media, local)
    if media.kind != "audio" or not media.port or remote is None or not _fits(media, local, crypto, answered=answered):
        return None
    formats = rtp_formats(media)
    found = next(((codec, each) for each in formats if (codec := _codec(each)) in local.codecs), None)
    if found is None or found[0] is None:
        return None
    codec, chosen = found
    event = _event(formats, chosen.clock)
    mux = not answered and media.attribute("rtcp-mux") is not None  # we do not offer it (RFC 5761 5.1.1)
    noise = (each.number for each in formats if each.encoding == "CN" and each.clock == chosen.clock)
    return MediaPlan(
        codec, chosen.number, event.number if event else None, event.clock if event else chosen.clock, remote,
        remote if mux else _rtcp(media, remote), _direction(theirs, media, local, remote[0]), mux,
        SrtpKeys(crypto.suite, local.srtp_key, crypto.key) if crypto else None, next(noise, None),
    )  # fmt: skip


def _codec(offered: RtpFormat) -> CodecName | None:
    for name, ours in _FORMATS.items():
        if (offered.encoding, offered.clock, offered.channels) == (ours.encoding, ours.clock, ours.channels):
            return name
    return None


def _event(formats: tuple[RtpFormat, ...], clock: int) -> RtpFormat | None:
    """Find the telephone-event of the codec's clock, or else the one that everybody has."""
    events = [each for each in formats if each.encoding == "TELEPHONE-EVENT"]
    for wanted in (clock, 8000):
        for each in events:
            if each.clock == wanted:
                return each
    return None


def _fits(media: MediaDescription, local: LocalMedia, crypto: _Crypto | None, *, answered: bool) -> bool:
    """Return whether its transport is one of ours.

    A key in RTP/AVP is an offer to encrypt if both can (RFC 8643). To an offer of ours, which asks for encryption, no
    plain answer is taken. A fingerprint is the browser's way (DTLS, RFC 5763), which belongs on an SBC.
    """
    match media.protocol:
        case "RTP/AVP" | "RTP/AVPF":
            return not (answered and _may_encrypt(local))
        case "RTP/SAVP" | "RTP/SAVPF":
            return crypto is not None and media.attribute("fingerprint") is None
    return False


def _may_encrypt(local: LocalMedia) -> bool:
    return local.secure and len(local.srtp_key) == KEY_BYTES


def _crypto(media: MediaDescription) -> _Crypto | None:
    """Find the first key that can be used: a suite of ours, no MKI, nothing left unencrypted (RFC 4568 6.3, 9.2)."""
    for name, value in media.attributes:
        parts = value.split()
        if name != "crypto" or len(parts) < 3 or parts[1] not in SUITES or not _TAG.fullmatch(parts[0]):
            continue
        method, _, rest = parts[2].partition(":")
        key, *options = rest.split("|")
        wishes = [each for each in parts[3:] if not each.startswith(("WSH=", "-"))]
        if method.lower() != "inline" or wishes or any(":" in each for each in options):
            continue
        try:
            decoded = base64.b64decode(key, validate=True)
        except ValueError:
            continue
        if len(decoded) == KEY_BYTES:
            return _Crypto(parts[0], parts[1], decoded)
    return None


def _remote(theirs: SessionDescription, media: MediaDescription, local: LocalMedia) -> HostPort | None:
    """Return where RTP is to be sent to; None for a name, another family of addresses, or a crowd of receivers."""
    host = media.connection or theirs.connection or ""
    address = literal_address(host)
    if address is None or address.is_multicast or host == "255.255.255.255":
        return None
    return (str(address), media.port) if (address.version == 6) == (":" in local.host) else None


def _rtcp(media: MediaDescription, remote: HostPort) -> HostPort:
    """Return where RTCP is to be sent to: one port above, or what `a=rtcp` says (RFC 3605).

    Only its port is taken: reports go where the sound goes, never to a third party.
    """
    port = (media.attribute("rtcp") or "").split(" ")[0]
    if port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536:
        return remote[0], int(port)
    return remote[0], min(remote[1] + 1, 65535)


def _direction(theirs: SessionDescription, media: MediaDescription, local: LocalMedia, host: str) -> Direction:
    """Return ours (RFC 3264 6.1); the address 0.0.0.0 is an old way to hold a call (8.4)."""
    stated = [name for name, _ in (*media.attributes, *theirs.attributes) if name in _DIRECTIONS.values()]
    wanted = stated[0] if stated else "sendrecv"
    sends = wanted in ("sendrecv", "recvonly") and host not in ("0.0.0.0", "::") and _sends(local.direction)  # noqa: S104
    receives = wanted in ("sendrecv", "sendonly") and local.direction in ("sendrecv", "recvonly")
    return _DIRECTIONS[sends, receives]


def _sends(direction: Direction) -> bool:
    return direction in ("sendrecv", "sendonly")


def _numbers(plan: MediaPlan) -> tuple[str, ...]:
    return tuple(str(each) for each in (plan.payload_type, plan.event_type) if each is not None)


def _attributes(plan: MediaPlan, local: LocalMedia, crypto: _Crypto | None) -> tuple[tuple[str, str], ...]:
    ours = _FORMATS[plan.codec]
    attributes = _format_attributes(RtpFormat(plan.payload_type, ours.encoding, ours.clock, ours.channels))
    if plan.event_type is not None:
        attributes += _format_attributes(RtpFormat(plan.event_type, "TELEPHONE-EVENT", plan.event_clock))
    if crypto:  # RFC 4568 7.1.2: the tag that was offered, with a key of our own
        attributes.append(_crypto_attribute(crypto.tag, crypto.suite, local.srtp_key))
    attributes += [("ptime", "20"), (plan.direction, "")]
    if plan.rtcp_mux:
        attributes.append(("rtcp-mux", ""))
    return tuple(attributes)


def _format_attributes(each: RtpFormat) -> list[tuple[str, str]]:
    name = each.encoding.lower() if each.encoding in ("OPUS", "TELEPHONE-EVENT") else each.encoding
    channels = f"/{each.channels}" if each.channels > 1 else ""
    attributes = [("rtpmap", f"{each.number} {name}/{each.clock}{channels}")]
    if each.encoding == "TELEPHONE-EVENT":
        attributes.append(("fmtp", f"{each.number} 0-15"))
    if each.encoding == "OPUS":  # RFC 7587 6.1: more than 16 kHz is of no use to us
        attributes.append(("fmtp", f"{each.number} maxplaybackrate=16000;sprop-maxcapturerate=16000"))
    return attributes


def _crypto_attribute(tag: str, suite: str, key: bytes) -> tuple[str, str]:
    return "crypto", f"{tag} {suite} inline:{base64.b64encode(key).decode()}"


def _refused(media: MediaDescription) -> MediaDescription:
    return MediaDescription(media.kind, 0, media.protocol, media.formats[:1] or ("0",))
