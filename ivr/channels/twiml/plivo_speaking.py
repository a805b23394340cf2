"""Write commands as a document of Plivo XML: the same rules as for TwiML (`speaking`), with its elements and times.

Two things are better here: the first key has a time of its own, beside the one between two keys. And two are worse:
both times have bounds, and silence in a recording is a recording like any other.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from ivr.channels.gathered import between_keys, most_keys, phrases, takes_keys, takes_words, terminators
from ivr.channels.twiml import plivo_wire as plivo
from ivr.channels.twiml import wire
from ivr.channels.twiml.addresses import Addresses
from ivr.channels.twiml.long_documents import prompt_of, with_prompt
from ivr.channels.twiml.prompts import Prompts
from ivr.channels.twiml.speaking import (
    LONGEST_RINGING,
    callee,
    end_key,
    end_keys,
    hints,
    interrupts_by_voice,
    recording_length,
    whispered,
    whole_seconds,
)
from ivr.channels.twiml.voices import recognised
from ivr.engine.commands import (
    Answer,
    Gender,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Reject,
    Segment,
    Transfer,
    ringing_allowed,
    silence_allowed,
)

_FIRST: Final = (5, 60)
_BETWEEN: Final = (2, 10)
"Seconds, the least and the most, that the carrier takes."
_AFTER_SPEECH: Final = 2
"Seconds of silence after which what was said is whole."
_NO_KEY: Final = "none"


class PlivoSpeaking:
    """Makes documents for Plivo."""

    def __init__(self, addresses: Addresses, prompts: Prompts) -> None:
        self._addresses = addresses
        self._prompts = prompts

    def document(self, commands: Sequence[LineCommand], call: str, *, now: float) -> plivo.Response:
        """Return the document for commands, one at least, of a call as its key has it."""
        elements = [element for command in commands for element in self._elements(command, call, now)]
        last = commands[-1]
        if isinstance(last, Answer | Play):
            elements.append(wire.Redirect(self._addresses.step(call, last.op)))
        return plivo.Response(tuple(elements))

    def beginning(self, commands: Sequence[LineCommand], call: str, more: str, *, now: float) -> plivo.Response:
        """Return a document that says what the commands say, and ends by asking for the rest at `more`."""
        elements = [element for command in commands for element in self._beginning(command, call, now)]
        return plivo.Response((*elements, wire.Redirect(more)))

    def divided(self, commands: Sequence[LineCommand]) -> tuple[LineCommand, ...]:
        """Return the same commands, what they say in pieces that are one element each."""
        return tuple(with_prompt(command, self._prompts.divided(prompt_of(command))) for command in commands)

    def said(self, words: str, *, voice: Gender, language: str) -> plivo.Response:
        """Return the document that says a text and nothing else."""
        said = self._prompts.said(words, voice=voice, language=language) if words else ()
        return plivo.Response(tuple(_audible(verb) for verb in said))

    def _elements(self, command: LineCommand, call: str, now: float) -> Iterator[plivo.Element]:
        match command:
            case Answer():  # what is heard first answers
                return
            case Reject():
                yield plivo.Hangup("busy")  # as `Capabilities.rejection` of `profiles` says
            case HangUp():
                yield plivo.Hangup()
            case Play():
                yield from self._prompt(command.prompt, now)
            case Recognize():
                yield from self._question(command, call, now)
                yield wire.Redirect(self._addresses.step(call, command.op, empty=True))
            case Record():
                yield from self._prompt(command.prompt, now)
                yield self._record(command, call)
                yield wire.Redirect(self._addresses.step(call, command.op, empty=True))
            case Transfer():
                yield self._dial(command, call)

    def _prompt(self, segments: Sequence[Segment], now: float) -> tuple[plivo.Audible, ...]:
        return tuple(_audible(verb) for verb in self._prompts.verbs(segments, now=now))

    def _beginning(self, command: LineCommand, call: str, now: float) -> Iterator[plivo.Element]:
        if isinstance(command, Recognize):
            yield from self._question(command, call, now, begins=True)
        else:
            yield from self._elements(command, call, now)

    def _question(self, command: Recognize, call: str, now: float, *, begins: bool = False) -> Iterator[plivo.Element]:
        """Ask; `begins`: this is the beginning of the prompt, and whoever does not interrupt it hears the rest."""
        prompt = self._prompt(command.prompt, now)
        keys, words = takes_keys(command), takes_words(command)
        # Whatever is nested is interrupted by keys and by words: so it is nested only where both may, as far as asked.
        nested = (command.barge_in or not keys) and (interrupts_by_voice(command) or not words)
        if not nested:
            yield from prompt
            if begins:
                return
        between = between_keys(command)
        yield plivo.GetInput(
            prompt if nested else (),
            action=self._addresses.step(call, command.op),
            input_type=("dtmf", "speech") if keys and words else ("speech",) if words else ("dtmf",),
            execution_timeout=_within(0 if begins else silence_allowed(command), _FIRST),
            digit_end_timeout=None if between is None or not keys else _within(between, _BETWEEN),
            num_digits=most_keys(command) if keys else None,
            finish_on_key=(end_key(terminators(command)) or _NO_KEY) if keys else None,
            speech_end_timeout=_AFTER_SPEECH if words else None,
            language=recognised(command.language) if words else None,
            hints=hints(phrases(command)) if words else None,
            profanity_filter=False if words else None,  # what is starred out matches nothing
            log=False,  # what callers key is nobody else's affair
        )

    def _record(self, command: Record, call: str) -> plivo.Record:
        return plivo.Record(
            action=self._addresses.step(call, command.op),
            max_length=recording_length(command),
            # Its silence counts from the start, so who needs time to begin must not be cut off.
            timeout=whole_seconds(max(command.max_silence, silence_allowed(command))),
            finish_on_key=end_keys(command.terminators) or _NO_KEY,
            play_beep=command.beep,
            callback_url=self._addresses.beside("recording", call, command.op),
            callback_method="POST",
        )

    def _dial(self, command: Transfer, call: str) -> plivo.Dial:
        target = callee(command.target)
        told = self._addresses.beside("whisper", call, command.op) if whispered(command.whisper) else None
        return plivo.Dial(
            (plivo.User if target.startswith("sip:") else plivo.Number)(target),
            action=self._addresses.step(call, command.op),
            timeout=min(whole_seconds(ringing_allowed(command)), LONGEST_RINGING),
            confirm_sound=told,
            callback_url=self._addresses.beside("dialled", call, command.op),
            callback_method="POST",
        )


def _audible(verb: wire.Audible) -> plivo.Audible:
    match verb:
        case wire.Say():
            return plivo.Speak(verb.content, verb.voice, verb.language)
        case wire.Pause():
            return plivo.Wait(verb.length)
    return verb


def _within(seconds: float, bounds: tuple[int, int]) -> int:
    least, most = bounds
    return min(max(whole_seconds(seconds), least), most)
