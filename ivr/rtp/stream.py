"""One call's sound and keys, both ways: RTP and RTCP without sockets and without a clock of its own.

Each 20 ms its owner asks what to send (`tick`), what is heard because time has passed (`heard`) and what to report
(`reports`); each datagram that comes goes to `receive`, or to `receive_rtcp`. Whatever comes is a stranger's: nothing
in here raises for it, and nothing grows with it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from ivr.rtp.codecs import payloads, silent_payload
from ivr.rtp.dtmf_tones import TONES, tone
from ivr.rtp.heard import Heard
from ivr.rtp.incoming import Incoming
from ivr.rtp.outgoing import Outgoing, Sending
from ivr.rtp.packet import RTCP_TYPES, parse
from ivr.rtp.remote import Remote
from ivr.rtp.reporting import Reporting
from ivr.rtp.sound_format import FRAMES_A_SECOND, SOUND_FORMATS
from ivr.rtp.statistics import StreamStatistics
from ivr.sip.media_plan import HostPort, MediaPlan, SrtpKeys

if TYPE_CHECKING:
    from ivr.rtp.srtp import SrtpContext

DEAD: Final = 30.0
"Seconds without a packet after which the other side is gone, unless it need not send."
Datagrams: TypeAlias = Sequence[tuple[bytes, HostPort]]


class RtpStream:
    """The sound of one call. `now` is in seconds, and never goes back; a source is a host and a port."""

    def __init__(
        self, plan: MediaPlan, *, ssrc: int, sequence: int, timestamp: int, now: float, peer: str | None = None
    ) -> None:
        """`ssrc`, `sequence` and `timestamp` are random numbers of 32, 16 and 32 bits (RFC 3550 5.1).

        `peer` is the host that a call comes from: before `confirm`, sound goes nowhere else. None: we place the call.
        """
        self.last_heard = now
        "When a good packet came, or the other side was first expected to send."
        self._plan = plan
        self._incoming = Incoming(plan, now)
        self._types = self._incoming.types
        self._outgoing = Outgoing(plan.codec, _sending(plan), source=ssrc, sequence=sequence, timestamp=timestamp)
        self._reporting = Reporting(now)
        self._remote = Remote(plan.remote, peer)
        self._rtcp_source: HostPort | None = None
        "Where reports come from."
        self._srtp = _srtp(plan.srtp)
        self._received = self._foreign = self._refused = self._unexpected = 0

    @property
    def plan(self) -> MediaPlan:
        """How it goes now."""
        return self._plan

    def use(self, plan: MediaPlan, now: float) -> None:
        """Go on by another plan, after another offer and answer. What is queued is transcoded, if need be."""
        before, self._plan = self._plan, plan
        self._incoming.use(plan, now)
        self._types = self._incoming.types
        self._outgoing.sending = _sending(plan)
        self._remote.declare(plan.remote)
        if plan.rtcp_remote != before.rtcp_remote:
            self._rtcp_source = None
        if plan.srtp is None or self._srtp is None:
            self._srtp = _srtp(plan.srtp)
        else:
            self._srtp.use(plan.srtp)
        self._outgoing.queue.use(plan.codec)
        self.last_heard = now

    def confirm(self) -> None:
        """Take it that the caller has got our answer (its ACK came): sound may go where it was asked for."""
        self._remote.confirm()

    # --- what comes ---------------------------------------------------------------------------------------------------

    def receive(self, datagram: bytes, source: HostPort, now: float) -> Sequence[Heard]:
        """Take a datagram that came to the port of RTP; return what it lets be heard."""
        remote = self._remote
        if source[0] != remote.host and not remote.may_be(source[0]):
            self._foreign += 1
            return ()
        if len(datagram) > 1 and datagram[1] in RTCP_TYPES:  # both on one port (RFC 5761 4)
            self.receive_rtcp(datagram, source, now)
            return ()
        if self._srtp is not None:
            opened = self._srtp.unprotect(datagram)
            if opened is None:
                self._refused += 1
                return ()
            datagram = opened
        packet = parse(datagram)
        if packet is None or packet.payload_type not in self._types:
            self._unexpected += 1
            return ()
        self._received += 1
        self.last_heard = now
        if source != remote.destination or source[0] != remote.host:
            remote.latch(source, moves=packet.payload_type == self._plan.payload_type)
        return self._incoming.receive(packet, now)

    def receive_rtcp(self, datagram: bytes, source: HostPort, now: float) -> None:
        """Take a datagram that came to the port of RTCP."""
        if not self._remote.may_be(source[0]):
            self._foreign += 1
            return
        if self._srtp is not None:
            opened = self._srtp.unprotect_rtcp(datagram)
            if opened is None:
                self._refused += 1
                return
            datagram = opened
        if self._reporting.receive(datagram, self._outgoing, now):
            self._rtcp_source = source
        else:
            self._unexpected += 1

    def heard(self, now: float) -> Sequence[Heard]:
        """Return what is heard because time has passed: what waited, silence, and the end of a key."""
        return self._incoming.overdue(now)

    def ignore_tones(self) -> None:
        """Look no more for keys in the sound, which is done while events are not agreed on: they come otherwise."""
        self._incoming.ignore_tones()

    def is_dead(self, now: float) -> bool:
        """Return whether nothing has come for too long, although the other side does not hold the call."""
        return self._receives and now - self.last_heard > DEAD

    # --- what goes ----------------------------------------------------------------------------------------------------

    def queue(self, payloads: Sequence[bytes]) -> None:
        """Send these payloads of 20 ms each, after those that are queued."""
        self._outgoing.queue.add(payloads)

    def flush(self) -> None:
        """Forget what is queued."""
        self._outgoing.queue.clear()

    @property
    def queued(self) -> int:
        """Payloads that are queued."""
        return len(self._outgoing.queue)

    def press(self, key: str, seconds: float = 0.16) -> None:
        """Send a key; raise ValueError if there is none of this name.

        It is an event, of up to eight seconds in the clock of G.711; or its tones, if events were not agreed on.
        """
        if key not in TONES:
            raise ValueError(f"{key!r} is no key of a telephone")
        if self._plan.event_type is not None:
            self._outgoing.press(key, seconds)
        else:
            self._outgoing.play(payloads(self._plan.codec, tone(key, seconds)))

    @property
    def keys_sent(self) -> int:
        """Keys whose end was sent."""
        return self._outgoing.keys_sent

    def tick(self) -> Datagrams:
        """Return what to send in the next 20 ms, from the port of RTP: a packet, or none."""
        if self._remote.waits:  # what is queued waits, too
            return ()
        packet = self._outgoing.frame()
        if packet is None or self._remote.nowhere:
            return ()
        return ((packet if self._srtp is None else self._srtp.protect(packet), self._remote.destination),)

    def reports(self, now: float) -> Datagrams:
        """Return the report that is due, if one is; it goes from the port of RTCP, if that is another."""
        if not self._reporting.due(now):
            return ()
        return self._to_rtcp(self._reporting.report(self._outgoing, self._incoming.reception, now))

    def goodbye(self, now: float) -> Datagrams:
        """Return the last report, at the end of the call."""
        return self._to_rtcp(self._reporting.goodbye(self._outgoing, self._incoming.reception, now))

    @property
    def statistics(self) -> StreamStatistics:
        """How it went so far."""
        incoming, reception, reporting = self._incoming, self._incoming.reception, self._reporting
        return StreamStatistics(
            sent=self._outgoing.packets,
            received=self._received,
            expected=incoming.expected,
            lost=incoming.lost,
            late=incoming.reordering.late,
            reordered=incoming.reordering.reordered,
            foreign=self._foreign,
            refused=self._refused,
            unexpected=self._unexpected + incoming.unexpected,
            undecodable=incoming.undecodable,
            excess=incoming.timeline.excess,
            reports=reporting.received,
            keys=incoming.key_count,
            jitter=reception.jitter if reception is not None else 0.0,
            round_trip=reporting.round_trip,
            remote_loss=reporting.remote_loss,
        )

    @property
    def _receives(self) -> bool:
        return self._plan.direction in ("sendrecv", "recvonly")

    def _to_rtcp(self, report: bytes) -> Datagrams:
        destination = self._rtcp_destination()
        if not self._remote.takes(destination[0]):
            return ()
        return ((report if self._srtp is None else self._srtp.protect_rtcp(report), destination),)

    def _rtcp_destination(self) -> HostPort:
        remote = self._remote
        if self._plan.rtcp_mux:
            return remote.destination
        if self._rtcp_source is not None and remote.host in (None, self._rtcp_source[0]):
            return self._rtcp_source
        if remote.host in (None, self._plan.remote[0]):
            return self._plan.rtcp_remote
        host, port = remote.destination  # behind an address translator: the port beside, if any
        return host, port + 1


def _sending(plan: MediaPlan) -> Sending:
    return Sending(
        payload_type=plan.payload_type,
        units=SOUND_FORMATS[plan.codec].frame_units,
        silence=silent_payload(plan.codec),
        allowed=plan.direction in ("sendrecv", "sendonly"),
        event_type=plan.event_type,
        event_units=plan.event_clock // FRAMES_A_SECOND,
    )


def _srtp(keys: SrtpKeys | None) -> "SrtpContext | None":
    if keys is None:
        return None
    from ivr.rtp.srtp import SrtpContext  # noqa: PLC0415  # an extra

    return SrtpContext(keys)
