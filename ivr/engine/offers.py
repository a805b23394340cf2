"""What a question offers: choices as they are written, the items of a list, and choices that are understood everywhere.

A choice is written once and offered each time the question is asked: while its guard is true, and, of a list, once for
each item of the part that is offered now (LANGUAGE C5).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Choice, Segment
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.language_choice import first_part, in_language
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope
from ivr.engine.utterance import as_heard
from ivr.engine.values import Value, unpack

MOST_ITEMS = 100
"Items of a list that can be chosen; what comes after them is not offered."
MOST_FORMS = 5
"Spoken forms that a line takes for one choice."
ITEM_KEYS = "123456789"
"Keys that the items of a list get, as far as no choice has them."

YES: Mapping[str, tuple[str, ...]] = {
    "en": ("yes", "yes please", "correct", "that is right", "right"),
    "de": ("ja", "ja bitte", "richtig", "stimmt", "genau"),
    "fr": ("oui", "oui merci", "correct", "c'est exact", "exact"),
    "es": ("sí", "sí por favor", "correcto", "es correcto", "exacto"),
}
NO: Mapping[str, tuple[str, ...]] = {
    "en": ("no", "no thanks", "wrong", "that is wrong", "not right"),
    "de": ("nein", "nein danke", "falsch", "stimmt nicht", "nicht richtig"),
    "fr": ("non", "non merci", "incorrect", "c'est faux", "faux"),
    "es": ("no", "no gracias", "incorrecto", "no es correcto", "falso"),
}
"What callers say to a question of yes or no, by the first part of a language tag, where the author writes no forms."


class FixedChoice(Struct, frozen=True):
    """A choice that is written with its key and its words."""

    offer: Choice
    prompt: Prompt = ()
    guard: Expression | None = None
    usual: Literal["yes", "no"] | None = None
    "Whose usual words it has, where its author wrote none."
    speech: Mapping[str, tuple[str, ...]] = {}
    "Its words by language, as the flow calls them; empty: `offer` has those of all languages."

    @property
    def name(self) -> str:
        """What the line calls it."""
        return self.offer.name

    def choice(self, language: str) -> Choice:
        """Return what the line listens for in a language."""
        if self.speech:
            return replace(self.offer, speech=in_language(self.speech, language) or ())
        if self.usual is None or self.offer.speech:
            return self.offer
        words = (YES if self.usual == "yes" else NO).get(first_part(language), ())
        return replace(self.offer, speech=words)

    def offered(self, language: str) -> "Offered":
        """Return it as it is offered."""
        return Offered(self.choice(language), self.prompt, {"key": self.offer.key})


class ListChoice(Struct, frozen=True):
    """A choice that stands for each item of a list (`foreach`)."""

    name: str
    "The event, and what an item is called in its texts."
    stem: str
    "How the names begin that the line is given for items; no other choice has such a name."
    items: Expression
    keys: str
    "The keys that items get, in order; at least one."
    page: int
    "Items that are offered at a time; not more than there are keys."
    speech: Mapping[str, tuple[Template, ...]] = {}
    "By language, as the flow calls them; empty: those of all languages."
    prompt: Prompt = ()
    guard: Expression | None = None
    into: str | None = None
    "The variable that keeps the item."
    more: FixedChoice | None = None
    "Offered while items are left."


class Offered(Struct, frozen=True):
    """A choice as it is offered now."""

    choice: Choice
    prompt: Prompt = ()
    knows: Mapping[str, Value] = {}
    "What its prompt can read beside what all others can."


class Offers(Struct, frozen=True):
    """What a question offers now, in the order in which it is told."""

    choices: tuple[Offered, ...]
    items: Mapping[str, Value] = {}
    "The items of a list among them, by the names that the line is given."
    is_empty: bool = False
    "A list has no items, so that nothing is to be asked."

    def spoken(self, scope: Scope) -> tuple[Segment, ...]:
        """Make what is said of the choices."""
        segments: tuple[Segment, ...] = ()
        for offered in self.choices:
            if offered.prompt:
                segments += scope.having(offered.knows).prompt(offered.prompt)
        return segments

    def for_line(self) -> tuple[Choice, ...]:
        """Return what the line listens for."""
        return tuple([offered.choice for offered in self.choices])


def offers(
    scope: Scope, written: Sequence[FixedChoice | ListChoice], everywhere: Sequence[FixedChoice], page: int
) -> Offers:
    """Return what is offered: of a list, the part of this number, or the first where that has no items (any more)."""
    found: list[Offered] = []
    items: dict[str, Value] = {}
    language = scope.language
    # What is not offered now has its key and its words all the same: an item or a command must not take its place.
    fixed = [choice.choice(language) for choice in written if isinstance(choice, FixedChoice)]
    for choice in written:
        if isinstance(choice, FixedChoice):
            if choice.guard is None or scope.allows(choice.guard):
                found.append(choice.offered(language))
            continue
        listed = _items(scope, choice)
        if not listed:
            return Offers((), is_empty=True)
        first = page * choice.page if page * choice.page < len(listed) else 0
        shown = listed[first : first + choice.page]
        named = {f"{choice.stem} {number}": item for number, item in enumerate(shown, first + 1)}
        items |= named
        found += listed_offers(scope, choice, named, fixed)
        if choice.more and first + choice.page < len(listed):
            found.append(choice.more.offered(language))
    added = added_everywhere(scope, [*fixed, *(offered.choice for offered in found)], everywhere)
    return Offers((*found, *added), items)


def listed_offers(
    scope: Scope, choice: ListChoice, items: Mapping[str, Value], fixed: Iterable[Choice]
) -> Iterator[Offered]:
    """Go through the items of a list that are offered, each with its key.

    Words are those of one choice: of the fixed ones first, then of the first item that has them. A line may refuse the
    whole question otherwise, and what items are called is for a service to say.
    """
    more = [choice.more.choice(scope.language)] if choice.more else []
    taken = {as_heard(form) for one in (*fixed, *more) for form in one.speech} | {""}
    for (name, item), key in zip(items.items(), choice.keys, strict=False):
        knows = {"key": key, choice.name: item}
        reading = scope.having(knows)
        speech = in_language(choice.speech, scope.language) or ()
        own: list[str] = []
        for form in (template.text(reading) for template in speech):
            if (heard := as_heard(form)) not in taken:
                taken.add(heard)
                own.append(form)
        yield Offered(Choice(name, key, tuple(own[:MOST_FORMS])), choice.prompt, knows)


def _items(scope: Scope, choice: ListChoice) -> Sequence[Value]:
    found = choice.items.value(scope)
    listed = found if isinstance(found, Sequence) and not isinstance(found, str) else ()
    return [
        item
        for item in listed[:MOST_ITEMS]
        if choice.guard is None or scope.having({choice.name: item}).allows(choice.guard)
    ]


def added_everywhere(scope: Scope, taken: Sequence[Choice], everywhere: Sequence[FixedChoice]) -> list[Offered]:
    """Return the choices that are understood everywhere, without those whose key or words are taken here (C5)."""
    if not everywhere:
        return []
    names = {choice.name for choice in taken}
    words = {as_heard(form) for choice in taken for form in choice.speech}
    keys = [choice.key for choice in taken if choice.key]
    added = [one.offered(scope.language) for one in everywhere]
    return [
        one
        for one in added
        if one.choice.name not in names
        and not any(is_same_beginning(one.choice.key, key) for key in keys)
        and words.isdisjoint(map(as_heard, one.choice.speech))
    ]


def is_same_beginning(key: str | None, other: str) -> bool:
    """Return whether pressing the keys of one choice can be the beginning of the other's."""
    return key is not None and (key.startswith(other) or other.startswith(key))


def asked_before(
    scope: Scope, written: Sequence[FixedChoice | ListChoice], everywhere: Iterable[FixedChoice], names: tuple[str, ...]
) -> Iterator[Choice]:
    """Go through the choices that the line was given by these names, as they were: a list may be another one by now."""
    items = {name: unpack(item) for name, item in scope.progress.items.items()}
    language = scope.language
    fixed = [choice.choice(language) for choice in written if isinstance(choice, FixedChoice)]
    for choice in chain(written, everywhere):
        if isinstance(choice, FixedChoice):
            found = [choice.choice(language)]
        else:
            found = [offered.choice for offered in listed_offers(scope, choice, items, fixed)]
            found += [choice.more.choice(language)] if choice.more else []
        yield from (one for one in found if one.name in names)


def by_keys(choices: Iterable[Choice], keys: str) -> str | None:
    """Return the name of the choice that has these keys; None: none has."""
    return next((choice.name for choice in choices if choice.key and choice.key == keys), None)


def by_words(choices: Iterable[Choice], words: str) -> str | None:
    """Return the name of the choice that was said; None: it was none."""
    said = as_heard(words)
    return next((choice.name for choice in choices if said and said in map(as_heard, choice.speech)), None)
