"""One call of the telephone: what is heard is told apart from silence, and kept if wanted."""

import asyncio
from collections.abc import Callable, Sequence

from ivr.media.capture import A_LAW, LINEAR, MU_LAW, CaptureBuffer, CapturedSound, CaptureFormat
from ivr.media.sound import FRAME
from ivr.media.voice_activity import ABOVE, LEAST, Activity, detect
from ivr.rtp.heard import Heard, SoundHeard
from ivr.sip.media_plan import CodecName, MediaPlan
from ivr.sip.outputs import SipCallEnded
from ivr.softphone.call_news import Answered, CallNews, Held, NotReached, Over, SoundBegan, SoundOver
from ivr.useragent.call_leg import CallLeg, NotAnswered

CAPTURES: dict[CodecName, CaptureFormat] = {"PCMA": A_LAW, "PCMU": MU_LAW, "G722": LINEAR, "opus": LINEAR}
"In what form a codec's sound is heard."


class SoftphoneCall:
    """Lasts from dialling to the end; `tell` gets the news of it."""

    def __init__(
        self,
        leg: CallLeg,
        tell: Callable[[CallNews], None],
        now: Callable[[], float],
        *,
        keep: bool = False,
    ) -> None:
        self.leg = leg
        self.over = False
        self.first_loud: float | None = None
        "When the first frame came that is to be heard, since `listen_anew`; by `now`."
        self.released_at: float | None = None
        "When the end of the last key was sent, since `listen_anew`."
        self.active = False
        "Something is heard."
        self.quiet = 0.0
        "Seconds since nothing is heard any more, or since `listen_anew`."
        self._tell = tell
        self._now = now
        self._begun = now()
        self._answered_at = self._begun
        self._activity = Activity()
        self._form = A_LAW
        self._held = False
        self._frames = self._since = 0
        self._kept = CaptureBuffer() if keep else None
        self._changed = asyncio.Event()
        leg.on_heard = self._heard
        leg.on_media = self._media
        leg.on_released = self._released
        leg.on_ended = self._ended

    async def answered(self) -> None:
        """Wait for the answer; raise NotAnswered. If this is cancelled, the call is given up."""
        try:
            await self.leg.answered()
        except NotAnswered as error:
            self._tell(NotReached(error.status, error.reason))
            raise
        except asyncio.CancelledError:
            self.leg.hang_up()
            raise
        self._answered_at = self._now()
        plan = self.leg.plan
        if plan is not None:
            self._tell(Answered(plan.codec, plan.srtp is not None, self._answered_at - self._begun))

    @property
    def codec(self) -> CodecName:
        """The codec in use."""
        return "PCMA" if self.leg.plan is None else self.leg.plan.codec

    @property
    def seconds(self) -> float:
        """How long the call lasts, from the answer on."""
        return self._now() - self._answered_at

    def press(self, keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.leg.press(key)

    def play(self, payloads: Sequence[bytes]) -> None:
        """Let payloads be heard after those before."""
        self.leg.queue(payloads)

    def hang_up(self) -> None:
        """Hang up."""
        self.leg.hang_up()

    def listen_anew(self) -> None:
        """Let the next frame with something to hear be the first one, and the next key the last one."""
        self.first_loud = self.released_at = None
        self.quiet = 0.0

    async def until(self, holds: Callable[["SoftphoneCall"], object], seconds: float) -> bool:
        """Wait until something is true of the call, which is asked after each frame; False: not in time, or over."""
        try:
            async with asyncio.timeout(seconds):
                while not holds(self):
                    if self.over:
                        return False
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def recorded(self) -> CapturedSound:
        """Return what was heard from the answer on, if it is kept."""
        return CapturedSound() if self._kept is None else self._kept.sound(self._form.rate)

    # --- of the leg ---

    def _heard(self, heard: Heard) -> None:
        if not isinstance(heard, SoundHeard):
            return
        self._frames += 1
        level = self._form.level(heard.frame)
        loud = level > max(LEAST, ABOVE * self._activity.floor)
        if loud and self.first_loud is None:
            self.first_loud = self._now()
        if self._kept is not None:
            self._kept.add(self._form, heard.frame)
        before, self._activity = self._activity, detect(self._activity, level)
        self.quiet = 0.0 if loud or self._activity.active else self.quiet + FRAME
        if self._activity.active != before.active:
            self._sound_changed()
        self._changed.set()

    def _sound_changed(self) -> None:
        self.active = self._activity.active
        if self.active:
            self._since = self._frames
            self._tell(SoundBegan())
        else:
            self._tell(SoundOver((self._frames - self._since) * FRAME))

    def _media(self, plan: MediaPlan) -> None:
        held = plan.direction in ("inactive", "sendonly", "recvonly")
        if held != self._held:
            self._held = held
            self._tell(Held(held))
        self._form = CAPTURES[plan.codec]

    def _released(self) -> None:
        self.released_at = self._now()
        self._changed.set()

    def _ended(self, ended: SipCallEnded) -> None:
        self.over = True
        statistics = self.leg.statistics
        if self.leg.established and statistics is not None:
            self._tell(Over(ended.by, ended.cause, ended.reason_header, self.seconds, statistics))
        self._changed.set()
