"""Write commands as a document (carriers: 2.1, 4.2 to 4.5).

A document that ends hangs up. So each ends with what asks us for the next one: the address of a question, of a
recording or of a transfer, or a redirection where there is nothing to be asked.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from ivr.channels.gathered import between_keys, most_keys, phrases, takes_keys, takes_words, terminators
from ivr.channels.twiml import wire
from ivr.channels.twiml.addresses import Addresses
from ivr.channels.twiml.long_documents import prompt_of, with_prompt
from ivr.channels.twiml.profiles import TwimlRules
from ivr.channels.twiml.prompts import Prompts
from ivr.channels.twiml.voices import recognised
from ivr.channels.twiml.xml_text import escaped
from ivr.engine.commands import (
    Answer,
    Gender,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Reject,
    Transfer,
    ringing_allowed,
    silence_allowed,
)
from ivr.spoken_text import speakable

MAX_WHISPER: Final = 160
"Characters of what whoever takes a transfer is told."
_END_KEYS = frozenset("0123456789*#")
"Keys that can end an input; those of letters cannot."
_LONGEST_RECORDING, _SHORTEST_RECORDING = 14_400, 2
"Seconds."
LONGEST_RINGING = 600
"Seconds for which whoever takes a transfer is rung."
_MOST_HINTS, _LONGEST_HINT, _HINT_BYTES = 500, 100, 20_000
"Phrases; characters of one; bytes of all as they are written. The first of a flow count."


class Speaking:
    """Makes documents for one carrier."""

    def __init__(self, rules: TwimlRules, addresses: Addresses, prompts: Prompts) -> None:
        self._rules = rules
        self._addresses = addresses
        self._prompts = prompts

    def document(self, commands: Sequence[LineCommand], call: str, *, now: float) -> wire.Response:
        """Return the document for commands, one at least, of a call as its key has it."""
        verbs = [verb for command in commands for verb in self._verbs(command, call, now)]
        last = commands[-1]
        if isinstance(last, Answer | Play):
            verbs.append(wire.Redirect(self._addresses.step(call, last.op)))
        return wire.Response(tuple(verbs))

    def beginning(self, commands: Sequence[LineCommand], call: str, more: str, *, now: float) -> wire.Response:
        """Return a document that says what the commands say, and ends by asking for the rest at `more`."""
        verbs = [verb for command in commands for verb in self._beginning(command, call, now)]
        return wire.Response((*verbs, wire.Redirect(more)))

    def divided(self, commands: Sequence[LineCommand]) -> tuple[LineCommand, ...]:
        """Return the same commands, what they say in pieces that are one verb each."""
        return tuple(with_prompt(command, self._prompts.divided(prompt_of(command))) for command in commands)

    def said(self, words: str, *, voice: Gender, language: str) -> wire.Response:
        """Return the document that says a text and nothing else; without a text, nothing is said."""
        return wire.Response(self._prompts.said(words, voice=voice, language=language) if words else ())

    def _verbs(self, command: LineCommand, call: str, now: float) -> Iterator[wire.Verb]:
        match command:
            case Answer():  # what is heard first answers
                return
            case Reject():
                yield wire.Reject("busy")  # as `Capabilities.rejection` of `profiles` says
            case HangUp():
                yield wire.Hangup()
            case Play():
                yield from self._prompts.verbs(command.prompt, now=now)
            case Recognize():
                yield from self._question(command, call, now)
            case Record():
                yield from self._prompts.verbs(command.prompt, now=now)
                yield self._record(command, call)
                yield wire.Redirect(self._addresses.step(call, command.op, empty=True))
            case Transfer():
                yield self._dial(command, call)

    # --- questions ---

    def _beginning(self, command: LineCommand, call: str, now: float) -> Iterator[wire.Verb]:
        if isinstance(command, Recognize):
            yield from self._question(command, call, now, begins=True)
        else:
            yield from self._verbs(command, call, now)

    def _question(self, command: Recognize, call: str, now: float, *, begins: bool = False) -> Iterator[wire.Verb]:
        """Ask; `begins`: this is the beginning of the prompt, and whoever does not interrupt it hears the rest."""
        prompt = self._prompts.verbs(command.prompt, now=now)
        keys, words, by_voice = takes_keys(command), takes_words(command), interrupts_by_voice(command)
        # Keys interrupt whatever is nested. So what they may not interrupt comes before, and words cannot either.
        nested = prompt if (command.barge_in if keys else by_voice) else ()
        timeout, thinking = self._times(command, can_be_said=not words or by_voice)
        if not nested:
            yield from prompt
            if begins:
                return
        if begins:
            timeout, thinking = whole_seconds(between_keys(command) or 0), 0
        if thinking:
            nested = (*nested, wire.Pause(thinking))
        yield wire.Gather(
            nested,
            input=("dtmf", "speech") if keys and words else ("speech",) if words else ("dtmf",),
            action=self._addresses.step(call, command.op),
            action_on_empty_result=True if self._rules.tells_empty and not begins else None,
            num_digits=most_keys(command) if keys else None,
            timeout=timeout,
            finish_on_key=end_key(terminators(command)) if keys else None,
            barge_in=by_voice if words else None,
            language=recognised(command.language) if words else None,
            hints=hints(phrases(command)) if words else None,
            speech_timeout=self._rules.speech_timeout if words else None,
            profanity_filter=False if words else None,  # what is starred out matches nothing
        )
        if not self._rules.tells_empty and not begins:
            yield wire.Redirect(self._addresses.step(call, command.op, empty=True))

    def _times(self, command: Recognize, *, can_be_said: bool) -> tuple[int, int]:
        """Return the time between keys, and how long before it a caller may think: both in seconds.

        A pause that is nested counts before the time between keys, and a key ends it (carriers: 4.4). Who speaks in
        it is not heard where words may not interrupt.
        """
        first, between = whole_seconds(silence_allowed(command)), between_keys(command)
        if between is None:
            return first, 0
        pause = whole_seconds(between)
        if self._rules.first_silence_by_pause and can_be_said and first > pause:
            return pause, first - pause
        return max(first, pause), 0

    # --- recordings ---

    def _record(self, command: Record, call: str) -> wire.Record:
        rules, ends = self._rules, command.max_silence
        if rules.record_timeout == "from the start":
            ends = max(ends, silence_allowed(command))  # who needs time to begin must not be cut off
        told = self._addresses.beside("recording", call, command.op)
        return wire.Record(
            action=self._addresses.step(call, command.op),
            max_length=recording_length(command),
            timeout=whole_seconds(ends),
            finish_on_key=end_keys(command.terminators),
            play_beep=command.beep,
            trim="do-not-trim" if rules.trims else None,
            channels="single" if rules.single_channel else None,
            recording_status_callback=told,
            recording_status_callback_method="POST",
            recording_status_callback_event=("completed", "absent"),
        )

    # --- transfers ---

    def _dial(self, command: Transfer, call: str) -> wire.Dial:
        whisper = self._addresses.beside("whisper", call, command.op) if whispered(command.whisper) else None
        dialled = self._addresses.beside("dialled", call, command.op)
        target = callee(command.target)
        noun = wire.Sip if target.startswith("sip:") else wire.Number
        return wire.Dial(
            noun(
                target,
                url=whisper,
                method="POST" if whisper else None,
                status_callback=dialled,
                status_callback_method="POST",
                status_callback_event=("answered",),
            ),
            action=self._addresses.step(call, command.op),
            timeout=min(whole_seconds(ringing_allowed(command)), LONGEST_RINGING),
        )


def whispered(whisper: str | None) -> str:
    """Return what whoever takes a transfer is told, as it can be said; may be empty."""
    return speakable(whisper or "")[:MAX_WHISPER].rstrip()


def interrupts_by_voice(command: Recognize) -> bool:
    """Return whether words may interrupt the prompt of a question."""
    return command.barge_in if command.barge_in_speech is None else command.barge_in_speech


def whole_seconds(value: float) -> int:
    """Return a time in whole seconds, one at least, rounded in the caller's favour."""
    return max(1, math.ceil(value))


