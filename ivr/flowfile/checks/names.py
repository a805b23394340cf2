"""The names that expressions can read, beside the variables: facts of the call, fields of events (LANGUAGE C8, C11)."""

from collections.abc import Mapping

from msgspec import Struct

from ivr.engine.actions.decide import DECIDED
from ivr.engine.actions.sign_in import FACTS as SIGN_IN_FACTS
from ivr.engine.expressions.types import ANY, BOOLEAN, DATE, DATETIME, INTEGER, TEXT, Type, optional
from ivr.engine.handlers import longest
from ivr.engine.naming import USER
from ivr.flowfile.actions import EVENT_FIELDS as ACTION_FIELDS
from ivr.flowfile.document import Document
from ivr.flowfile.events import successes
from ivr.flowfile.model import State
from ivr.flowfile.opening_hours import CalendarWritten, closes_and_opens
from ivr.flowfile.texts import Use
from ivr.flowfile.variables import intos

Env = Mapping[str, Type]
"The type of each name."

FACTS = ("call", "now", "language", "outcome", "visits", "calendar", "secrets", "key", USER)
GIVING_WAY = ("today",)
"Facts that came later than flows with a variable of that name; there the variable is meant."
EVENT_FIELDS = (*ACTION_FIELDS, "value", "reason", "error")
_ERROR: Env = {"error": Type("object", fields={"name": TEXT, "reason": TEXT}), "reason": TEXT}
_CALL = Type(
    "object",
    fields={
        "id": TEXT,
        "from": optional(TEXT),
        "to": TEXT,
        "channel": TEXT,
        "language": optional(TEXT),
        "startedAt": DATETIME,
        "direction": TEXT,
        "party": optional(TEXT),
        "answeredBy": optional(TEXT),
    },
)


def facts_of_call(document: Document) -> Env:
    """Return the facts, and what was declared so wrong that nothing is known of it."""
    visits = Type("object", fields=dict.fromkeys(document.names, INTEGER))
    wrong = {*document.source.keys(("variables",)), *document.hidden_words} - set(document.model.variables)
    facts: Env = {
        "calendar": _calendars(document),
        "secrets": ANY,
        "call": _CALL,
        "now": DATETIME,
        "today": DATE,
        "language": TEXT,
        "outcome": optional(TEXT),
        "visits": visits,
    }
    own = {*document.source.keys(("variables",)), *(into.variable for into in intos(document))}
    given_way = own.intersection(GIVING_WAY)
    return {**dict.fromkeys(wrong, ANY), **{name: type_ for name, type_ in facts.items() if name not in given_way}}


def _calendars(document: Document) -> Type:
    """Return what can be read of each calendar; of one that is not sound, nothing is known."""
    written = document.model.calendars
    lost = dict.fromkeys({*document.source.keys(("calendars",))} - set(written), ANY)
    known = {name: _calendar(each, is_sound=document.is_sound("calendars", name)) for name, each in written.items()}
    return Type("object", fields={**lost, **known})


def _calendar(written: CalendarWritten, *, is_sound: bool) -> Type:
    moment = DATETIME if closes_and_opens(written) or not is_sound else optional(DATETIME)
    return Type(
        "object",
        fields={"open": BOOLEAN, "reason": TEXT, "notice": TEXT, "nextOpen": moment, "closes": moment},
    )


def fields_of(state: State, event: str) -> Env:
    """Return the fields of one event of a state."""
    own = {name: type_ for action in state.actions for name, type_ in action.fields(event).items()}
    if event in state.understood:
        return {"choice": TEXT}
    return {**_ERROR, **own} if event.startswith("error") else own


def fields_at(document: Document, use: Use) -> Env:
    """Return the fields that every event has which a handler gets."""
    if use.moment == "signIn" and use.state is not None:
        sign_in = document.model.states[use.state].sign_in
        return {SIGN_IN_FACTS: sign_in.known} if sign_in else {}
    if use.moment not in {"transition", "confirm"}:
        return {}
    if use.state is not None:
        state = document.model.states[use.state]
        events = successes(state) if use.moment == "confirm" else handled(document, use.state, use.event)
        several = [fields_of(state, event) for event in events]
    else:
        left = left_to_flow(document, use.event)
        several = [fields_of(document.model.states[name], event) for name, event in left]
    common = several[0] if several else {}
    return {name: type_ for name, type_ in common.items() if all(name in fields for fields in several)}


def handled(document: Document, state: str, name: str) -> list[str]:
    """List the events of a state that its handler of this name gets."""
    own = document.handlers[state]
    events = (*document.raised(state), DECIDED)
    if name in own and own[name].path[2:] == ("next",):
        return [event for event in events if event in own and own[event].path == own[name].path]
    return [event for event in events if longest(own, event) == name]


def left_to_flow(document: Document, name: str) -> list[tuple[str, str]]:
    """List the states and events that a handler of the flow gets."""
    wanted = document.shared[name].path
    return [
        (state, event)
        for state, _ in document.states()
        for event in document.raised(state)
        if (handler := document.handler(state, event)) is not None and handler.path == wanted
    ]


class ChoiceAt(Struct, frozen=True):
    """The choice whose texts are read, for what its expressions know."""

    name: str
    "Unlike that of every other choice."
    event: str
    key: str | None
    foreach: str | None = None

    @property
    def has_key(self) -> bool:
        """Whether it always has a key: each item of a list has one."""
        return self.key is not None or self.foreach is not None


def choice_at(document: Document, use: Use) -> ChoiceAt | None:
    """Return the choice to which a text belongs; None: it is not read as one of a choice."""
    if use.moment != "choice":
        return None
    place = use.said_at or use.path
    if use.state is None:
        name = str(place[1])
        return ChoiceAt(f"commands {name}", name, document.model.commands[name].dtmf)
    menu, consent = document.model.states[use.state].menu, document.model.states[use.state].consent
    if consent is not None:
        return ChoiceAt(str(place[3]), str(place[3]), consent.answers[str(place[3])].dtmf)
    name = str(place[4])
    choice = menu.choices[name] if menu else None
    if choice is not None and choice.more and place[5] == "more":
        return ChoiceAt(f"{name} more", name, choice.more.dtmf)
    return ChoiceAt(name, name, choice.dtmf, choice.foreach) if choice else None
