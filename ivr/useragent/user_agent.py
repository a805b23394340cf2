"""A SIP endpoint with sockets and time: calls come in as `CallLeg`s, and are placed as such."""

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from ivr.rtp.stream import DEAD
from ivr.sip.addresses import MalformedAddress, parse_uri
from ivr.sip.endpoint import Endpoint
from ivr.sip.negotiation import LocalMedia
from ivr.sip.outputs import (
    CallEstablished,
    CallFailed,
    CallOffered,
    Hop,
    KeyPressed,
    Link,
    MediaChanged,
    Output,
    Registered,
    RegistrationFailed,
    Ringing,
    Send,
    SipCallEnded,
    TransferNotified,
)
from ivr.sip.policy import Policy
from ivr.sip.registration import Registration
from ivr.sip.sip_call import Credentials
from ivr.useragent.call_leg import CallLeg
from ivr.useragent.configuration import ListenAddress, UserAgentConfig
from ivr.useragent.media_clock import LatenessHistogram, MediaClock
from ivr.useragent.registering import RegistrationKeeper, RegistrationOrder
from ivr.useragent.rtp_ports import RtpPorts
from ivr.useragent.rtp_session import RtpSession
from ivr.useragent.transports import TransportCounts, Transports

log = logging.getLogger(__name__)

ANSWER = b"SIP/2.0 "
"What the messages begin with that answer a request."
FAULT = "a fault of ours: see the log"
LAST_WORDS = 2.0
"Seconds at the end for BYE to be answered."


