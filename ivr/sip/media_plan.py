"""What an offer and its answer agreed on (RFC 3264): all that RTP needs to know of SIP."""

from typing import Literal, TypeAlias

from msgspec import Struct

CodecName: TypeAlias = Literal["PCMA", "PCMU", "G722", "opus"]
"As SDP spells them (RFC 3551 6, RFC 7587 6)."
Direction: TypeAlias = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
HostPort: TypeAlias = tuple[str, int]


class SrtpKeys(Struct, frozen=True):
    """The keys of one call (RFC 4568 6.1), 30 bytes each: 16 of the master key, 14 of its salt."""

    suite: str
    "`AES_CM_128_HMAC_SHA1_80` or `AES_CM_128_HMAC_SHA1_32`."
    local: bytes
    "Protects what we send."
    remote: bytes
    "Protects what comes."


class MediaPlan(Struct, frozen=True):
    """How sound goes from now on."""

    codec: CodecName
    payload_type: int
    "The codec's number, both ways."
    event_type: int | None
    "The number of `telephone-event` (RFC 4733); None: it was not offered."
    event_clock: int
    "Units a second in which events are measured: the codec's clock where that was offered (RFC 4733 2.1), else 8000."
    remote: HostPort
    "Where the other side says that it hears; the address 0.0.0.0 or :: means nowhere (RFC 3264 8.4)."
    rtcp_remote: HostPort
    direction: Direction
    "Ours."
    rtcp_mux: bool = False
    "RTP and RTCP share one port (RFC 5761)."
    srtp: SrtpKeys | None = None
    comfort_noise: int | None = None
    "The number of comfort noise (RFC 3389); None: it was not offered. It is never agreed to, and may come yet."
