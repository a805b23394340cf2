"""Carries one document out against keys, voice, words and time, to the request that follows. Plain functions.

`begin` a document, `apply` each signal, look again at the `deadline`. What each verb does is the carrier's word:

| verb | ends | then |
| --- | --- | --- |
| Say, Play, Pause | when it was heard | the next verb |
| Gather | with `numDigits` keys, `finishOnKey`, `timeout` after a key, or words | its action |
| Gather | with nothing, or with `finishOnKey` alone | the next verb; with `actionOnEmptyResult` its action |
| Record | with a key of `finishOnKey`, `maxLength`, silence after words, or the caller's leaving | its action |
| Record | with silence alone | the next verb |
| Dial | when the other side could not be reached, or the talk is over | its action; without one the next verb |
| Redirect, Reject, Hangup | at once | |

Keys that are pressed while nothing collects them are lost. Where a document ends, the carrier hangs up.
"""

from typing import Literal

from msgspec.structs import replace

from ivr.carriers.twiml.gathering import hear_gather, listened_for
from ivr.carriers.twiml.recording import hear_record, recorded_by
from ivr.carriers.twiml.run_state import (
    Ask,
    Beeping,
    CallOver,
    Dialling,
    DialNews,
    Gathering,
    Over,
    Playing,
    RecordingNews,
    RecordingVoice,
    Run,
    RunStep,
)
from ivr.carriers.twiml.twiml_document import (
    Dial,
    Document,
    Gather,
    HangUp,
    Prompt,
    Record,
    Redirect,
    Reject,
    Verb,
)
from ivr.engine.commands import Transfer
from ivr.line import (
    CallerLeft,
    Connected,
    Effect,
    Finished,
    Listening,
    Outcome,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    RecordingStarted,
    Signal,
    TransferFailed,
    Transferred,
    TransferStarted,
    Trouble,
)

TALK = 10
"Seconds that two talk who were connected, before the caller hangs up."


def begin(document: Document, *, now: float, answered: bool, patient_records: bool = False) -> RunStep:
    """Begin with the first verb. `answered`: the call already is."""
    return _start(Run(document.verbs, answered=answered, number=1, patient_records=patient_records), now)


def apply(run: Run, signal: Signal, *, now: float) -> RunStep:
    """Take what happened."""
    phase = run.phase
    if isinstance(phase, Over):
        return RunStep(run)
    if isinstance(signal, Trouble):
        return _over(run, CallOver("failed"))
    match phase:
        case Gathering():
            return _after(run, hear_gather(run, phase, signal, now), now)
        case RecordingVoice():
            return _after(run, hear_record(run, phase, signal, now), now)
        case _ if isinstance(signal, CallerLeft):
            return _over(run, CallOver("left"))
        case Playing(left=left) if isinstance(signal, PromptEnded | PromptFailed):
            return _next(run, now) if left == 0 else _play(run, None if left is None else left - 1)
        case Beeping(verb=verb) if isinstance(signal, PromptEnded | PromptFailed):
            return _record(run, verb, now)
        case Dialling():
            return _hear_dial(run, phase, signal, now)
    return RunStep(run)


# --- verbs -----------------------------------------------------------------------------------------------------------


def _start(run: Run, now: float) -> RunStep:
    """Begin with the first verb that is left."""
    if not run.todo:
        return _over(run, CallOver("hangup"))
    verb = run.todo[0]
    if not run.answered and _answers(verb):
        step = _do(replace(run, answered=True), verb, now)
        return replace(step, effects=(Connected(run.op), *step.effects))
    return _do(run, verb, now)


