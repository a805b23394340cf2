"""One call as its owner sees it: what to do with it, and what happens on it.

A call that came in is rung, answered, rejected or redirected; one that we placed is waited for by `answered`. From
then on both are the same. Everything here is called in the event loop, and calls back in the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from ivr.errors import IvrError
from ivr.rtp.heard import Heard, KeyBegan, KeyEnded, SoundHeard
from ivr.rtp.statistics import StreamStatistics
from ivr.rtp.stream import RtpStream
from ivr.sip.endpoint import Endpoint
from ivr.sip.media_plan import Direction, MediaPlan
from ivr.sip.message import Request
from ivr.sip.negotiation import LocalMedia
from ivr.sip.outputs import CallFailed, Link, Output, SipCallEnded
from ivr.useragent.rtp_session import RtpSession


class NotAnswered(IvrError):
    """The call that we placed came to nothing; `status` is the final answer's, or one of ours."""

    def __init__(self, status: int, reason: str, *, silent: bool = False) -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status
        self.reason = reason
        "Hostile text."
        self.silent = silent
        "Nothing at all came from there."


class LegOwner(Protocol):
    """The user agent, as a call needs it."""

    endpoint: Endpoint

    def now(self) -> float:
        """Return the time of the loop."""

    def carry_out(self, outputs: Sequence[Output]) -> None:
        """Send what is to be sent, and tell who is to be told."""

    def open_sound(self, leg: "CallLeg") -> tuple[RtpSession, LocalMedia]:
        """Open ports for the sound of a call, and say what SDP tells of them; raise NoFreePorts or OSError."""


