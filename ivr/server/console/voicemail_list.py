"""The voicemails that callers have left: each recording with what was understood of it.

A recording is a voicemail unless it is for nobody's ears (LANGUAGE C12); one that the caller made anew is there, too.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from ivr.call_record import Stepped
from ivr.engine.actions.record import TRANSCRIBE
from ivr.engine.commands import Request
from ivr.engine.events import RecordingMade, RecordingReady, ServiceAnswered
from ivr.engine.flow import Flow
from ivr.errors import FlowError
from ivr.server.console.call_details import is_secret, state_after
from ivr.voicemails import RecordedCall, Voicemails

PAGE: Final = 25
"Voicemails of a page, unless the last call has left more."
PORTION: Final = 25
"Calls whose traces are read at a time."
LOOKED: Final = 20_000
"Calls with recordings that one question passes over: some 40 ms of a thread, if all of them are done."
MOST_READ: Final = 500
"Calls whose traces are read for one page: recordings that nobody may hear are found no other way."

KnowsFlows: TypeAlias = Callable[[str], Awaitable[Flow]]
"Gives a flow by its hash; raises FlowError."


class Voicemail(Struct, frozen=True):
    """A voicemail that somebody has left."""

    call: str
    "Our id of the call."
    number: int
    "Which of the call's recordings it is, counted from 0."
    flow: str
    "The flow's name."
    state: str
    caller: str | None
    "Who left it; None: withheld."
    at: float
    "When, in seconds since 1970."
    seconds: float
    "How long it is; 0: nobody knows."
    transcript: str | None
    "None: there is none."
    done: float | None
    "When it was marked as done; None: it was not."


class VoicemailPage(Struct, frozen=True):
    """One page of voicemails."""

    shown: Sequence[Voicemail]
    "The newest call first, those of a call in their order."
    older: int | None
    "Before which row the next page begins; None: there are no older ones."


async def voicemail_page(voicemails: Voicemails, flows: KnowsFlows, before: int | None, *, done: bool) -> VoicemailPage:
    """Find a page of voicemails that are done, or that are not."""
    shown: list[Voicemail] = []
    read, position = 0, before
    while len(shown) < PAGE and read < MOST_READ:
        found = await voicemails.recorded(done=done, before=position, limit=PORTION, look=LOOKED)
        for call in found.calls:
            shown += [one for one in await _of_call(call, flows) if (one.done is not None) == done]
        read += PORTION  # as much as that even where nothing was found: it has cost a look
        position = found.next
        if position is None:
            break
    return VoicemailPage(shown, position)


async def _of_call(call: RecordedCall, flows: KnowsFlows) -> Sequence[Voicemail]:
    try:
        flow = await flows(call.record.call.flow)
    except FlowError:  # then nothing tells what is private in it
        return ()
    return list(voicemails_of(call, flow))


def voicemails_of(call: RecordedCall, flow: Flow) -> Iterator[Voicemail]:
    """Return the voicemails of a call, in the order in which they were left."""
    transcripts = _transcripts(call.trace)
    later = {
        event.op: event
        for step in call.trace
        if step.ignored is None and isinstance(event := step.event, RecordingReady)
    }
    state, number = "", -1
    for step in call.trace:
        event = step.event
        if isinstance(event, RecordingMade) and step.ignored is None:
            number += 1
            ready = later.get(event.op)
            media = event.media or (ready.media if ready else None)
            if media is not None and not is_secret(flow, state):
                yield Voicemail(
                    call.record.id,
                    number,
                    flow.name,
                    state,
                    call.record.call.facts.party,
                    step.now,
                    event.seconds or (ready.seconds if ready else 0.0),
                    transcripts.get(media),
                    call.done.get(media),
                )
        state = state_after(state, step.path)


def _transcripts(trace: Sequence[Stepped]) -> dict[str, str]:
    """Return what was understood of each recording, by its file."""
    asked = {
        command.job: str(command.arguments.get("media"))
        for step in trace
        for command in step.commands
        if isinstance(command, Request) and command.service == TRANSCRIBE
    }
    return {
        asked[event.job]: event.answer.transcript
        for step in trace
        if step.ignored is None and isinstance(event := step.event, ServiceAnswered) and event.job in asked
        if event.answer.transcript
    }
