"""What a `Gather` makes of signals (`interpreter` has the table)."""

from collections.abc import Mapping

from msgspec.structs import replace

from ivr.carriers.twiml.run_state import GRACE, LONGEST_SPEECH, Ask, CallOver, Gathering, Over, Run, RunStep
from ivr.carriers.twiml.twiml_document import Gather
from ivr.engine.commands import Choice, DigitInput, Recognize
from ivr.line import (
    CallerLeft,
    Effect,
    Finished,
    KeyDown,
    Outcome,
    PromptEnded,
    PromptFailed,
    PromptStopped,
    Result,
    Signal,
    VoiceSignal,
    WordsUnderstood,
)

CONFIDENCE = "0.92"
"Of words that were understood; they are typed, or an ear is sure of them."
ANY_NUMBER = 128


def listened_for(op: str, verb: Gather) -> Recognize:
    """Return what a caller is told that is listened for: keys, and what is expected to be said."""
    digits = DigitInput(1, verb.most or ANY_NUMBER, verb.finish_on, verb.timeout) if verb.keys else None
    hints = tuple(Choice(hint, None, (hint,)) for hint in verb.hints) if verb.speech else ()
    return Recognize(op, verb.prompt, hints, digits, language=verb.language, barge_in_speech=verb.barge_in)


def hear_gather(run: Run, phase: Gathering, signal: Signal, now: float) -> RunStep:
    """Take a signal. A phase that is `Over` without a request: the next verb follows."""
    verb = phase.verb
    speech_counts = verb.speech and not phase.keys and (verb.barge_in or not phase.prompting)
    match signal:
        case CallerLeft():
            finished = Finished(Outcome(run.op, ok=False, result="left"), "left")
            return RunStep(replace(run, phase=Over()), (finished,), CallOver("left"))
        case PromptEnded() | PromptFailed() if phase.prompting:
            return _going_on(run, replace(phase, prompting=False, deadline=now + verb.timeout))
        case KeyDown(key=key) if verb.keys:
            return _key(run, phase, key, now)
        case VoiceSignal(active=True) if speech_counts:
            return _interrupted(run, phase, replace(phase, prompting=False, deadline=now + LONGEST_SPEECH))
        case VoiceSignal(active=False) if speech_counts and not phase.prompting:
            patience = _speech_timeout(verb) if phase.words else max(GRACE, verb.timeout)
            return _going_on(run, replace(phase, deadline=now + patience))
        case WordsUnderstood(words=words) if speech_counts and words.strip():
            heard = replace(
                phase, prompting=False, words=(*phase.words, words.strip()), deadline=now + _speech_timeout(verb)
            )
            return _interrupted(run, phase, heard)
    if phase.deadline is not None and now >= phase.deadline:
        return _done(run, phase, "")
    return RunStep(run)


def _key(run: Run, phase: Gathering, key: str, now: float) -> RunStep:
    verb = phase.verb
    # The first key ends the prompt, and what was said before it does not count.
    between = verb.timeout if verb.between is None else verb.between
    pressed = replace(phase, prompting=False, words=(), deadline=now + between)
    stopped = _interrupted(run, phase, pressed).effects
    if key in verb.finish_on:
        step = _done(run, pressed, key)
    else:
        pressed = replace(pressed, keys=pressed.keys + key)
        full = len(pressed.keys) == verb.most
        step = _done(run, pressed, "") if full else _going_on(run, pressed)
    return replace(step, effects=(*stopped, *step.effects))


def _done(run: Run, phase: Gathering, finished_on: str) -> RunStep:
    verb = phase.verb
    said = " ".join(phase.words)
    over = replace(run, phase=Over())
    if not phase.keys and not said and not verb.tells_silence:
        return RunStep(over, (Finished(Outcome(run.op, ok=False, result="silence")),))
    fields: Mapping[str, str]
    if said:
        fields = {"SpeechResult": said, "Confidence": CONFIDENCE, "Language": verb.language}
        outcome = Outcome(run.op, ok=True, result="speech", words=said)
    else:
        fields = {"Digits": phase.keys, "FinishedOnKey": finished_on, "msg": "Gather End"}
        result: Result = "terminator" if finished_on else "count" if len(phase.keys) == verb.most else "pause"
        outcome = (
            Outcome(run.op, ok=True, result=result, keys=phase.keys)
            if phase.keys
            else Outcome(run.op, ok=False, result="silence")
        )
    return RunStep(over, (Finished(outcome),), Ask(verb.action, fields))


def _speech_timeout(verb: Gather) -> float:
    return verb.timeout if verb.speech_timeout is None else verb.speech_timeout


def _going_on(run: Run, phase: Gathering) -> RunStep:
    return RunStep(replace(run, phase=phase))


def _interrupted(run: Run, before: Gathering, phase: Gathering) -> RunStep:
    effects: tuple[Effect, ...] = (PromptStopped(run.op),) if before.prompting else ()
    return RunStep(replace(run, phase=phase), effects)
