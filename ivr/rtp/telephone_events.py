"""Keys as events (RFC 4733), both ways.

An event is told by its timestamp: all packets of one key have the timestamp at which it went down, and a duration that
grows (2.5.1.2). Any of them may be lost, so the first that comes is the key's beginning, whatever its marker says.

| packet | then |
| --- | --- |
| a new timestamp | the key that was down ends; this one begins |
| its end bit, which is sent three times (2.5.1.4) | the key ends, once |
| none for 100 ms | the key ends |
| a timestamp of a key that has ended, or of one before it | nothing |
| an event over 15, which is no key (3.2) | nothing |
| a new timestamp where a part of 65,535 units ends (2.5.1.3) | the same key goes on |
"""

from collections import deque
from collections.abc import Sequence
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

from ivr.rtp.arithmetic import units_between
from ivr.rtp.heard import KeyBegan, KeyEnded
from ivr.rtp.sound_format import FRAME

KEYS: Final = "0123456789*#ABCD"
"By the number of the event (RFC 4733 3.2)."
_NUMBERS: Final = {key: number for number, key in enumerate(KEYS)}
SILENCE: Final = 0.1
"Seconds without a packet that end a key."
_EVENT: Final = Layout("!BBH")
_END: Final = 0x80
_VOLUME: Final = 10
"In dBm0 below zero: what is said of our own keys."
LONGEST_PART: Final = 0xFFFF
"The longest duration that a packet can name, in units."
_REPEATS: Final = 2
"How often the last packet of a key is sent again."
_PAUSE: Final = 3
"Packets that are left out after a key."
_SHORTEST: Final = 3
"Packets of a key: receivers need 40 ms at least (ITU-T Q.24)."
_MEMORY: Final = 2.0
"Seconds after which a timestamp may be that of another key: some senders count anew with each key."
_OVERTAKEN: Final = 0.3
"Seconds within which a packet of an earlier key may still come after one of a later key."


class KeyEvent(Struct, frozen=True, gc=False):
    """What one packet says."""

    number: int
    "The event; a key if it is below 16."
    ended: bool
    duration: int
    "Units of the clock, from the timestamp on."


def parse_event(payload: bytes) -> KeyEvent | None:
    """Return what a payload says; None: it is too short."""
    if len(payload) < _EVENT.size:
        return None
    number, flags, duration = _EVENT.unpack_from(payload)
    return KeyEvent(number, flags >= _END, duration)


def encode_event(event: KeyEvent) -> bytes:
    """Return the payload of a packet."""
    return _EVENT.pack(event.number, _VOLUME | (_END if event.ended else 0), event.duration)


class _Key(Struct, gc=False):
    """The key that went down last."""

    number: int
    timestamp: int
    source: int
    at: float
    "When a packet of it came, in seconds."
    ended: bool = False


class KeyReceiver:
    """Packets to keys. `now` is in seconds, and never goes back."""

    def __init__(self) -> None:
        self.keys = 0
        "Keys that went down."
        self._key: _Key | None = None

    def receive(self, payload: bytes, timestamp: int, source: int, now: float) -> Sequence[KeyBegan | KeyEnded]:
        """Take the payload of a packet, its timestamp and its synchronization source."""
        event = parse_event(payload)
        if event is None or event.number >= len(KEYS):
            return ()
        key = self._key
        if key is not None and self._is_same(key, event, timestamp, source, now):
            return self._continued(key, event, timestamp, now)
        if key is not None and self._is_overtaken(key, timestamp, source, now):
            return ()
        return self._begun(event, timestamp, source, now)

    def overdue(self, now: float) -> Sequence[KeyEnded]:
        """Return the end of the key of which nothing came for a while."""
        key = self._key
        if key is None or key.ended or now - key.at < SILENCE:
            return ()
        key.ended = True
        return (KeyEnded(),)

    @staticmethod
    def _is_same(key: _Key, event: KeyEvent, timestamp: int, source: int, now: float) -> bool:
        if key.source != source or key.number != event.number:
            return False
        if key.timestamp == timestamp:
            return now - key.at < _MEMORY
        return not key.ended and units_between(key.timestamp, timestamp) == LONGEST_PART

    @staticmethod
    def _is_overtaken(key: _Key, timestamp: int, source: int, now: float) -> bool:
        return key.source == source and now - key.at < _OVERTAKEN and units_between(key.timestamp, timestamp) < 0

    @staticmethod
    def _continued(key: _Key, event: KeyEvent, timestamp: int, now: float) -> Sequence[KeyEnded]:
        key.at, key.timestamp = now, timestamp
        if key.ended or not event.ended:
            return ()
        key.ended = True
        return (KeyEnded(),)

    def _begun(self, event: KeyEvent, timestamp: int, source: int, now: float) -> Sequence[KeyBegan | KeyEnded]:
        heard: list[KeyBegan | KeyEnded] = []
        if self._key is not None and not self._key.ended:
            heard.append(KeyEnded())
        self.keys += 1
        heard.append(KeyBegan(KEYS[event.number]))
        self._key = _Key(event.number, timestamp, source, now, event.ended)
        if event.ended:  # all packets before were lost
            heard.append(KeyEnded())
        return heard


class SentEvent(Struct, frozen=True, gc=False):
    """A packet to send."""

    payload: bytes
    timestamp: int
    marker: bool


class KeySender:
    """Keys to packets, one for each 20 ms; a key's end is sent three times, and a pause follows it."""

    def __init__(self) -> None:
        self._keys: deque[tuple[int, int]] = deque()
        "Numbers of events, with how many packets each lasts."
        self.finished = 0
        "Keys of which an end was sent."
        self._sent = 0
        "Frames of the first key."
        self._timestamp = 0

    @property
    def is_active(self) -> bool:
        """Whether a key is down, or will be."""
        return bool(self._keys)

    def press(self, key: str, seconds: float) -> None:
        """Press one of `KEYS`, after those that are pressed already, for as long as one part lasts at most."""
        self._keys.append((_NUMBERS[key], max(round(seconds / FRAME), _SHORTEST)))

    def frame(self, timestamp: int, units: int) -> SentEvent | None:
        """Return the packet of the next 20 ms, which begin at `timestamp`; `units` of the events' clock are a frame.

        None: there is a pause.
        """
        number, length = self._keys[0]
        length = min(length, LONGEST_PART // units)
        self._sent += 1
        if self._sent == 1:
            self._timestamp = timestamp
        if self._sent == length + _REPEATS + _PAUSE:
            self._keys.popleft()
            self._sent = 0
            return None
        if self._sent > length + _REPEATS:
            return None
        self.finished += self._sent == length
        event = KeyEvent(number, self._sent >= length, min(self._sent, length) * units)
        return SentEvent(encode_event(event), self._timestamp, marker=self._sent == 1)
