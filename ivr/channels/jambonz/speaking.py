"""Commands as a document: the verbs of one reply, and what has to be remembered until its outcome comes.

- Verbs run in order; the last one asks for the next document. Behind a verb that posts a result stands a `redirect` to
  the same address: if the result could not be posted, the call is not lost with it.
- A prompt can be interrupted only while it is inside its `gather`, which takes one text or one list of files: what
  stands before that is played to its end. A pause at the end is added to the time that the caller has.
- Where neither keys nor words may interrupt, the whole prompt stands before the `gather`: keys pressed meanwhile are
  lost, as elsewhere. Where keys may and words may not, the same would take away the keys, so words count, too.
"""

import math
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from ivr.channels import gathered
from ivr.channels.jambonz import wire
from ivr.channels.jambonz.prompts import AddressOf, PromptPart, PromptPause, SpeakerOf, nested, prompt_parts, verb
from ivr.engine.commands import (
    Answer,
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

SAMPLE_RATE = 8000
"Samples a second of a recording: a telephone has no more."
MOST_HINTS = 200
"Phrases that a recogniser is told; vendors take a few hundred."
LEAST_TIMEOUT = 0.1
"Seconds; 0 would mean for ever."
LISTEN_MARGIN = 10
"Seconds after which jambonz itself ends a recording that we should have ended."
DECLINED = 603
"SIP: the caller is told that the call was refused (RFC 3261, 21.6.2)."

_ANSWERS = msgspec.json.Encoder()


class DocumentContext(Struct, frozen=True):
    """What a document holds besides the commands: absolute addresses, and who speaks."""

    step: Callable[[str], str]
    "To which the outcome of an operation is posted."
    listen: Callable[[str], str]
    "Of the WebSocket that takes the recording of an operation."
    whisper: Callable[[Transfer], str | None]
    "Which gives what whoever answers a transfer hears first; None: nothing."
    file: AddressOf
    speaker: SpeakerOf


def document(commands: Sequence[LineCommand], context: DocumentContext, *, last: LineCommand, refers: bool) -> bytes:
    """Return the JSON of the verbs for these commands; the outcome is that of `last`.

    `refers`: transfers are left to the caller's own line (SIP REFER) instead of being connected by jambonz.
    """
    verbs: list[wire.AnyVerb] = []
    for command in commands:
        verbs += _verbs(command, context, refers)
    if not isinstance(last, HangUp | Reject):
        verbs.append(wire.Redirect(action_hook=context.step(last.op)))
    return _ANSWERS.encode(verbs)


def _verbs(command: LineCommand, context: DocumentContext, refers: bool) -> list[wire.AnyVerb]:
    match command:
        case Answer():
            return [wire.Answer()]
        case Reject():
            return [wire.SipDecline(status=DECLINED, reason="Decline")]
        case HangUp():
            return [wire.Hangup()]
        case Play():
            return [verb(part) for part in prompt_parts(command.prompt, context.file, context.speaker)]
        case Recognize():
            return _question(command, context)
        case Record():
            prompt = [verb(part) for part in prompt_parts(command.prompt, context.file, context.speaker)]
            return [*prompt, _listen(command, context)]
        case Transfer():
            return [_refer(command, context) if refers else _dial(command, context)]


# --- questions ---


def _question(command: Recognize, context: DocumentContext) -> list[wire.AnyVerb]:
    keys, words = gathered.takes_keys(command), gathered.takes_words(command)
    by_key = keys and command.barge_in
    by_word = words and (command.barge_in if command.barge_in_speech is None else command.barge_in_speech)
    parts = prompt_parts(command.prompt, context.file, context.speaker)
    parts, extra = _without_last_pause(parts)
    inside: PromptPart | None = None
    if parts and (by_key or by_word):
        parts, inside = parts[:-1], parts[-1]
    return [*(verb(part) for part in parts), _gather(command, context, inside, extra, (by_key, by_word))]


def _gather(
    command: Recognize, context: DocumentContext, inside: PromptPart | None, extra: float, barge: tuple[bool, bool]
) -> wire.Gather:
    keys, words = gathered.takes_keys(command), gathered.takes_words(command)
    heard = nested(inside) if inside is not None and not isinstance(inside, PromptPause) else None
    most = gathered.most_keys(command)
    ends = gathered.terminators(command)
    kinds: tuple[wire.InputKind, ...] = (*(("digits",) if keys else ()), *(("speech",) if words else ()))
    hints = tuple(gathered.phrases(command))[:MOST_HINTS]
    recognizer = wire.Recognizer(vendor=wire.DEFAULT, language=command.language, hints=hints or None)
    return wire.Gather(
        action_hook=context.step(command.op),
        input=kinds,
        num_digits=1 if keys and most == 1 else None,
        min_digits=1 if keys else None,
        max_digits=most if keys and most > 1 else None,
        finish_on_key=ends[0] if keys and ends else None,
        inter_digit_timeout=gathered.between_keys(command) if keys else None,
        timeout=max(silence_allowed(command) + extra, LEAST_TIMEOUT),
        dtmf_bargein=barge[0] if keys else None,
        bargein=barge[1] if words else None,
        listen_during_prompt=None if heard else False,
        recognizer=recognizer if words else None,
        say=heard if isinstance(heard, wire.NestedSay) else None,
        play=heard if isinstance(heard, wire.NestedPlay) else None,
    )


def _without_last_pause(parts: tuple[PromptPart, ...]) -> tuple[tuple[PromptPart, ...], float]:
    """Return the parts without a pause at the end, and how long that is."""
    if parts and isinstance(last := parts[-1], PromptPause):
        return parts[:-1], last.seconds
    return parts, 0.0


# --- recordings and transfers ---


def _listen(command: Record, context: DocumentContext) -> wire.Listen:
    """Write what records; how it ends is ours to decide (`ivr.server.stream_recorder`)."""
    return wire.Listen(
        url=context.listen(command.op),
        action_hook=context.step(command.op),
        mix_type="mono",
        sample_rate=SAMPLE_RATE,
        play_beep=command.beep or None,
        pass_dtmf=True,
        max_length=math.ceil(command.max_duration) + LISTEN_MARGIN,
        bidirectional_audio=wire.BidirectionalAudio(enabled=False),
    )


def _dial(command: Transfer, context: DocumentContext) -> wire.Dial:
    return wire.Dial(
        target=(target_of(command.target),),
        action_hook=context.step(command.op),
        timeout=ringing_allowed(command),
        confirm_hook=context.whisper(command),
    )


def target_of(address: str) -> wire.Target:
    """Return whom an address names, as jambonz is told."""
    if address.startswith("tel:"):
        return wire.Target(type="phone", number=address.removeprefix("tel:").partition(";")[0])
    return wire.Target(type="sip", sip_uri=address)


def _refer(command: Transfer, context: DocumentContext) -> wire.SipRefer:
    return wire.SipRefer(refer_to=command.target, action_hook=context.step(command.op))
