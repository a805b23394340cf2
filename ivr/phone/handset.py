"""Who is on the phone, as far as the platform needs to know: something that makes sound, keeps time and has a will."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ivr.channels.skype.wire import LANGUAGE
from ivr.engine.commands import Record, Segment, Text
from ivr.line import Effect, Signal
from ivr.media.sound import EncodedRecording
from ivr.phone.phone_events import PhoneEvent

ANSWERS: Mapping[str, int] = {"connected": 200, "busy": 486, "noAnswer": 480, "rejected": 603, "unreachable": 404}
"What whoever plays the other side of a transfer can let happen, each as a SIP status."


class Handset(Protocol):
    """A person's end of one call."""

    def now(self) -> float:
        """Return the time, in seconds from any beginning; it never goes back."""

    def expect(self, prompts: Sequence[Sequence[Segment]]) -> None:
        """Make the prompts that come next, if that takes time. Never fails, never waits."""

    def perform(self, effect: Effect) -> None:
        """Make sound, or stop; every prompt is answered by a `PromptEnded` or `PromptFailed` from `next`."""

    def tell(self, event: PhoneEvent) -> None:
        """Show what happens. Never fails, never waits."""

    async def next(self, deadline: float | None) -> Signal:
        """Return what happens next; a `Tick` when the deadline is reached. After the caller left: `CallerLeft`."""

    async def recording(self, command: Record, seconds: float) -> EncodedRecording | None:
        """Return what was recorded since the last `RecordingStarted`; None: nothing, or it cannot be encoded."""

    def caller_sound(self, begin: float, end: float) -> bytes:
        """Return what is said between these seconds of the recording that is made, for a line that streams it.

        16 kHz samples, silence where nothing was. Where time is real, each stretch is asked for once, in order.
        """

    def hang_up(self) -> None:
        """Leave, whatever the person does; `next` returns `CallerLeft` from now on, also where it is waiting."""


def typed(words: str) -> Text:
    """Return typed words as a text to be spoken."""
    return Text(words, "female", LANGUAGE)