class UserAgent:
    """Made by `user_agent`."""

    def __init__(self, config: UserAgentConfig, endpoint: Endpoint, on_call: Callable[[CallLeg], None]) -> None:
        self.endpoint = endpoint
        self.clock = MediaClock()
        self._config = config
        self._on_call = on_call
        self._loop = asyncio.get_running_loop()
        self._legs: dict[str, CallLeg] = {}
        self._ports = RtpPorts(config.rtp)
        self._transports = Transports(config, self._received, self._send_failed)
        self._outputs: deque[Output] = deque()
        self._carrying_out = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        "When the timer fires. uvloop's own handles do not all tell."
        self._sweeper: asyncio.TimerHandle | None = None
        self.answers: Counter[int] = Counter()
        "Final answers that were sent, by status; repeats count."
        self._changed = asyncio.Event()
        "Set whenever a call, or the registration, ends."
        self._registration: RegistrationKeeper | None = None
        self._leaving = False
        "The registration was taken back, which the registrar has not confirmed."

    @property
    def legs(self) -> Mapping[str, CallLeg]:
        """The calls that there are, by their handles."""
        return self._legs

    @property
    def addresses(self) -> tuple[ListenAddress, ...]:
        """Where it listens, with the ports that were found."""
        return self._transports.addresses

    @property
    def counts(self) -> TransportCounts:
        """What the sockets have seen."""
        return self._transports.counts

    @property
    def lateness(self) -> LatenessHistogram:
        """How late the sound of all calls was sent."""
        return self.clock.lateness

    # --- what to do ---

    async def dial(
        self,
        uri: str,
        hop: Hop,
        *,
        caller: str,
        credentials: Credentials | None = None,
        headers: Sequence[tuple[str, str]] = (),
        on_ringing: Callable[[int], None] | None = None,
    ) -> CallLeg:
        """Call an address, and return the call as soon as the INVITE is sent; `CallLeg.answered` waits for more.

        `caller` is the From. Raises MalformedAddress, Unreachable, NoFreePorts, OSError if sound cannot be had, or
        ValueError for a header with a line break.
        """
        link = await self._transports.reach(hop)
        leg = CallLeg(self, "", None, link)
        if on_ringing is not None:
            leg.on_ringing = on_ringing
        local = leg.prepare_sound()
        try:
            leg.call, outputs = self.endpoint.dial(
                uri, link, local, self.now(), caller=caller, credentials=credentials, headers=headers
            )
        except (MalformedAddress, ValueError):
            leg.release_ports()
            raise
        self._legs[leg.call] = leg
        self.carry_out(outputs)
        return leg

    def register(self, order: RegistrationOrder, tell: Callable[[Registered | RegistrationFailed], None]) -> None:
        """Register, and stay registered; `tell` gets what becomes of it. One registration at a time.

        Raise MalformedAddress if the address or the registrar is no URI.
        """
        for uri in (order.address, order.registrar):
            parse_uri(uri)
        self._registration = RegistrationKeeper(order, self._transports.reach, self._register, tell)
        self._registration.begin()

    def unregister(self) -> None:
        """Take the registration back."""
        keeper = self._registration
        if keeper is None:
            return
        keeper.stop()
        if keeper.link is None:  # there never was one
            self._registration = None
        else:
            self._leaving = True
            self.carry_out(self.endpoint.unregister(self.now()))

    def reload_tls(self) -> None:
        """Prove ourselves with what the files hold now, on new connections; raise OSError if they cannot be used."""
        self._transports.reload_tls()

    async def drain(self, patience: float) -> None:
        """Wait until all calls have ended by themselves, or for so many seconds; those left are hung up.

        That no new ones come is the policy's business.
        """
        if not await self._over_within(patience):
            self.hang_up_all()
            await self._over_within(LAST_WORDS)

    def hang_up_all(self) -> None:
        """Hang up every call."""
        for leg in tuple(self._legs.values()):
            leg.hang_up()

    # --- for calls (LegOwner) ---

    def now(self) -> float:
        """Return the time of the loop."""
        return self._loop.time()

    def open_sound(self, leg: CallLeg) -> tuple[RtpSession, LocalMedia]:
        """Open ports for the sound of a call, and say what SDP tells of them; raise NoFreePorts or OSError."""
        ports = self._ports.bind(self._transports.sound_host(leg.link))
        secure = leg.link.transport == "tls" or self._config.endpoint.srtp_without_tls
        peer = leg.link.remote[0] if leg.incoming else None
        session = RtpSession(ports, self.clock, leg.heard, leg.released, lambda: leg.fail(FAULT), peer=peer)
        local = LocalMedia(
            host=self._config.advertised or leg.link.local[0],
            port=ports.port,
            session=secrets.randbits(62),
            version=1,
            codecs=self._config.endpoint.codecs,
            srtp_key=secrets.token_bytes(30) if self._config.endpoint.srtp and secure else b"",
            secure=secure,
        )
        return session, local

    def carry_out(self, outputs: Sequence[Output]) -> None:
        """Send what is to be sent, and tell who is to be told, in this order.

        Who is told may give commands: what these lead to waits for its turn.
        """
        self._outputs.extend(outputs)
        if self._carrying_out:
            return
        self._carrying_out = True
        try:
            while self._outputs:
                self._carry_out(self._outputs.popleft())
        finally:
            self._carrying_out = False
        self._arm()

    # --- running ---

    @asynccontextmanager
    async def run(self) -> AsyncIterator["UserAgent"]:
        """Listen, until the end of the context: then every call is hung up."""
        self._transports.listen()
        self._sweep()
        try:
            yield self
        finally:
            await self._take_leave()
            await self._close()

    async def _take_leave(self) -> None:
        self.unregister()
        self.hang_up_all()
        await self._over_within(LAST_WORDS)

    async def _close(self) -> None:
        for timer in (self._timer, self._sweeper):
            if timer is not None:
                timer.cancel()
        if self._registration is not None:
            self._registration.stop()
        for leg in tuple(self._legs.values()):
            self._end(SipCallEnded(leg.call, by="local", cause="closed"))
        self.clock.close()
        await self._transports.close()

    async def _over_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while self._legs or self._leaving:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _received(self, data: bytes, link: Link) -> None:
        self.carry_out(self.endpoint.receive(data, link, self.now()))

    def _send_failed(self, to: Link | Hop) -> None:
        self.carry_out(self.endpoint.failed(to, self.now()))

    def _tick(self) -> None:
        self._timer = None
        self.carry_out(self.endpoint.tick(self.now()))

    def _arm(self) -> None:
        """Set the timer for the endpoint's deadline; one that is too early does no harm, and is left as it is."""
        deadline = self.endpoint.deadline
        if deadline is None or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_at(deadline, self._tick)

    def _sweep(self) -> None:
        """Do what is to be done each second."""
        self._sweeper = self._loop.call_later(1.0, self._sweep)
        for leg in tuple(self._legs.values()):
            if leg.established and leg.silent:
                leg.time_out(f"no audio for {DEAD:g} s")
        in_use = {leg.link.connection for leg in self._legs.values()}
        if self._registration is not None and self._registration.link is not None:
            in_use.add(self._registration.link.connection)
        self._transports.sweep(in_use)

    def _carry_out(self, output: Output) -> None:
        match output:
            case Send(to=to, data=data):
                if data.startswith(ANSWER) and (status := int(data[len(ANSWER) : len(ANSWER) + 3])) >= 200:
                    self.answers[status] += 1
                self._transports.send(to, data)
            case CallOffered():
                leg = CallLeg(self, output.call, output.invite, output.link, trusted=output.trusted)
                self._legs[output.call] = leg
                with self._guarded(leg):
                    self._on_call(leg)
            case SipCallEnded() | CallFailed():
                self._end(output)
            case Registered() | RegistrationFailed():
                self._registration_changed(output)
            case CallEstablished() | MediaChanged() | KeyPressed() | TransferNotified() | Ringing():
                self._tell(output)

    def _register(self, registration: Registration) -> None:
        self.carry_out(self.endpoint.register(registration, self.now()))

    def _registration_changed(self, news: Registered | RegistrationFailed) -> None:
        if self._registration is not None:
            self._registration.told(news)
            if self._registration.over:
                self._registration, self._leaving = None, False
                self._changed.set()

    def _tell(self, output: CallEstablished | MediaChanged | KeyPressed | TransferNotified | Ringing) -> None:
        leg = self._legs.get(output.call)
        if leg is None:
            return
        with self._guarded(leg):
            match output:
                case MediaChanged(plan=plan):
                    leg.media(plan)
                case CallEstablished(plan=plan):
                    leg.establish(plan)
                case KeyPressed(key=key):
                    leg.key_pressed(key)
                case TransferNotified(status=status, done=done):
                    leg.transferred(status, done=done)
                case Ringing(status=status):
                    leg.on_ringing(status)

    def _end(self, output: SipCallEnded | CallFailed) -> None:
        leg = self._legs.pop(output.call, None)
        if leg is not None:
            self._changed.set()
            with self._guarded(leg):
                leg.end(output)

    @contextmanager
    def _guarded(self, leg: CallLeg) -> Iterator[None]:
        """Let an error of one call's owner end that call, and no other."""
        try:
            yield
        except Exception:
            log.exception("call failed")
            leg.fail(FAULT)


@asynccontextmanager
async def user_agent(
    config: UserAgentConfig, policy: Policy, on_call: Callable[[CallLeg], None]
) -> AsyncIterator[UserAgent]:
    """Run a user agent; raise OSError if an address cannot be had. `on_call` gets each call that comes in."""
    endpoint = Endpoint(config.endpoint, policy, lambda: secrets.token_hex(8))
    async with UserAgent(config, endpoint, on_call).run() as running:
        yield running