def recording_length(command: Record) -> int:
    """Return the seconds for which a caller is recorded at most."""
    return min(max(whole_seconds(command.max_duration), _SHORTEST_RECORDING), _LONGEST_RECORDING)


def end_keys(keys: str) -> str:
    """Return those of the keys that can end a recording."""
    return "".join(key for key in keys if key in _END_KEYS)


def end_key(keys: str) -> str:
    """Return the one key by which the carrier ends an input: the first that it can; the others are found by us."""
    return next((key for key in keys if key in _END_KEYS), "")


def hints(forms: Sequence[str]) -> str | None:
    """Return what may be said, with commas between: none may be in a phrase."""
    plain = (speakable(form.replace(",", " "))[:_LONGEST_HINT] for form in forms[:_MOST_HINTS])
    told: list[str] = []
    room = _HINT_BYTES
    for form in filter(None, plain):
        room -= len(escaped(form).encode()) + 1
        if room < 0:
            break
        told.append(form)
    return ",".join(told) or None


def callee(target: str) -> str:
    """Return an address as `Dial` takes it: a number by itself, a SIP address with its scheme."""
    scheme, _, rest = target.partition(":")
    match scheme.lower():
        case "tel":
            return rest.partition(";")[0]
        case "sips":
            return f"sip:{rest};transport=tls"
    return f"sip:{rest}"
