"""Every text of a flow that can be heard, and the flow with one of them edited: what cases have to notice."""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import asdict, replace

from ivr.engine.expressions.compile import compile_template
from ivr.engine.flow import Flow
from ivr.engine.prompt import AudioPart, TextPart


class SpokenText(Struct, frozen=True):
    """A text, as its author wrote it."""

    state: str
    "Empty: the flow itself says it, on an event."
    words: str


def texts_of(flow: Flow) -> tuple[SpokenText, ...]:
    """List the texts of a flow, each once a state."""
    found = [SpokenText(name, words) for name, state in flow.states.items() for words in _texts(state)]
    return tuple(dict.fromkeys([*found, *(SpokenText("", words) for words in _texts(flow.on))]))


def edited(flow: Flow, changes: Mapping[SpokenText, str]) -> Flow:
    """Return the flow with other words instead of some of its texts."""
    states = {name: _with(state, name, changes) for name, state in flow.states.items()}
    return replace(flow, states=states, on=_with(flow.on, "", changes))


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, TextPart | AudioPart):
        if part.text is not None:
            yield part.text.source
    else:
        for inside in _inside(part):
            yield from _texts(inside)


def _inside(part: object) -> Iterator[object]:
    match part:
        case Struct():
            yield from asdict(part).values()
        case Mapping():
            yield from part.values()
        case tuple():
            yield from part


def _with(part: object, state: str, changes: Mapping[SpokenText, str]) -> "object":
    match part:
        case TextPart(text=text) | AudioPart(text=text):
            words = changes.get(SpokenText(state, text.source)) if text else None
            return part if words is None else replace(part, text=compile_template(words))
        case Struct():
            return replace(part, **{name: _with(inside, state, changes) for name, inside in asdict(part).items()})
        case Mapping():
            return {name: _with(inside, state, changes) for name, inside in part.items()}
        case tuple():
            return tuple(_with(inside, state, changes) for inside in part)
    return part
