"""The sound of one call on the network: its two sockets, and the stream between them and the call (RFC 3550)."""

import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from ivr.rtp.heard import Heard
from ivr.rtp.stream import Datagrams, RtpStream
from ivr.sip.media_plan import HostPort, MediaPlan
from ivr.useragent.media_clock import MediaClock
from ivr.useragent.rtp_ports import PortPair

log = logging.getLogger(__name__)

LARGEST = 2048
"Bytes of a datagram that are read; sound of 20 ms has some 200."


class RtpSession:
    """Begins with the first plan; `close` gives the ports back. `heard` and `failed` are called in the loop."""

    def __init__(
        self,
        ports: PortPair,
        clock: MediaClock,
        heard: Callable[[Heard], None],
        released: Callable[[], None],
        failed: Callable[[], None],
        *,
        peer: str | None,
    ) -> None:
        """`released`: the end of a key of ours was sent. `failed`: the stream cannot go on; a fault of ours.

        `peer`: as in `RtpStream`.
        """
        self.ports = ports
        self.stream: RtpStream | None = None
        self._clock = clock
        self._heard = heard
        self._released = released
        self._failed = failed
        self._peer = peer
        self._pressed = 0
        "Keys whose end is still to be sent."
        self._keys_sent = 0
        self._closed = False
        self._shared = False
        "RTP and RTCP go by one port (RFC 5761)."

    def use(self, plan: MediaPlan, now: float) -> None:
        """Send and receive as this plan says from now on."""
        if self._closed:
            return
        self._shared = plan.rtcp_mux
        if self.stream is not None:
            self.stream.use(plan, now)
            return
        # Unpredictable (RFC 3550 sections 5.1 and 8.1): what SRTP protects must not be guessed.
        self.stream = RtpStream(
            plan,
            ssrc=secrets.randbits(32),
            sequence=secrets.randbits(15),  # not the upper half: SRTP takes the first roll-over to be 0
            timestamp=secrets.randbits(32),
            now=now,
            peer=self._peer,
        )
        self._clock.watch(self.ports.rtp, self._read_rtp)
        self._clock.watch(self.ports.rtcp, self._read_rtcp)
        self._clock.add(self)

    def confirm(self) -> None:
        """Take it that the caller has got our answer."""
        if self.stream is not None:
            self.stream.confirm()

    def press(self, key: str, seconds: float) -> None:
        """Press a key for so long, 8 s at most, after those before it; raise ValueError: no such key."""
        if self.stream is not None and not self._closed:
            self.stream.press(key, seconds)
            self._pressed += 1

    def tick(self, now: float) -> None:
        """Send the frame that is due, and what RTCP has to say; tell what is heard because time has passed."""
        stream = self.stream
        if stream is None or self._closed:
            return
        try:
            for datagram, remote in stream.tick():
                _send(self.ports.rtp, datagram, remote)
            if self._pressed:
                self._look_at_keys(stream)
            self._tell(stream.heard(now))
            if reports := stream.reports(now):
                self._send_rtcp(reports)
        except Exception:  # one call must not silence the others, which share the clock
            log.exception("sound failed")
            self._failed()

    def close(self, now: float) -> None:
        """End it, with a last report. Twice does no harm."""
        if self._closed:
            return
        self._closed = True
        if self.stream is not None:
            self._clock.remove(self)
            self._clock.forget(self.ports.rtp)
            self._clock.forget(self.ports.rtcp)
            self._send_rtcp(self.stream.goodbye(now))
        self.ports.close()

    def _look_at_keys(self, stream: RtpStream) -> None:
        sent, self._keys_sent = stream.keys_sent - self._keys_sent, stream.keys_sent
        self._pressed -= sent
        for _ in range(sent):
            self._released()

    def _send_rtcp(self, reports: Datagrams) -> None:
        for datagram, remote in reports:
            _send(self.ports.rtp if self._shared else self.ports.rtcp, datagram, remote)

    def _read_rtp(self, now: float) -> None:
        stream, read = self.stream, self._read(self.ports.rtp)
        if stream is None or read is None:
            return
        try:
            self._tell(stream.receive(*read, now))
        except Exception:  # as in `tick`: the fault is this call's alone
            log.exception("sound failed")
            self._failed()

    def _read_rtcp(self, now: float) -> None:
        stream, read = self.stream, self._read(self.ports.rtcp)
        if stream is None or read is None:
            return
        try:
            stream.receive_rtcp(*read, now)
        except Exception:  # as in `tick`: the fault is this call's alone
            log.exception("sound failed")
            self._failed()

    def _read(self, sock: socket.socket) -> tuple[bytes, HostPort] | None:
        if self._closed:
            return None
        try:
            datagram, source = sock.recvfrom(LARGEST)
        except OSError:
            return None  # nothing there, or an ICMP message
        return datagram, source[:2]

    def _tell(self, heard: Sequence[Heard]) -> None:
        for each in heard:
            if self._closed:  # by what was told before
                return
            self._heard(each)


def _send(sock: socket.socket, datagram: bytes, remote: HostPort) -> None:
    """Send it, or not: sound that is late is of no use."""
    with suppress(OSError):  # the system's buffer is full, or nothing leads there
        sock.sendto(datagram, remote)
