"""What a stream receives: the packets of one source at a time, put in order and into their time, as sound and keys.

Keys do not wait for packets before them, and may come from a source of their own: their timestamps tell them apart.
"""

from collections.abc import Sequence
from typing import Final

from ivr.rtp.codecs import decoder
from ivr.rtp.dtmf_detection import DtmfDetector
from ivr.rtp.heard import Heard, SoundHeard
from ivr.rtp.packet import RtpPacket
from ivr.rtp.reception import Reception
from ivr.rtp.reordering import Reordering
from ivr.rtp.sound_format import SOUND_FORMATS, telephone_samples
from ivr.rtp.telephone_events import KeyReceiver
from ivr.rtp.timeline import Timeline
from ivr.sip.media_plan import MediaPlan

COMFORT_NOISE: Final = 13
"The number that comfort noise always has (RFC 3551 6)."
STEADY: Final = 0.2
"Seconds for which a source keeps its place: two at once must not take turns, nor each packet be a new one."


class Incoming:
    """The other side's packets. `now` is in seconds, and never goes back."""

    def __init__(self, plan: MediaPlan, now: float) -> None:
        self.undecodable = 0
        "Packets whose payload is damaged."
        self.unexpected = 0
        "Packets of another source, while the present one is there."
        self.reception: Reception | None = None
        "Of the present source; None: none has sent sound."
        self.reordering = Reordering()
        self._keys = KeyReceiver()
        self.timeline = Timeline(SOUND_FORMATS[plan.codec], now)
        self._tones = DtmfDetector() if plan.event_type is None else None
        "What looks for keys in the sound; None: they come as events."
        self._tone_keys = 0
        self._plan = plan
        self._decoder = decoder(plan.codec)
        self._clock = SOUND_FORMATS[plan.codec].clock
        self._pending: list[Heard] = []
        "Heard, and not told yet."
        self._lost = 0
        "Of former sources."
        self._expected = 0
        self._former: int | None = None
        "The source that was replaced."
        self._since = self._last = now
        "When the present source began, and when it sent last."

    @property
    def types(self) -> frozenset[int]:
        """The payload types that may come: no sound while none is agreed on (RFC 3264 6.1)."""
        plan = self._plan
        sound = plan.payload_type if plan.direction in ("sendrecv", "recvonly") else None
        numbers = (sound, plan.event_type, plan.comfort_noise, COMFORT_NOISE)
        return frozenset(number for number in numbers if number is not None)

    @property
    def lost(self) -> int:
        """Packets that did not come."""
        return self._lost + (self.reception.lost if self.reception else 0)

    @property
    def expected(self) -> int:
        """Packets that were sent, as far as those that came tell."""
        return self._expected + (self.reception.expected if self.reception else 0)

    def use(self, plan: MediaPlan, now: float) -> None:
        """Go on by another plan."""
        self._former, self._since = None, now - STEADY  # another source may follow at once
        if plan.event_type is not None:
            self.ignore_tones()
        elif self._tones is None:
            self._tones = DtmfDetector()
        if plan.codec == self._plan.codec and plan.payload_type == self._plan.payload_type:
            self._plan = plan
            return
        self._forget_source(now)
        self._former = None
        self._plan = plan
        form = SOUND_FORMATS[plan.codec]
        self._clock = form.clock
        self._decoder = decoder(plan.codec)
        self._frames(self.timeline.use(form), self._pending)

    def ignore_tones(self) -> None:
        """Look no more for keys in the sound: they come in another way."""
        if self._tones is not None:
            self._pending += self._tones.release()
            self._tone_keys += self._tones.keys
            self._tones = None

    @property
    def key_count(self) -> int:
        """Keys that went down."""
        return self._keys.keys + self._tone_keys + (self._tones.keys if self._tones is not None else 0)

    def receive(self, packet: RtpPacket, now: float) -> Sequence[Heard]:
        """Return what a packet of one of the `types` lets be heard."""
        if packet.payload_type == self._plan.payload_type:
            return self._sound(packet, now)
        heard: Sequence[Heard] = ()
        if self.reception is not None and packet.source == self.reception.source:  # one of the numbers of its sound
            self.reception.count(packet.sequence)
            heard = self._in_order(self.reordering.put(packet, now), now)
        if packet.payload_type == self._plan.event_type:
            keys = self._keys.receive(packet.payload, packet.timestamp, packet.source, now)
            return [*heard, *keys] if keys else heard
        return heard

    def overdue(self, now: float) -> Sequence[Heard]:
        """Return what is heard because time has passed."""
        waited = self._in_order(self.reordering.overdue(now), now)
        silence = self.timeline.elapse(now)
        ended = self._keys.overdue(now)
        if not (waited or silence or ended or self._pending):
            return ()
        heard = [*self._told(), *waited]
        self._frames(silence, heard)
        return [*heard, *ended]

    def _sound(self, packet: RtpPacket, now: float) -> Sequence[Heard]:
        reception = self.reception
        if reception is None or packet.source != reception.source:
            if reception is not None and not self._gives_way(packet.source, now):
                self.unexpected += 1
                return ()
            self._forget_source(now)
            self._since = now
            reception = self.reception = Reception(packet.source, self._clock)
            self._decoder = decoder(self._plan.codec)
        self._last = now
        reception.count(packet.sequence)
        reception.time(packet.timestamp, now)
        heard = self._in_order(self.reordering.put(packet, now), now)
        return [*self._told(), *heard] if self._pending else heard

    def _in_order(self, packets: Sequence[RtpPacket], now: float) -> Sequence[Heard]:
        heard: list[Heard] = []
        for packet in packets:
            if packet.payload_type != self._plan.payload_type:
                continue
            sound = self._decoder.decode(packet.payload)
            if sound is None:
                self.undecodable += 1
                continue
            self._frames(self.timeline.add(packet.timestamp, sound, now), heard)
        return heard

    def _frames(self, frames: Sequence[bytes], heard: list[Heard]) -> None:
        """Add frames to what is heard, and the keys in them, if keys come in no other way."""
        for frame in frames:
            heard.append(SoundHeard(frame))  # a key follows its frame
            if self._tones is not None:
                heard += self._tones.hear(telephone_samples(self._plan.codec, frame))

    def _gives_way(self, source: int, now: float) -> bool:
        return now - (self._last if source == self._former else self._since) >= STEADY

    def _told(self) -> list[Heard]:
        pending, self._pending = self._pending, []
        return pending

    def _forget_source(self, now: float) -> None:
        self._pending += self._in_order(self.reordering.restart(), now)
        if self.reception is not None:
            self._lost += self.reception.lost
            self._expected += self.reception.expected
            self._former = self.reception.source
        self.reception = None
        self.timeline.restart()