class CallLeg:
    """One call. Its owner sets what is called on events, as `on_heard`; nothing comes after `on_ended`."""

    def __init__(
        self, owner: LegOwner, call: str, invite: Request | None, link: Link, *, trusted: bool = False
    ) -> None:
        self.call = call
        "The handle of the call."
        self.link = link
        self.trusted = trusted
        "What the other side asserts of the caller is to be believed (RFC 3325)."
        self.plan: MediaPlan | None = None
        "How sound goes; None: it does not yet."
        self.established = False
        "Answered, and the answer was acknowledged: keys count from now on."
        self.over: SipCallEnded | None = None
        "How the call ended."
        self.on_heard: Callable[[Heard], None] = _ignore
        "Sound and keys; sound from the answer on, keys once the answer was acknowledged."
        self.on_released: Callable[[], None] = _ignore
        "A key of ours is up again: its end was sent."
        self.on_media: Callable[[MediaPlan], None] = _ignore
        "Sound goes otherwise from now on: at the answer, on hold, with another codec."
        self.on_ringing: Callable[[int], None] = _ignore
        "The status of a provisional answer to a call that we placed."
        self.on_ended: Callable[[SipCallEnded], None] = _ignore
        self._invite = invite
        self._owner = owner
        self._session: RtpSession | None = None
        self._local: LocalMedia | None = None
        self._why: SipCallEnded | None = None
        self._answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transfer: asyncio.Future[int] | None = None
        self._ended = asyncio.Event()

    @property
    def invite(self) -> Request:
        """The INVITE of a call that came in."""
        if self._invite is None:
            raise TypeError("a call of ours: its INVITE is the endpoint's")
        return self._invite

    @property
    def incoming(self) -> bool:
        """Whether the call came in."""
        return self._invite is not None

    # --- before the answer ---

    def ring(self) -> None:
        """Let the caller hear that it rings (180)."""
        self._do(lambda endpoint, now: endpoint.ring(self.call, now))

    async def answer(self) -> None:
        """Answer with sound (200); raise NoFreePorts or OSError, after a 503.

        Where the caller wants reliable provisional answers (RFC 3262), the 200 waits for its PRACK.
        """
        if self.over:
            return
        try:
            local = self.prepare_sound()
        except (IvrError, OSError):
            self.reject(503, "Service Unavailable")
            raise
        self._do(lambda endpoint, now: endpoint.answer(self.call, local, now))

    def reject(self, status: int, reason: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Send this final answer, 4xx to 6xx."""
        self._do(lambda endpoint, now: endpoint.reject(self.call, status, reason, now, headers))

    def redirect(self, uri: str) -> None:
        """Send the caller to another address (302)."""
        self._do(lambda endpoint, now: endpoint.redirect(self.call, uri, now))

    async def answered(self) -> None:
        """Wait until the call that we placed is answered; raise NotAnswered. To give it up, `hang_up`."""
        await asyncio.shield(self._answer)

    # --- on the call ---

    def queue(self, payloads: Sequence[bytes]) -> None:
        """Play these after what is queued already: payloads of 20 ms in the codec of the plan."""
        if (stream := self._stream) is not None:
            stream.queue(payloads)

    def flush(self) -> None:
        """Play nothing more of what is queued."""
        if (stream := self._stream) is not None:
            stream.flush()

    @property
    def queued(self) -> int:
        """How many payloads are still to be played."""
        return 0 if self._stream is None else self._stream.queued

    def press(self, key: str, seconds: float = 0.16) -> None:
        """Press a key for so long, 8 s at most (RFC 4733), after those before it; raise ValueError: no such key."""
        if self._session is not None:
            self._session.press(key, seconds)

    def hold(self) -> None:
        """Put the other side on hold: it hears us no more, nor do we hear it."""
        self._modify("inactive")

    def resume(self) -> None:
        """End the hold."""
        self._modify("sendrecv")

    async def refer(self, target: str) -> int:
        """Ask the other side to call somebody else, and return the final status of that call (RFC 3515).

        After a 2xx the call ends by itself. 408: it said nothing more in time, 481: the call ended meanwhile. If
        cancelled, what becomes of it means nothing any more, and another can be asked for.
        """
        self._transfer = asyncio.get_running_loop().create_future()
        self._do(lambda endpoint, now: endpoint.refer(self.call, target, now))
        if self.over:
            return 481
        try:
            return await self._transfer
        except asyncio.CancelledError:
            self._do(lambda endpoint, now: endpoint.forget_referral(self.call, now))
            raise

    def hang_up(self, reason: str = "") -> None:
        """End the call, answered or not. `reason`: a Reason header (RFC 3326)."""
        self._do(lambda endpoint, now: endpoint.hang_up(self.call, now, reason))

    def fail(self, cause: str) -> None:
        """End the call since it cannot go on; `cause` is what `on_ended` tells."""
        self._why = SipCallEnded(self.call, by="error", cause=cause)
        self.hang_up()

    def time_out(self, cause: str) -> None:
        """End the call since the other side is silent; `cause` is what `on_ended` tells."""
        self._why = SipCallEnded(self.call, by="timeout", cause=cause)
        self.hang_up()

    async def ended(self) -> SipCallEnded:
        """Wait for the end, and return it."""
        await self._ended.wait()
        assert self.over is not None  # noqa: S101  # set before the event
        return self.over

    @property
    def statistics(self) -> StreamStatistics | None:
        """What went over the network so far; None: there was no sound. It stays after the end."""
        return None if self._stream is None else self._stream.statistics

    @property
    def silent(self) -> bool:
        """Whether nothing came for too long, although it should."""
        return self._stream is not None and self._stream.is_dead(self._owner.now())

    # --- what the user agent tells ---

    def prepare_sound(self) -> LocalMedia:
        """Open ports for sound, and return what SDP tells of them; raise NoFreePorts or OSError."""
        self._session, self._local = self._owner.open_sound(self)
        return self._local

    def release_ports(self) -> None:
        """Return the ports to the system. Twice does no harm."""
        if self._session is not None:
            self._session.close(self._owner.now())

    def media(self, plan: MediaPlan) -> None:
        """Take note how sound goes from now on."""
        if self._session is None or plan == self.plan:
            return
        self.plan = plan
        self._session.use(plan, self._owner.now())
        self.on_media(plan)

    def establish(self, plan: MediaPlan) -> None:
        """Take note that the dialog is confirmed."""
        self.established = True
        self.media(plan)
        if self._session is not None:
            self._session.confirm()
        if not self._answer.done():
            self._answer.set_result(None)

    def heard(self, heard: Heard) -> None:
        """Hand on what came by RTP."""
        if self.established or isinstance(heard, SoundHeard):
            self.on_heard(heard)

    def released(self) -> None:
        """Hand on that the end of a key of ours was sent."""
        self.on_released()

    def key_pressed(self, key: str) -> None:
        """Hand on a key that came by INFO, which has no length; what is heard of keys is not looked for any more."""
        if (stream := self._stream) is not None:
            stream.ignore_tones()
        if self.established:
            self.on_heard(KeyBegan(key))
            self.on_heard(KeyEnded())

    def transferred(self, status: int, *, done: bool) -> None:
        """Take note how far the transfer is."""
        if done and self._transfer is not None and not self._transfer.done():
            self._transfer.set_result(status)

    def end(self, end: SipCallEnded | CallFailed) -> None:
        """Take note of the end: the ports are given back, and everybody who waits is told."""
        if self.over is not None:
            return
        if isinstance(end, CallFailed):
            failure = NotAnswered(end.status, end.reason, silent=end.silent)
            end = SipCallEnded(self.call, by="remote", cause="not answered")
        else:
            failure, end = NotAnswered(487, "Request Terminated"), self._why or end
        self.over = end
        self.release_ports()
        if not self._answer.done():
            self._answer.set_exception(failure)
            self._answer.exception()  # nobody has to wait for it
        self.transferred(481, done=True)
        self._ended.set()
        on_ended = self.on_ended
        # Nothing more comes, so that owner and leg need not keep each other: a recording would wait for the collector.
        self.on_heard = self.on_media = self.on_ringing = self.on_ended = _ignore
        on_ended(end)

    @property
    def _stream(self) -> RtpStream | None:
        return None if self._session is None else self._session.stream

    def _do(self, command: Callable[[Endpoint, float], Sequence[Output]]) -> None:
        """Pass the endpoint a command about this call, unless it is over."""
        if self.over is None:
            self._owner.carry_out(command(self._owner.endpoint, self._owner.now()))

    def _modify(self, direction: Direction) -> None:
        if self._local is not None and self.established:
            local = self._local = replace(self._local, direction=direction, version=self._local.version + 1)
            self._do(lambda endpoint, now: endpoint.modify(self.call, local, now))


def _ignore(*_: object) -> None:
    """Let it pass."""