def _do(run: Run, verb: Verb, now: float) -> RunStep:
    match verb:
        case Prompt(segments=segments, loop=loop) if segments:
            return _play(run, None if loop == 0 else loop - 1)
        case Gather():
            return _gather(run, verb, now)
        case Record(beep=True):
            beep = PromptStarted(run.op, (), interruptible=False, beep=True)
            return RunStep(replace(run, phase=Beeping(verb)), (beep,))
        case Record():
            return _record(run, verb, now)
        case Dial(number=number, timeout=timeout):
            started = TransferStarted(run.op, Transfer(run.op, number, timeout))
            news = (DialNews(verb, "initiated"), DialNews(verb, "ringing"))
            return RunStep(replace(run, phase=Dialling(verb, now + timeout)), (started,), news=news)
        case Redirect(target=target):
            return _over(run, Ask(target))
        case Reject(reason=reason) if not run.answered:
            return _over(run, CallOver("reject", reason))
        case HangUp() | Reject():
            return _over(run, CallOver("hangup"))
    return _next(run, now)


def _answers(verb: Verb) -> bool:
    return not isinstance(verb, Reject | Redirect) and not (isinstance(verb, Prompt) and verb.leading)


def _next(run: Run, now: float) -> RunStep:
    return _start(replace(run, todo=run.todo[1:], number=run.number + 1), now)


def _play(run: Run, left: int | None) -> RunStep:
    verb = run.todo[0]
    segments = verb.segments if isinstance(verb, Prompt) else ()
    started = PromptStarted(run.op, segments, interruptible=False)
    return RunStep(replace(run, phase=Playing(left)), (started,))


def _gather(run: Run, verb: Gather, now: float) -> RunStep:
    effects: list[Effect] = []
    if verb.prompt:
        effects.append(PromptStarted(run.op, verb.prompt, interruptible=True))
    effects.append(Listening(run.op, listened_for(run.op, verb)))
    phase = Gathering(verb, bool(verb.prompt), None if verb.prompt else now + verb.timeout)
    return RunStep(replace(run, phase=phase), tuple(effects))


def _record(run: Run, verb: Record, now: float) -> RunStep:
    effects = (RecordingStarted(run.op), Listening(run.op, recorded_by(run.op, verb)))
    phase = RecordingVoice(verb, now, run.patient_records)
    return RunStep(replace(run, phase=phase), effects, news=(RecordingNews(verb, "in-progress"),))


def _hear_dial(run: Run, phase: Dialling, signal: Signal, now: float) -> RunStep:
    verb, action = phase.verb, phase.verb.action
    if isinstance(signal, Transferred):
        told = (DialNews(verb, "in-progress"), DialNews(verb, "completed"))
        fields = {"DialCallStatus": "completed", "DialCallDuration": str(TALK)}
        following = CallOver("transfer") if action is None else Ask(action, fields, last=True)
        return replace(_over(run, following, Outcome(run.op, ok=True, result="done")), news=told)
    if isinstance(signal, TransferFailed) or now >= phase.deadline:
        status = signal.status if isinstance(signal, TransferFailed) else 408
        failed = Finished(Outcome(run.op, ok=False, result="system", status=status))
        word = dial_status(status)
        news = (DialNews(verb, word),)
        if action is not None:
            return replace(_over(run, Ask(action, {"DialCallStatus": word}), failed.outcome), news=news)
        step = _next(run, now)
        return replace(step, effects=(failed, *step.effects), news=(*news, *step.news))
    return RunStep(run)


def dial_status(status: int) -> Literal["busy", "no-answer", "failed"]:
    """Return the carrier's word for a SIP status: it has one for several."""
    if status in (486, 600, 603):
        return "busy"
    return "no-answer" if status in (408, 480, 487) else "failed"


# --- ends ------------------------------------------------------------------------------------------------------------


def _after(run: Run, step: RunStep, now: float) -> RunStep:
    """Go on to the next verb where one has ended without a request."""
    if step.next is not None or not isinstance(step.run.phase, Over):
        return step
    following = _next(run, now)
    return replace(following, effects=(*step.effects, *following.effects), news=(*step.news, *following.news))


def _over(run: Run, following: Ask | CallOver, outcome: Outcome | None = None) -> RunStep:
    ended = following.how if isinstance(following, CallOver) else "transfer" if following.last else None
    done = outcome or Outcome(run.op, ok=ended not in ("left", "failed"), result="left" if ended == "left" else "done")
    finished = Finished(done, None if ended == "failed" else ended)
    return RunStep(replace(run, phase=Over()), (finished,), following)
