"""The names that an expression can read in one state at one moment, and prompts made with them (LANGUAGE C9, C11)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from ivr.engine import commands
from ivr.engine.calendars import Calendar, CalendarFacts
from ivr.engine.call import NOT_BEGUN, SIGNING_IN, UNCONFIRMED, Facts, Memory, Progress
from ivr.engine.card_making import WrittenAs, in_json, made
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.judge import Judge
from ivr.engine.language_choice import among
from ivr.engine.naming import is_of_user
from ivr.engine.prompt import (
    MAX_ITEMS,
    AudioPart,
    ByLanguagePart,
    CardPart,
    CarouselPart,
    ForeachPart,
    Part,
    Prompt,
    RecordingPart,
    ReferredPart,
    TextPart,
    said_and_marked,
)
from ivr.engine.secret_values import SECRETS
from ivr.engine.values import MaskedValue, Recording, Value, unpack
from ivr.errors import ExpressionFailed, MaskedRead

T = TypeVar("T")
SETTABLE = ("language", "outcome")
"Facts that `set` may change (LANGUAGE C11)."
PART = "/"
"""Stands between the name of a state and a name of the flow that it invokes. So the variables of that flow, its states
and their visits have names of their own in the whole flow and in its calls; no name of an author's has such a sign."""


def is_shared(name: str) -> bool:
    """Return whether a name means the same in a flow and in those that it invokes: facts, and what is the caller's."""
    return name in SETTABLE or is_of_user(name)


class Surroundings(Protocol):
    """What an expression can read of a flow: of the one that is called, or of one that it invokes."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of `now` and `call.startedAt`."""

    @property
    def language(self) -> str:
        """What is spoken and listened for unless the caller's language or the call says otherwise."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages between which a call can change; empty: one, and any other that it sets."""

    @property
    def states(self) -> Iterable[str]:
        """By their names in the flow's own file, for `visits`."""

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """By name, for `calendar`."""

    @property
    def user(self) -> Mapping[str, Value]:
        """What variables of the caller are as long as nothing is kept, by their names (`user.NAME`)."""


