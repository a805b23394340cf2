"""Runs one list of commands on a line with a handset at its end: what a call does between two replies of a flow."""

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from ivr.engine.commands import LineCommand, Play, Recognize, Record
from ivr.line import (
    CallerLeft,
    Connected,
    Effect,
    Finished,
    Line,
    PromptEnded,
    PromptFailed,
    Signal,
    TransferFailed,
    TransferStarted,
    apply,
    begin,
)
from ivr.line.state import CHOICE_PAUSE
from ivr.phone.handset import Handset
from ivr.phone.phone_events import PromptOver, events_of_effect
from ivr.phone.wire.transfer_targets import may_transfer

NOT_ALLOWED = TransferFailed(403, "calls may not be transferred to this address")


class Performed(Struct, frozen=True):
    """What became of the list."""

    line: Line
    "As it stood when the reported command ran: that is the first of `todo`."
    finished: Finished
    expired: bool
    "The caller was made to leave because the time was over."


def _is_forbidden(effect: Effect, patterns: Sequence[str] | None) -> bool:
    if patterns is None or not isinstance(effect, TransferStarted):
        return False
    return not may_transfer(effect.command.target, patterns)


async def perform(
    commands: Sequence[LineCommand],
    handset: Handset,
    *,
    state: str = "",
    choice_pause: float = CHOICE_PAUSE,
    ends_at: float = math.inf,
    cut: bool = False,
    connected: Callable[[], None] | None = None,
    transfers: Sequence[str] | None = (),
    typed: str = "",
) -> Performed:
    """Run the commands to their one outcome.

    `state` is the workflow's `appState`; `ends_at` is when the platform ends the call, in the handset's seconds; `cut`
    ends it at the first opportunity; `connected` is called when the call is answered; `transfers` are the patterns of
    the addresses to which a call may be transferred; None: all, since nobody is called; `typed` is
    what the list before has left of the keys that nothing listened to.
    """
    prompts = [command.prompt for command in commands if isinstance(command, Play | Recognize | Record)]
    handset.expect(prompts[1:])
    step = begin(commands, now=handset.now(), choice_pause=choice_pause, typed=typed)
    expired = False
    while True:
        refusal: Signal | None = None
        for effect in step.effects:
            if _is_forbidden(effect, transfers):
                refusal = NOT_ALLOWED
                continue
            for event in events_of_effect(effect, state):
                handset.tell(event)
            handset.perform(effect)
            if isinstance(effect, Connected) and connected is not None:
                connected()
            if isinstance(effect, Finished):
                return Performed(step.line, effect, expired)
        deadline = step.line.deadline
        until = ends_at if deadline is None else min(deadline, ends_at)
        waits_until = until if math.isfinite(until) else None
        signal = CallerLeft() if cut or expired else refusal or await handset.next(waits_until)
        if isinstance(signal, PromptEnded | PromptFailed):
            handset.tell(PromptOver(step.line.todo[0].op, interrupted=False))
        now = handset.now()
        if now >= ends_at and not cut and not expired:
            expired, signal = True, CallerLeft()
        step = apply(step.line, signal, now=now)
