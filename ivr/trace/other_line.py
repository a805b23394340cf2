"""A recorded call seen through the limits of another line: what its caller would notice after moving there. Pure.

The call is taken as it was: each place of it is held against the table of differences (`line_differences`). What the
other line could do besides, such as understanding more, makes no difference to a call that did without.
"""

from collections.abc import Iterator

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.engine.call import Taken
from ivr.engine.events import CallReceived, SpeechHeard, Transferred
from ivr.trace.case import Asked, AskedChoices, AskedKeys, Case, CaseLine, Happened, caller_steps
from ivr.trace.line_differences import DIFFERENCES, LineDifference
from ivr.trace.line_rules import Moment
from ivr.trace.rerun import standing


class Noticed(Struct, frozen=True):
    """A difference at one place of a call."""

    difference: LineDifference
    number: int
    "What the caller did, counted from 0: it is about that, or about what came of it."
    at: float
    "Seconds since the call came in."
    state: str
    "Where the call stands."
    event: Happened
    "What happened there."
    what: str
    "What is noticed."
    question: bool
    "It is about what that state asks."


class _Place(Struct, frozen=True):
    moment: Moment
    number: int
    at: float
    state: str
    event: Happened


def noticed(recorded: Case, before: Capabilities | None, after: Capabilities) -> tuple[Noticed, ...]:
    """Return what differs on a line that can do `after`, for a call on one that can do `before`, in order.

    None: it is not known what the call's own line can do; what it cannot do either is told as well.
    """
    found: list[Noticed] = []
    told: set[str] = set()
    for place in _places(recorded):
        for difference in DIFFERENCES:
            what = difference.at(place.moment, after)
            if what is None or difference.id in told or (before and difference.at(place.moment, before) == what):
                continue
            if difference.once:
                told.add(difference.id)
            asks = place.moment.asked is not None
            found.append(Noticed(difference, place.number, place.at, place.state, place.event, what, asks))
    return tuple(found)


def is_live_line(recorded: Case) -> bool:
    """Return whether a call over the native messages shows what only a line beyond the vendor's own can do.

    A gateway, and the phone, speak the vendor's messages: in a case they are named as its channel is.
    """
    return any(_shows_more(line) for line in recorded.lines)


def _shows_more(line: CaseLine) -> bool:
    match line.event:
        case CallReceived(transfers=True) | SpeechHeard() | Transferred():
            return True
    return isinstance(line.asked, AskedKeys | AskedChoices) and line.asked.type_ahead


def _places(recorded: Case) -> Iterator[_Place]:
    """Divide a call into its places: what was answered, then what came of that until the caller was due again."""
    language = recorded.header.language
    path: list[Taken] = []
    asked: Asked | None = None
    for number, caller_step in enumerate(caller_steps(recorded)):
        event = caller_step.first.event
        yield _Place(Moment(language, asked, event), number, caller_step.first.at, standing(path), event)
        asked = None
        for line in caller_step.lines:
            path += line.path
            asked = line.asked or asked
            moment = Moment(language, line.asked, heard=line.heard, end=line.end)
            yield _Place(moment, number, line.at, standing(path), event)
