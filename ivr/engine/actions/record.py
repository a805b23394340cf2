"""`record`: records the caller and, where the flow wants the words, has a speech engine write them down.

On some lines the audio comes later than the news of it. The call waits for it, and then goes on as if it had come at
once: what follows can play it, attach it, transcribe it.

On a line in writing the caller may write what is to be said: then there are words without audio.
"""

from decimal import Decimal

from msgspec.structs import replace

from ivr.engine import commands
from ivr.engine.actions.asking import Asking
from ivr.engine.actions.base import Again, Asks, Awaits, Confirms, Denied, Needs, Raised, Result, Why, failed
from ivr.engine.commands import FETCH, FETCH_TIME, Argument, Segment
from ivr.engine.events import (
    Event,
    InputTimedOut,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    ServiceFailed,
    SpeechHeard,
    Transcribed,
)
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope
from ivr.engine.values import MaskedValue, Recording, Value

TRANSCRIBE = "transcribe"
"The service that turns a recording into text; its arguments are `media`, `language` and `phrases`."
_MASKED = Transcribed(masked=True)
_FAILURES = {"timeout": "error.transcribe.timeout", "recording": "error.recording"}

_REASONS = {
    "error.transcribe.timeout": "the speech engine did not answer in time",
    "error.transcribe.failed": "the speech engine could not transcribe the recording",
    "error.recording": "the recording cannot be read",
}
_NEVER_CAME = "the recording did not arrive"


class Record(Asking, frozen=True):
    """The action `record` (LANGUAGE C4)."""

    order: commands.Record
    "The recording as it is ordered, but for its prompt."
    into: str
    "The variable that keeps the recording; never absent, since the words come later than the audio."
    transcribe: bool
    transcribe_timeout: float
    "Seconds."
    phrases: tuple[str, ...] = ()
    hold_prompt: Prompt = ()
    sensitive: bool = False

    @property
    def private(self) -> bool:
        """Whether the author says so, or what keeps it."""
        return self.sensitive

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the recording."""
        return self.into

    def start(self, scope: Scope) -> Result:
        """Ask."""
        if confirm := self.confirms(scope):
            return self.asks_to_confirm(scope, confirm, self._kept(scope.unconfirmed, private=self.sensitive))
        return self._asks(scope.prompt(self.question.prompt))

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Ask again."""
        if confirm := self.confirms(scope):
            before = self.question.text_for(scope, why, count)
            return self.asks_to_confirm(scope, confirm, self._kept(scope.unconfirmed, private=self.sensitive), before)
        whole = scope.prompt(self.question.prompt)
        return self._asks(self.question.repeated(scope, whole, why, count))

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Keep what was said; with `transcribe`, wait for its words first."""
        if confirm := self.confirms(scope):
            answered = self._kept(scope.unconfirmed, private=self.sensitive)
            return self.confirmed(scope, confirm, event, offered, answered)
        match event:
            case InputTimedOut():
                return Again("noInput")
            case RecordingMade(media=None):
                return Awaits(FETCH, event.op, FETCH_TIME, {self.into: Recording(event.seconds, None)})
            case RecordingMade(seconds=seconds, media=media):
                return self._kept_audio(scope, Recording(seconds, media))
            case SpeechHeard(text=""):  # of a trace that may not hold the words
                return self._recorded(MaskedValue(), private=True)
            case SpeechHeard(text=words):
                return self._recorded(Recording(0.0, None, transcript=words), private=self.sensitive)
            case RecordingReady() | ServiceFailed() if (announced := self._announced(scope)) is not None:
                return self._arrived(scope, event, announced)
            case ServiceAnswered(answer=answer) if self._announced(scope) is None:
                return self._understood(scope, answer)
            case ServiceFailed(code=code):
                name = _FAILURES.get(code, "error.transcribe.failed")
                return failed(name, code, _fields(scope[self.into]), why=_REASONS[name])
        return None

    def left(self, scope: Scope) -> Result | None:
        """Return that the caller was recorded: who leaves while the recording is to be confirmed has left it so."""
        if scope.unconfirmed is None:
            return None
        return replace(self._kept(scope.unconfirmed, private=self.sensitive), settles=True)

    def traced(self, event: Event, result: Result | None) -> Event:
        """Keep of sensitive words only that there was an answer (C12)."""
        if self.sensitive and isinstance(event, ServiceAnswered):
            return ServiceAnswered(event.job, _MASKED)
        if (
            self.sensitive
            and isinstance(event, SpeechHeard)
            and not isinstance(result, Denied)
            and not _settles(result)
        ):
            return SpeechHeard(event.op, "")
        return event

    def hold(self, scope: Scope) -> tuple[Segment, ...]:
        """Return what is heard while the speech engine works."""
        return scope.prompt(self.hold_prompt)

    def _asks(self, prompt: tuple[Segment, ...]) -> Asks:
        return Asks(replace(self.order, prompt=prompt, initial_silence=self.question.initial_silence))

    def _announced(self, scope: Scope) -> Recording | None:
        """Return the recording whose audio is awaited; None: there is none."""
        recording = scope[self.into]
        return recording if isinstance(recording, Recording) and recording.media is None else None

    def _arrived(self, scope: Scope, event: RecordingReady | ServiceFailed, announced: Recording) -> Result:
        """Go on as if the audio had come with the news of it, or had turned out to be none."""
        if isinstance(event, ServiceFailed):
            return failed("error.recording", event.code, _fields(announced), why=_NEVER_CAME)
        return self._kept_audio(scope, Recording(announced.seconds or event.seconds, event.media))

    def _kept_audio(self, scope: Scope, recording: Recording) -> Result:
        if not self.transcribe:
            return self._recorded(recording)
        arguments: dict[str, Argument] = {
            "media": recording.media,
            "language": scope.language,
            "phrases": self.phrases,
        }
        return Needs(TRANSCRIBE, arguments, self.transcribe_timeout, {self.into: recording}, self.sensitive)

    def _understood(self, scope: Scope, answer: Transcribed) -> Result:
        if answer.masked:
            return self._recorded(MaskedValue(), private=True)
        recording = scope[self.into]
        if isinstance(recording, Recording):
            recording = replace(
                recording,
                # The engine that listened knows how long it is where the line does not tell.
                seconds=recording.seconds or answer.seconds or 0.0,
                transcript=answer.transcript if (answer.transcript or "").strip() else None,
                confidence=answer.confidence,
            )
        return self._recorded(recording, private=self.sensitive)

    def _recorded(self, recording: Value, *, private: bool = False) -> Result:
        if self.question.confirm:
            return Confirms(recording, self.sensitive, {self.into: recording})
        return self._kept(recording, private=private)

    def _kept(self, recording: Value, *, private: bool) -> Raised:
        return Raised("recorded", _fields(recording), {self.into: recording}, private)


def _settles(result: Result | None) -> bool:
    """Return whether the caller has said that a recording is right: no secret."""
    return isinstance(result, Raised) and result.settles


def _fields(recording: Value) -> dict[str, Value]:
    """Return the fields of `recorded` (C8); of a masked recording all of them are masked."""
    if not isinstance(recording, Recording):
        return dict.fromkeys(("transcript", "confidence", "seconds"), recording)
    return {
        "transcript": recording.transcript,
        "confidence": None if recording.confidence is None else Decimal(str(recording.confidence)),
        "seconds": Decimal(str(recording.seconds)),
    }
