"""What a stream sends: one packet for each 20 ms, of sound, of silence or of a key.

Silence is sent like sound: address translators close, and trunks hang up, where nothing comes. While nothing may be
sent (the other side holds the call), time goes on and what was queued passes unheard.
"""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from ivr.rtp.arithmetic import SEQUENCES, TIMESTAMPS
from ivr.rtp.packet import HEADER, MARKER, PLAIN
from ivr.rtp.payload_queue import PayloadQueue
from ivr.rtp.telephone_events import KeySender
from ivr.sip.media_plan import CodecName


class Sending(Struct, frozen=True):
    """How packets are made."""

    payload_type: int
    units: int
    "Of the codec's clock, in 20 ms."
    silence: bytes
    "The payload of 20 ms of silence."
    allowed: bool
    event_type: int | None
    event_units: int
    "Of the events' clock, in 20 ms."


class Outgoing:
    """One synchronization source."""

    def __init__(self, codec: CodecName, sending: Sending, *, source: int, sequence: int, timestamp: int) -> None:
        self.source = source
        self.packets = 0
        self.octets = 0
        "Of payload, as a sender report counts them (RFC 3550 6.4.1)."
        self.timestamp = timestamp % TIMESTAMPS
        "Of the next frame."
        self.queue = PayloadQueue(codec)
        self.sending = sending
        self._keys = KeySender()
        self._tones: deque[deque[bytes]] = deque()
        self._tones_finished = 0
        self._sequence = sequence % SEQUENCES
        self._quiet = True
        "Sound that follows begins with a marker (RFC 3551 4.1)."

    @property
    def keys_sent(self) -> int:
        """Keys of which the end was sent."""
        return self._keys.finished + self._tones_finished

    def press(self, key: str, seconds: float) -> None:
        """Send a key as an event, after those before it. It takes the place of sound."""
        self._keys.press(key, seconds)

    def play(self, tone: Sequence[bytes]) -> None:
        """Send a key as payloads of its tone, in the place of sound."""
        self._tones.append(deque(tone))

    def frame(self) -> bytes | None:
        """Return the packet of the next 20 ms; None: nothing is sent in this time."""
        sending = self.sending
        timestamp = self.timestamp
        self.timestamp = (timestamp + sending.units) % TIMESTAMPS
        sound = self.queue.take()
        if self._keys.is_active:
            return self._key(timestamp)
        if self._tones:
            sound = self._tone()
        if not sending.allowed:
            self._quiet = True
            return None
        second = sending.payload_type
        if sound is None:
            self._quiet = True
            return self._packet(second, timestamp, sending.silence)
        if self._quiet:
            second |= MARKER
            self._quiet = False
        return self._packet(second, timestamp, sound)

    def _tone(self) -> bytes | None:
        tone = self._tones[0]
        if tone:
            return tone.popleft()
        self._tones.popleft()
        self._tones_finished += 1
        return None  # between two tones is silence

    def _key(self, timestamp: int) -> bytes | None:
        sending = self.sending
        event = self._keys.frame(timestamp, sending.event_units)
        self._quiet = True
        if event is None or sending.event_type is None or not sending.allowed:
            return None
        second = sending.event_type | (MARKER if event.marker else 0)
        return self._packet(second, event.timestamp, event.payload)

    def _packet(self, second: int, timestamp: int, payload: bytes) -> bytes:
        sequence = self._sequence
        self._sequence = (sequence + 1) % SEQUENCES
        self.packets += 1
        self.octets += len(payload)
        return HEADER.pack(PLAIN, second, sequence, timestamp, self.source) + payload
