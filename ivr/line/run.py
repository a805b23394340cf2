"""One list of commands, from the first to the one outcome (protocol 2, 5, 7).

The rules that are not the protocol's own words:

- A signal that comes at the deadline or after it is too late: the deadline is applied first.
- A key counts when it is let go; one that is held for longer than the pause between keys counts as the last digit, and
  in a menu as a pause. A stop tone ends a recording when it begins, since it does not belong to it.
- Keys that are not listened for are lost: in a prompt that cannot be interrupted, in a menu without keys.
- Other words than those that are offered change nothing (protocol 7): if at all, they end in silence.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from ivr.engine.commands import Answer, HangUp, LineCommand, Recognize, Record, Reject, Transfer, silence_allowed
from ivr.line import listening
from ivr.line.signals import (
    CallerLeft,
    Connected,
    Finished,
    KeyDown,
    KeyUp,
    Listening,
    Outcome,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    PromptStopped,
    RecordingEnded,
    RecordingStarted,
    Signal,
    Tick,
    TransferFailed,
    Transferred,
    TransferStarted,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
)
from ivr.line.state import (
    CHOICE_PAUSE,
    LONGEST_TRANSFER,
    MOST_TYPED,
    Choosing,
    Collecting,
    Line,
    LineStep,
    Over,
    Phase,
    Playing,
    RecordingVoice,
    Transferring,
)


def begin(
    commands: Sequence[LineCommand], *, now: float, choice_pause: float = CHOICE_PAUSE, typed: str = ""
) -> LineStep:
    """Start a list of commands, which is not empty; `now` is in seconds from any beginning that stays the same.

    `choice_pause` is for how many seconds a key of a menu may be held, `typed` what the list before this one has left
    of the keys that nothing listened to (`Line.typed`).
    """
    return _next(Line(tuple(commands), Over(), choice_pause=choice_pause, typed=typed), now)


def apply(line: Line, signal: Signal, *, now: float) -> LineStep:
    """Apply one signal; time never goes back. Same arguments, same answer."""
    deadline = line.deadline
    if deadline is None or now < deadline:
        return _applied(line, signal, now)
    expired = _expired(line, deadline, now)
    applied = _applied(expired.line, signal, now)
    return LineStep(applied.line, expired.effects + applied.effects)


def _applied(line: Line, signal: Signal, now: float) -> LineStep:
    if line.over or isinstance(signal, Tick):
        return LineStep(line)
    match signal:
        case CallerLeft():
            return _left(line, now)
        case Trouble(kind=kind):
            return _failed(line, Outcome(line.todo[0].op, ok=False, result=kind))
        case VoiceSignal(active=active):
            return _voice(line, now, active=active)
    match line.phase:
        case Playing():
            return _while_playing(line, line.phase, signal, now)
        case Choosing():
            return _concluded(
                line, listening.choosing(_recognize(line), line.phase, signal, now, line.choice_pause), now
            )
        case Collecting():
            return _concluded(line, listening.collecting(_recognize(line), line.phase, signal, now), now)
        case RecordingVoice():
            return _while_recording(line, line.phase, signal, now)
        case Transferring():
            return _while_transferring(line, signal)
    return LineStep(line)


# --- prompts ---------------------------------------------------------------------------------------------------------


def _next(line: Line, now: float) -> LineStep:
    """Begin with the first command of the list."""
    command = line.todo[0]
    match command:
        case Answer(op=op):
            return _succeeded(line, Outcome(op, ok=True, result="done"), now, Connected(op))
        case HangUp(op=op):
            return _finished(line, Finished(Outcome(op, ok=True, result="done"), "hangup"))
        case Reject(op=op):
            return _finished(line, Finished(Outcome(op, ok=True, result="done"), "reject"))
        case Transfer(op=op, timeout=timeout):
            patience = LONGEST_TRANSFER if timeout is None else timeout
            return LineStep(replace(line, phase=Transferring(now + patience)), (TransferStarted(op, command),))
    beep = isinstance(command, Record) and command.beep
    if not command.prompt and not beep:
        return _prompted(line, now)
    if isinstance(command, Recognize | Record) and not _keeps_keys(command):
        line = replace(line, typed="")  # they were not meant for this question
    if isinstance(command, Recognize) and line.typed:
        return _prompted(line, now)  # who knows the question has answered it
    interruptible = isinstance(command, Recognize) and listening.is_interruptible(command)
    started = PromptStarted(command.op, command.prompt, interruptible, beep)
    listens = (Listening(command.op, command),) if isinstance(command, Recognize) and interruptible else ()
    return LineStep(replace(line, phase=Playing(interruptible)), (started, *listens))


def _prompted(line: Line, now: float, *, heard: bool = False) -> LineStep:
    """Go on after the prompt, be it played or interrupted; `heard`: the caller could answer already."""
    command = line.todo[0]
    match command:
        case Recognize():
            due = now + silence_allowed(command)
            spoken = command.free is not None
            phase: Phase = Collecting(due, is_spoken=spoken) if command.digits else Choosing(due)
            asked = LineStep(replace(line, phase=phase), () if heard else (Listening(command.op, command),))
            return _typed_ahead(asked, now)
        case Record():
            phase = RecordingVoice(now, now + silence_allowed(command), now + command.max_duration)
            return LineStep(replace(line, phase=phase), (Listening(command.op, command), RecordingStarted(command.op)))
    return _succeeded(line, Outcome(command.op, ok=True, result="done"), now)


def _keeps_keys(command: LineCommand) -> bool:
    return isinstance(command, Recognize) and command.type_ahead


def _typed_ahead(asked: LineStep, now: float) -> LineStep:
    """Answer a question with the keys that were pressed before it, one after the other."""
    line, effects = asked.line, asked.effects
    if not _keeps_keys(line.todo[0]):
        return LineStep(replace(line, typed=""), effects)
    while line.typed and isinstance(line.phase, Choosing | Collecting):
        key, rest = line.typed[0], line.typed[1:]
        for signal in (KeyDown(key), KeyUp()):
            taken = _applied(replace(line, typed=rest), signal, now)
            line, effects = taken.line, (*effects, *taken.effects)
            if not isinstance(line.phase, Choosing | Collecting):
                break
    return LineStep(line, effects)


def _kept(line: Line, signal: Signal) -> LineStep:
    """Keep a key that nothing listens to."""
    if isinstance(signal, KeyDown) and len(line.typed) < MOST_TYPED:
        return LineStep(replace(line, typed=line.typed + signal.key))
    return LineStep(line)


def _while_playing(line: Line, playing: Playing, signal: Signal, now: float) -> LineStep:
    match signal:
        case PromptEnded():
            return _prompted(line, now, heard=playing.interruptible)
        case PromptFailed(why=why):
            return _failed(line, Outcome(line.todo[0].op, ok=False, result="system", why=why))
        case KeyDown() | WordsUnderstood() if playing.interruptible and listening.wanted(_recognize(line), signal):
            return _interrupted(line, signal, now)
    return _kept(line, signal)


def _interrupted(line: Line, signal: Signal, now: float) -> LineStep:
    stopped = PromptStopped(line.todo[0].op)
    after = _applied(_prompted(line, now, heard=True).line, signal, now)
    return LineStep(after.line, (stopped, *after.effects))


# --- the caller ------------------------------------------------------------------------------------------------------


def _voice(line: Line, now: float, *, active: bool) -> LineStep:
    if active == line.speaking:
        return LineStep(line)
    line = replace(line, speaking=active)
    command = line.todo[0]
    match line.phase:
        case Playing(interruptible=True) if active and isinstance(command, Recognize) and _is_interrupted(command):
            return LineStep(_prompted(line, now, heard=True).line, (PromptStopped(command.op),))
        case Choosing() | Collecting() if not active and isinstance(command, Recognize) and listening.by_voice(command):
            return LineStep(replace(line, phase=replace(line.phase, quiet_since=now)))
        case RecordingVoice() if not active and isinstance(command, Record):
            return LineStep(replace(line, phase=replace(line.phase, quiet_at=now + command.max_silence)))
    return LineStep(line)


def _is_interrupted(command: Recognize) -> bool:
    """Return whether a voice stops the prompt, before it is known what it says."""
    return listening.by_voice(command) and listening.interrupts_by_voice(command)


def _left(line: Line, now: float) -> LineStep:
    op = line.todo[0].op
    if isinstance(line.phase, RecordingVoice) and now > line.phase.started:
        # What was said so far is a recording (protocol 7).
        seconds = now - line.phase.started
        outcome = Outcome(op, ok=True, result="left", seconds=seconds)
        return _finished(line, Finished(outcome, "left"), RecordingEnded(op, seconds))
    stopped: tuple[PromptStopped | RecordingEnded, ...] = ()
    match line.phase:
        case Playing():
            stopped = (PromptStopped(op),)
        case RecordingVoice():  # it has only begun, but what has begun has an end
            stopped = (RecordingEnded(op, 0.0),)
    return _finished(line, Finished(Outcome(op, ok=False, result="left"), "left"), *stopped)


def _while_recording(line: Line, recording: RecordingVoice, signal: Signal, now: float) -> LineStep:
    command = line.todo[0]
    if isinstance(command, Record) and isinstance(signal, KeyDown) and signal.key in command.terminators:
        seconds = now - recording.started
        return _recorded(line, Outcome(command.op, ok=seconds > 0, result="terminator", seconds=seconds), now)
    return LineStep(line)


def _while_transferring(line: Line, signal: Signal) -> LineStep:
    op = line.todo[0].op
    match signal:
        case Transferred():
            return _finished(line, Finished(Outcome(op, ok=True, result="done"), "transfer"))
        case TransferFailed(status=status, why=why):
            return _failed(line, Outcome(op, ok=False, result="system", why=why, status=status))
    return LineStep(line)


def _expired(line: Line, deadline: float, now: float) -> LineStep:
    match line.phase:
        case Choosing():
            return _concluded(line, listening.choice_expired(_recognize(line), line.phase, now), now)
        case Collecting():
            return _concluded(line, listening.digits_expired(_recognize(line), line.phase), now)
        case RecordingVoice():
            return _recorded(line, _recording_expired(line, line.phase, deadline), now)
        case Transferring():
            return _failed(line, Outcome(line.todo[0].op, ok=False, result="system", why="nobody answered"))
    return LineStep(line)


def _recording_expired(line: Line, recording: RecordingVoice, deadline: float) -> Outcome:
    op, seconds = line.todo[0].op, deadline - recording.started
    if deadline == recording.ends_at:
        return Outcome(op, ok=True, result="limit", seconds=seconds)
    if recording.quiet_at is None:
        return Outcome(op, ok=False, result="silence")
    return Outcome(op, ok=seconds > 0, result="spoken", seconds=seconds)


# --- the end of a command --------------------------------------------------------------------------------------------


def _concluded(line: Line, result: Phase | Outcome, now: float) -> LineStep:
    if not isinstance(result, Outcome):
        return LineStep(replace(line, phase=result))
    return _succeeded(line, result, now) if result.ok else _failed(line, result)


def _recorded(line: Line, outcome: Outcome, now: float) -> LineStep:
    ended = RecordingEnded(outcome.op, outcome.seconds)
    if outcome.ok:
        return _succeeded(line, outcome, now, ended)
    return _finished(line, Finished(outcome), ended)


def _succeeded(line: Line, outcome: Outcome, now: float, *effects: Connected | RecordingEnded) -> LineStep:
    """Go on with the next command; only the last one is reported (protocol 2)."""
    if len(line.todo) == 1:
        return _finished(line, Finished(outcome), *effects)
    following = _next(replace(line, todo=line.todo[1:]), now)
    return LineStep(following.line, (*effects, *following.effects))


def _failed(line: Line, outcome: Outcome) -> LineStep:
    """Skip the rest: the first failure is what is reported."""
    match line.phase:
        case Playing() if outcome.result in ("system", "unknown"):
            return _finished(line, Finished(outcome), PromptStopped(outcome.op))
        case RecordingVoice():
            return _finished(line, Finished(outcome), RecordingEnded(outcome.op, 0.0))
    return _finished(line, Finished(outcome))


def _finished(line: Line, finished: Finished, *effects: Connected | PromptStopped | RecordingEnded) -> LineStep:
    return LineStep(replace(line, phase=Over()), (*effects, finished))


def _recognize(line: Line) -> Recognize:
    command = line.todo[0]
    if not isinstance(command, Recognize):  # a phase of listening belongs to a Recognize alone
        raise TypeError(f"{type(command).__name__} does not listen")
    return command
