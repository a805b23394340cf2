"""What a `Record` makes of signals (`interpreter` has the table)."""

from msgspec.structs import replace

from ivr.carriers.twiml import twiml_document
from ivr.carriers.twiml.run_state import Ask, Over, RecordingMade, RecordingNews, RecordingVoice, Run, RunStep
from ivr.engine.commands import Record
from ivr.line import CallerLeft, Finished, KeyDown, Outcome, RecordingEnded, Result, Signal, VoiceSignal


def recorded_by(op: str, verb: twiml_document.Record) -> Record:
    """Return what a handset is told to record."""
    return Record(op, (), verb.most, verb.timeout, verb.finish_on, verb.beep, verb.timeout, "wav")


def hear_record(run: Run, phase: RecordingVoice, signal: Signal, now: float) -> RunStep:
    """Take a signal. A phase that is `Over` without a request: the next verb follows."""
    match signal:
        case VoiceSignal(active=True):
            first = now if phase.first is None else phase.first
            return RunStep(replace(run, phase=replace(phase, first=first, quiet=None)))
        case VoiceSignal(active=False) if phase.first is not None:
            return RunStep(replace(run, phase=replace(phase, quiet=now)))
        case KeyDown(key=key) if key in phase.verb.finish_on:
            return _done(run, phase, now, "terminator", key)
        case CallerLeft():
            return _done(run, phase, now, "left", "hangup")
    ends = phase.ends
    if ends is None or now < ends:
        return RunStep(run)
    return _done(run, phase, now, "limit" if now >= phase.started + phase.verb.most else "spoken", "")


def _done(run: Run, phase: RecordingVoice, now: float, result: Result, digits: str) -> RunStep:
    seconds = now - phase.started
    over = replace(run, phase=Over())
    ended = RecordingEnded(run.op, seconds)
    silent = phase.first is None and result in ("spoken", "limit") and not phase.verb.keeps_silence
    if silent:  # nothing was recorded, and the carrier goes on as if nothing had been asked
        finished = Finished(Outcome(run.op, ok=False, result="silence"))
        return RunStep(over, (ended, finished), news=(RecordingNews(phase.verb, "absent"),))
    left = result == "left"
    finished = Finished(Outcome(run.op, ok=not left, result=result, seconds=seconds), "left" if left else None)
    made = RecordingMade(phase.verb, seconds, phase.told(now))
    fields = {"Digits": digits} if digits else {}
    return RunStep(over, (ended, finished), Ask(phase.verb.action, fields, made, last=left))