class Scope(Mapping[str, Value]):
    """Variables, the event's fields and the facts; a name without a value is absent, which an expression reads as none.

    Nothing is computed before it is read: most expressions read one name.
    """

    __slots__ = (
        "_facts",
        "_fields",
        "_flow",
        "_judge",
        "_memory",
        "_now",
        "_prefix",
        "_private",
        "_stand_ins",
        "progress",
    )

    def __init__(
        self,
        flow: Surroundings,
        facts: Facts,
        memory: Memory,
        now: float,
        fields: Mapping[str, Value] | None = None,
        *,
        judge: Judge | None = None,
        private: bool = False,
        prefix: str = "",
        progress: Progress = NOT_BEGUN,
        stand_ins: Mapping[str, Value] | None = None,
    ) -> None:
        self._flow = flow
        self._facts = facts
        self._memory = memory
        self._now = now
        self._fields: Mapping[str, Value] = fields or {}
        self._judge = judge
        self._private = private  # the fields are
        self._prefix = prefix  # of what an invoked flow remembers
        self.progress = progress
        self._stand_ins: Mapping[str, Value] = stand_ins or {}

    def __getitem__(self, name: str) -> Value:
        if name in self._fields:
            return self._fields[name]
        memory, kept = self._memory, self._kept(name)
        if kept in memory.variables:
            return unpack(memory.variables[kept])
        if kept in memory.private:
            return unpack(memory.private[kept])
        match name:
            case "now":
                return datetime.fromtimestamp(self._now, self._flow.zone)
            case "today":
                return datetime.fromtimestamp(self._now, self._flow.zone).date()
            case "language":
                return self._callers_language()
            case "call":
                return self._call()
            case "calendar":
                return self._calendars()
            case "visits":
                visits = self._memory.visits
                return {state: visits.get(self._prefix + state, 0) for state in self._flow.states}
        return self._flow.user[name]

    def __iter__(self) -> Iterator[str]:
        facts = ("now", "today", "language", "call", "calendar", "visits")
        kept = {*self._memory.variables, *self._memory.private}
        own = {name if is_shared(name) else name[len(self._prefix) :] for name in kept if self._is_own(name)}
        yield from {*facts, *self._fields, *self._flow.user, *own}

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _callers_language(self) -> str:
        """Return the caller's language if the flow has it, else the flow's first (C11)."""
        if not self._flow.languages or self._facts.language is None:
            return self._flow.language
        return among(self._facts.language, self._flow.languages) or self._flow.language

    def _kept(self, name: str) -> str:
        """Return how a variable is called in a call; an invoked flow has its own, and shares the facts (C10)."""
        return self._prefix + name if self._prefix and not is_shared(name) else name

    def _is_own(self, kept: str) -> bool:
        """Return whether this flow knows what is kept under a name: it is no part's, and no other flow's."""
        return is_shared(kept) or (kept.startswith(self._prefix) and PART not in kept[len(self._prefix) :])

    def _call(self) -> Mapping[str, Value]:
        facts = self._facts
        return {
            "id": facts.id,
            "from": facts.caller,
            "to": facts.called,
            "channel": facts.channel,
            "language": facts.language,
            "startedAt": self.started,
            "direction": "outgoing" if facts.placed else "incoming",
            "party": facts.party,
            "answeredBy": facts.answered_by,
        }

    @property
    def started(self) -> datetime:
        """When the call came in, or was placed."""
        return datetime.fromtimestamp(self._facts.started + self._facts.ahead, self._flow.zone)

    def _calendars(self) -> Mapping[str, Value]:
        shut = self._facts.closed
        return {
            name: CalendarFacts(calendar, self._now, self.language, shut.get(name))
            for name, calendar in self._flow.calendars.items()
        }

    @property
    def language(self) -> str:
        """The language that is spoken and listened for, a BCP 47 tag."""
        return str(self["language"])

    def having(
        self, fields: Mapping[str, Value], *, private: bool = False, stand_ins: Mapping[str, Value] | None = None
    ) -> "Scope":
        """Return the same scope with more fields; `private`: they hold what nobody may see.

        `stand_ins`: what a trace has in their place in texts that are for the caller alone.
        """
        more = {**self._fields, **fields}
        return Scope(
            self._flow,
            self._facts,
            self._memory,
            self._now,
            more,
            judge=self._judge,
            private=self._private or private,
            prefix=self._prefix,
            progress=self.progress,
            stand_ins=self._stand_ins if stand_ins is None else stand_ins,
        )

    @property
    def caller(self) -> str | None:
        """Who is on the line; None if withheld."""
        return self._facts.party

    @property
    def identity(self) -> str | None:
        """Who the caller is in a directory, where the line has authenticated them."""
        return self._facts.identity

    @property
    def signing_in(self) -> Mapping[str, Value] | None:
        """What is known of the sign-in that is under way; None: none is."""
        known = unpack(self._memory.private.get(SIGNING_IN))
        return known if isinstance(known, Mapping) else None

    @property
    def unconfirmed(self) -> Value:
        """The answer that the caller is to confirm; None: there is none."""
        memory = self._memory
        return unpack(memory.variables.get(UNCONFIRMED, memory.private.get(UNCONFIRMED)))

    def allows(self, guard: Expression | None) -> bool:
        """Try a guard; no guard allows. What is said of private values is kept, so that a replay can say it again."""
        if guard is None:
            return True
        if SECRETS in guard.roots:  # which no other expression can read
            judge = self._judge or Judge()
            return judge.allows(guard, self.having({SECRETS: judge.secrets}))
        if self._judge is not None and self._is_private(guard):
            return self._judge.allows(guard, self)
        return guard.test(self)

    def _is_private(self, guard: Expression) -> bool:
        if not self._memory.private and not self._private:
            return False  # nearly always
        if self._private and not guard.roots.isdisjoint(self._fields):
            return True
        return any(self._kept(name) in self._memory.private for name in guard.roots)

    def prompt(self, prompt: Prompt) -> tuple[commands.Segment, ...]:
        """Make a prompt: parts whose guard is false, and texts that come out blank, are not there."""
        segments: list[commands.Segment] = []
        for part in prompt:
            if part.guard is None or self.allows(part.guard):
                segments += self._segments(part)
        return tuple(segments)

    def _segments(self, part: Part) -> Sequence[commands.Segment]:
        match part:
            case TextPart():
                language = part.language or self.language
                said, traced = self._speaking(part.language).twice(partial(_text, part, language))
                return [replace(said, traced=traced) if traced else said] if said.value or said.marked else ()
            case AudioPart():
                words, instead = self.twice(part.text.text) if part.text else (None, None)
                return [commands.Audio(part.asset, part.url, words if instead is None else instead)]
            case ByLanguagePart():
                scope = self._speaking(part.language)
                language = among(scope.language, tuple(part.prompts)) or next(iter(part.prompts))
                return scope.prompt(part.prompts[language])
            case ReferredPart():
                return self._speaking(part.language).prompt(part.prompt)
            case ForeachPart():
                scopes = self.each(part.items, part.item, MAX_ITEMS)
                return [segment for scope in scopes for segment in scope.prompt(part.prompt)]
            case RecordingPart():
                recording = part.recording.value(self)
                if not isinstance(recording, Recording) or not (recording.media or recording.transcript):
                    return ()
                return [commands.Recorded(recording.media or "", recording.transcript)]  # what was written has no audio
            case CardPart():
                scope = self._speaking(part.language)
                card, masked = scope.twice(partial(_card, part))
                return [replace(card, traced=masked) if masked else card] if card else ()
            case CarouselPart():
                cards = (one for one in self.prompt(part.prompt) if isinstance(one, commands.Card))
                return [_beside_others(card) for card in cards]
        return [commands.Silence(part.milliseconds)]

    def each(self, items: Expression, item: str, most: int) -> "Iterator[Scope]":
        """Return the same scope for each of the first items of a list; raise ExpressionFailed if it is none."""
        found = items.value(self)
        if found is None or isinstance(found, MaskedValue):
            return
        if isinstance(found, str) or not isinstance(found, Sequence):
            raise ExpressionFailed("foreach needs a list", line=items.line)
        yield from (self.having({item: one}) for one in found[:most])

    def words(self, template: Template, written_as: WrittenAs) -> str:
        """Return what a text is here: in words, as it is written, or as JSON in whose texts something is put."""
        match written_as:
            case "words":
                return template.text(self)
            case "json":
                return template.marked(self, in_json)
        return template.written(self)

    def twice(self, make: "Callable[[Scope], T]") -> tuple[T, T | None]:
        """Make something to be said, and what a trace holds of it where that is another; a replay has only the latter.

        What is private is read by the first alone; None: nothing in it is.
        """
        if not self._stand_ins:
            return make(self), None
        traced = make(self.having(self._stand_ins, stand_ins={}))
        try:
            said = make(self)
        except MaskedRead:
            return traced, None
        return said, None if said == traced else traced

    def _speaking(self, language: str | None) -> "Scope":
        """Return the same scope in another language: what filters make of a value is said in it, too."""
        return self if language is None or language == self.language else self.having({"language": language})


def _text(part: TextPart, language: str, scope: Scope) -> commands.Text:
    text, marked = said_and_marked(part.text, part.markup, scope)
    return commands.Text(text, part.voice, language, part.say_as, part.emphasize, marked, part.markup)


def _card(part: CardPart, scope: Scope) -> commands.Card | None:
    face = made(part.members, scope)
    return commands.Card(face, part.voice, scope.language, part.say_as, part.emphasize) if face else None


def _beside_others(card: commands.Card) -> commands.Card:
    return replace(card, carousel=True, traced=_beside_others(card.traced) if card.traced else None)
