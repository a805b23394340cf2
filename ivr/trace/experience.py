"""What a caller heard and could do: actions cut down to what makes a difference to a person on the phone.

Two sides are the same here if nobody on the phone could tell them apart: how texts are spread over prompts and replies
makes no difference, nor do the names of choices; what is said, how, and what can be answered, does.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine import commands
from ivr.engine.cards import SHOWING
from ivr.engine.commands import (
    Choice,
    Command,
    Gender,
    Recorded,
    Segment,
    Text,
    as_spoken,
    recorded_as,
    ringing_allowed,
    silence_allowed,
)
from ivr.engine.utterance import as_heard
from ivr.engine.values import MaskedValue, Stored
from ivr.trace.case import (
    Asked,
    AskedChoices,
    AskedKeys,
    AskedRecording,
    AskedTransfer,
    CaseLine,
    Ending,
    Header,
    Heard,
    Held,
    Ordered,
    Told,
)


class FlowVoice(Struct, frozen=True):
    """How a flow speaks where nothing else is said; its plain texts are written without it."""

    language: str
    gender: Gender
    shows_cards: bool = False
    "On the line in question cards are shown, and not spoken."

    @classmethod
    def of_case(cls, header: Header) -> "FlowVoice":
        """Return how the flow spoke in a call that was taken."""
        return cls(header.language, header.voice, header.channel in SHOWING)

    def short(self, segment: Segment) -> Heard:
        """Write a segment as a case does, without naming any audio of a caller."""
        if isinstance(segment, Recorded):
            return replace(segment, media="")
        plain = isinstance(segment, Text) and segment == Text(segment.value, self.gender, self.language)
        return segment.value if plain and isinstance(segment, Text) else segment

    def full(self, heard: Iterable[Heard]) -> tuple[Segment, ...]:
        """Return the segments, cards as what the line made of them."""
        whole = (Text(one, self.gender, self.language) if isinstance(one, str) else one for one in heard)
        return tuple(whole) if self.shows_cards else as_spoken(whole)


class Effect(Struct, frozen=True):
    """The actions of one step, as a case has them."""

    heard: tuple[Heard, ...] = ()
    asked: Asked | None = None
    ordered: tuple[Ordered, ...] = ()
    end: Ending | None = None
    held: Held | None = None
    told: tuple[Told, ...] = ()
    kept: Mapping[str, Stored] = {}


def effect_of(ordered: Iterable[Command], voice: FlowVoice) -> Effect:
    """Take from actions what a caller gets of them."""
    heard: list[Heard] = []
    asked: Asked | None = None
    orders: list[Ordered] = []
    end: Ending | None = None
    told: list[Told] = []
    kept: dict[str, Stored] = {}
    for action in ordered:
        match action:
            case commands.Play(prompt=prompt):
                heard += map(voice.short, prompt)
            case commands.Recognize() | commands.Record() | commands.Transfer():
                asked = _asked(action, voice)
            case commands.Request():
                orders.append(ordered_of(action))
            case commands.Notify():
                told.append(told_of(action))
            case commands.Remember():
                kept |= kept_of(action)
            case commands.HangUp():
                end = "hangup"
            case commands.Reject():
                end = "reject"
    return Effect(tuple(heard), asked, tuple(orders), end, told=tuple(told), kept=kept)


def ordered_of(request: commands.Request) -> Ordered:
    """Return what a service is asked, without naming any audio."""
    arguments = {name: value for name, value in request.arguments.items() if name != "media"}
    return Ordered(request.service, arguments, request.timeout)


def told_of(notify: commands.Notify) -> Told:
    """Return what somebody is told, without naming any audio."""
    return Told(notify.way, notify.to, notify.subject, notify.text, len(notify.attach))


def kept_of(order: commands.Remember) -> Mapping[str, Stored]:
    """Return what is kept of the caller, without what is private."""
    masks = {name: None if value is None else MaskedValue() for name, value in order.private.items()}
    return {**order.values, **masks}


def _asked(action: commands.Recognize | commands.Record | commands.Transfer, voice: FlowVoice) -> Asked:
    if isinstance(action, commands.Transfer):
        return AskedTransfer(action.target, ringing_allowed(action), action.whisper)
    prompt = tuple(map(voice.short, action.prompt))
    silence = silence_allowed(action)
    if isinstance(action, commands.Record):
        return AskedRecording(
            prompt,
            longest=action.max_duration,
            silence=silence,
            pause=action.max_silence,
            terminators=action.terminators,
            beep=action.beep,
            format=recorded_as(action),
        )
    language = None if action.language == voice.language else action.language
    if digits := action.digits:
        return AskedKeys(
            prompt,
            digits.minimum,
            digits.maximum,
            digits.terminators,
            silence=silence,
            inter_digit=digits.inter_digit,
            barge_in=action.barge_in,
            barge_in_speech=action.barge_in_speech,
            type_ahead=action.type_ahead,
            language=language if action.free else None,
            free=action.free,
        )
    return AskedChoices(
        prompt,
        action.choices,
        silence=silence,
        barge_in=action.barge_in,
        language=language,
        barge_in_speech=action.barge_in_speech,
        type_ahead=action.type_ahead,
        inter_digit=action.inter_digit,
        terminators=action.terminators,
    )


def total(parts: Sequence[CaseLine | Effect]) -> Effect:
    """Put together what came of several steps."""
    if len(parts) == 1:
        (part,) = parts
        return Effect(part.heard, part.asked, part.ordered, part.end, part.held, part.told, part.kept)
    return Effect(
        tuple(heard for part in parts for heard in part.heard),
        next((part.asked for part in reversed(parts) if part.asked), None),
        tuple(order for part in parts for order in part.ordered),
        next((part.end for part in reversed(parts) if part.end), None),
        next((part.held for part in parts if part.held), None),
        tuple(told for part in parts for told in part.told),
        {name: value for part in parts for name, value in part.kept.items()},
    )


# --- compared --------------------------------------------------------------------------------------------------------


class Experience(Struct, frozen=True):
    """What one action of a caller led to, until the next one."""

    heard: tuple[Segment, ...]
    "Played to its end; nobody can interrupt it. Texts that follow each other are one."
    prompt: tuple[Segment, ...]
    "Played until the caller answers."
    held: tuple[Segment, ...]
    "Played while a service works."
    task: Asked | None
    "What is asked, without its prompt, in a form that can be compared."
    ordered: tuple[Ordered, ...]
    end: Ending | None
    parts: tuple[Segment, ...]
    "All that was played, as the flow has it; makes no difference, nor does `asked`."
    asked: Asked | None
    told: tuple[Told, ...] = ()
    kept: Mapping[str, Stored] = {}

    @property
    def spoken(self) -> tuple[Segment, ...]:
        """All of it, in order."""
        return joined((*self.heard, *self.prompt))


def experience(parts: Sequence[CaseLine | Effect], voice: FlowVoice) -> Experience:
    """Put together what was heard and asked; only the last question stands."""
    whole = total(parts)
    asked = whole.asked
    heard: tuple[Segment, ...] = voice.full(whole.heard)
    prompt: tuple[Segment, ...] = voice.full(asked.prompt) if asked else ()
    held = voice.full(whole.held.prompt) if whole.held else ()
    played = (*heard, *prompt)
    if asked and not (isinstance(asked, AskedChoices | AskedKeys) and (asked.barge_in or asked.barge_in_speech)):
        heard, prompt = played, ()
    return Experience(
        joined(heard),
        joined(prompt),
        joined(held),
        comparable(asked, voice) if asked else None,
        whole.ordered,
        whole.end,
        (*held, *played),
        asked,
        whole.told,
        whole.kept,
    )


def joined(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Make one text of those that follow each other in one voice: how they are cut cannot be heard."""
    whole: list[Segment] = []
    for segment in segments:
        last = whole[-1] if whole else None
        if isinstance(segment, Text) and isinstance(last, Text) and replace(last, value=segment.value) == segment:
            whole[-1] = replace(last, value=f"{last.value} {segment.value}")
        else:
            whole.append(segment)
    return tuple(whole)


def comparable(asked: Asked, voice: FlowVoice) -> Asked:
    """Take away from a question what no caller can notice: names and the order of choices, the order of keys."""
    match asked:
        case AskedChoices(choices=choices):
            speaks = any(choice.speech for choice in choices)
            language = (asked.language or voice.language) if speaks else None
            return replace(
                asked,
                prompt=(),
                choices=tuple(sorted(map(offer, choices), key=str)),
                language=language,
                barge_in_speech=asked.barge_in_speech if speaks else None,
                terminators=in_order(asked.terminators),
            )
        case AskedKeys():
            language = (asked.language or voice.language) if asked.free else None
            by_speech = asked.barge_in_speech if asked.free else None
            ends = in_order(asked.terminators)
            return replace(asked, prompt=(), terminators=ends, language=language, barge_in_speech=by_speech)
        case AskedRecording():
            return replace(asked, prompt=(), terminators=in_order(asked.terminators))
    return asked


def in_order(keys: str) -> str:
    """Return keys as a set, written in one way."""
    return "".join(sorted(set(keys)))


def offer(choice: Choice) -> Choice:
    """Return what a caller must do to choose this."""
    words = {as_heard(words) for words in choice.speech}
    return Choice("", choice.key, tuple(sorted(words)))
