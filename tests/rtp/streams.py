"""Streams, and packets of the other side, for the tests of RTP."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from ivr.rtp.heard import Heard, KeyBegan, KeyEnded, SoundHeard
from ivr.rtp.packet import RtpPacket, encode
from ivr.rtp.stream import RtpStream
from ivr.rtp.telephone_events import KEYS, KeyEvent, encode_event
from ivr.sip.media_plan import MediaPlan

CALLER = ("192.0.2.7", 4000)
STRANGER = ("203.0.113.9", 4000)
SOURCE = 0xCAFE0001
PLAN = MediaPlan(
    codec="PCMU",
    payload_type=0,
    event_type=101,
    event_clock=8_000,
    remote=CALLER,
    rtcp_remote=("192.0.2.7", 4001),
    direction="sendrecv",
)
SILENCE = b"\xff" * 160


def stream(plan: MediaPlan = PLAN, now: float = 0.0, peer: str | None = None, **changes: Any) -> RtpStream:
    plan = replace(plan, **changes)
    return RtpStream(plan, ssrc=0x0A0B0C0D, sequence=65_534, timestamp=2**32 - 160, now=now, peer=peer)


def frame(number: int) -> bytes:
    """Return 20 ms of sound that no other number has, and that is not silence."""
    return bytes([number % 251, number // 251 % 251]) * 80


def sound(number: int, payload: bytes | None = None, *, kind: int = 0, source: int = SOURCE, ahead: int = 0) -> bytes:
    """Return the datagram of the frame of a number; `ahead` is of its sequence and its time."""
    payload = frame(number) if payload is None else payload
    sequence, timestamp = (number + ahead) % 2**16, (160 * (number + ahead)) % 2**32
    return encode(RtpPacket(kind, sequence, timestamp, source, payload))


def key(
    name: str, duration: int, *, at: int, sequence: int, end: bool = False, marker: bool = False, source: int = SOURCE
) -> bytes:
    """Return the datagram of an event that began at a timestamp."""
    payload = encode_event(KeyEvent(KEYS.index(name), end, duration))
    return encode(RtpPacket(101, sequence, at, source, payload, marker))


def recording(heard: Iterable[Heard]) -> bytes:
    return b"".join(each.frame for each in heard if isinstance(each, SoundHeard))


def keys(heard: Iterable[Heard]) -> str:
    """Return the keys that went down, and `-` where one went up."""
    return "".join(
        each.key if isinstance(each, KeyBegan) else "-" for each in heard if isinstance(each, KeyBegan | KeyEnded)
    )


def receive_all(to: RtpStream, datagrams: Sequence[bytes], now: float = 0.0, every: float = 0.02) -> list[Heard]:
    """Let datagrams come from the caller, one each 20 ms."""
    heard: list[Heard] = []
    for index, datagram in enumerate(datagrams):
        at = now + index * every
        heard += to.receive(datagram, CALLER, at)
        heard += to.heard(at)
    return heard
