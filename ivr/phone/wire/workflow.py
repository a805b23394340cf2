"""A bot's reply: read, held against the rules, and put into a line's words or refused (protocol 2, 5, 8)."""

from functools import lru_cache

from msgspec import Struct

from ivr.channels.skype import wire
from ivr.engine import commands as line
from ivr.line.state import CHOICE_PAUSE
from ivr.phone.wire import decoding, rulebook

MAX_DURATION = 180.0
MAX_SILENCE = 5.0  # the vendor's documentation and Node SDK; its C# classes say 1, but always write what they mean
INTER_DIGIT = 1.0
REMEMBERED = 16 * 1024
"Bytes of a reply that is worth remembering."
NO_OPERATION = "none"
"The id of a validation outcome where the workflow names none; it must not be blank (protocol 20)."


class RunnableWorkflow(Struct, frozen=True):
    """A workflow that can be run."""

    commands: tuple[line.LineCommand, ...]
    choice_pause: float
    "Seconds for which a key of a menu may be held."
    callback: str | None
    "None: nothing is reported (protocol 2)."
    notification: str | None
    app_state: str | None


class RefusedWorkflow(Struct, frozen=True):
    """A workflow of which nothing is run."""

    op: str
    "The first id of an action."
    problems: tuple[str, ...]
    callback: str | None
    "None: it names no address that could be told."
    app_state: str | None


def read_workflow(
    body: bytes, *, transfer: bool = False, questions: bool = False
) -> RunnableWorkflow | RefusedWorkflow:
    """Read a reply that is not empty; never raises.

    `transfer`, `questions`: they were offered to the bot (protocol 23, 25). Small replies are remembered: under load
    the same come again.
    """
    return (_remembered if len(body) <= REMEMBERED else _read)(body, transfer, questions)


@lru_cache(maxsize=512)
def _remembered(
    body: bytes,
    transfer: bool,
    questions: bool,  # a cache's key
) -> RunnableWorkflow | RefusedWorkflow:
    return _read(body, transfer, questions)


def _read(body: bytes, transfer: bool, questions: bool) -> RunnableWorkflow | RefusedWorkflow:
    try:
        tree = decoding.parse(body)
    except decoding.Unreadable as error:
        return RefusedWorkflow(NO_OPERATION, (str(error),), None, None)
    try:
        workflow = decoding.read(tree, transfer=transfer, questions=questions)
    except decoding.Unreadable as error:
        return _refusal(tree, (str(error),))
    problems = tuple(rulebook.problems(workflow))
    return _refusal(tree, problems) if problems else _runnable(workflow)


def _refusal(tree: object, problems: tuple[str, ...]) -> RefusedWorkflow:
    """Refuse what is JSON: it may still say who wants to hear of it, and with which state."""
    left = decoding.remains(tree)
    # What is not allowed in a workflow is not used for its refusal either.
    callback = left.callback if left.callback and rulebook.may_be_called(left.callback) else None
    app_state = left.app_state if left.app_state and rulebook.may_be_echoed(left.app_state) else None
    return RefusedWorkflow(left.op or NO_OPERATION, problems, callback, app_state)


def _runnable(workflow: wire.Workflow) -> RunnableWorkflow:
    links = workflow.links
    return RunnableWorkflow(
        commands=tuple(_command(action) for action in workflow.actions),
        choice_pause=_choice_pause(workflow),
        callback=links.callback if links else None,
        notification=links.notification if links else None,
        app_state=workflow.app_state,
    )


def misplaced(workflow: RunnableWorkflow, *, answered: bool) -> tuple[str, ...]:
    """Return what does not fit the state of the call, which the validator does not know (protocol 8)."""
    if answered:
        wrong = [command for command in workflow.commands if isinstance(command, line.Answer | line.Reject)]
        return ("actions: the call is already answered",) if wrong else ()
    first = workflow.commands[0]
    # A call that is not answered can be sent elsewhere, too.
    begins = isinstance(first, line.Answer | line.Reject | line.Transfer)
    return () if begins else ("actions: the call is not answered yet",)


def _choice_pause(workflow: wire.Workflow) -> float:
    for action in workflow.actions:
        if isinstance(action, wire.Recognize):
            return _seconds(action.interdigit_timeout_in_seconds, CHOICE_PAUSE)
    return CHOICE_PAUSE


def _command(action: wire.Action) -> line.LineCommand:
    match action:
        case wire.Answer():
            return line.Answer(action.operation_id)
        case wire.Reject():
            return line.Reject(action.operation_id)
        case wire.Hangup():
            return line.HangUp(action.operation_id)
        case wire.PlayPrompt():
            return line.Play(action.operation_id, _prompt(action))
        case wire.Recognize():
            return _recognize(action)
        case wire.Transfer():
            seconds = action.timeout_in_seconds
            timeout = None if seconds is None else float(seconds)
            return line.Transfer(action.operation_id, action.target, timeout, action.whisper or None)
    return _record(action)


def _recognize(action: wire.Recognize) -> line.Recognize:
    return line.Recognize(
        op=action.operation_id,
        prompt=_prompt(action.play_prompt),
        choices=tuple(
            line.Choice(choice.name, choice.dtmf_variation, choice.speech_variation or ())
            for choice in action.choices or ()
        ),
        digits=_digits(action),
        barge_in=action.barge_in_allowed is not False,
        language=_language(action.culture),
        initial_silence=_seconds(action.initial_silence_timeout_in_seconds, line.INITIAL_SILENCE),
        barge_in_speech=action.barge_in_by_speech_allowed,
        type_ahead=action.type_ahead_allowed is True,
        free=action.free_speech,
        inter_digit=_seconds(action.interdigit_timeout_in_seconds, INTER_DIGIT) if _has_long_keys(action) else None,
        terminators="".join(action.stop_tones or ()),
    )


def _has_long_keys(action: wire.Recognize) -> bool:
    return any(len(choice.dtmf_variation or "") > 1 for choice in action.choices or ())


def _digits(action: wire.Recognize) -> line.DigitInput | None:
    wanted = action.collect_digits
    if wanted is None:
        return None
    return line.DigitInput(
        minimum=0,
        maximum=wanted.max_number_of_dtmfs or rulebook.MAX_DIGITS,
        terminators="".join(wanted.stop_tones or ()),
        inter_digit=_seconds(action.interdigit_timeout_in_seconds, INTER_DIGIT),
    )


def _record(action: wire.Record) -> line.Record:
    form = action.recording_format
    return line.Record(
        op=action.operation_id,
        prompt=_prompt(action.play_prompt),
        max_duration=_seconds(action.max_duration_in_seconds, MAX_DURATION),
        max_silence=_seconds(action.max_silence_timeout_in_seconds, MAX_SILENCE),
        terminators="".join(action.stop_tones or ()),
        beep=action.play_beep is not False,
        initial_silence=_seconds(action.initial_silence_timeout_in_seconds, line.INITIAL_SILENCE),
        format=None if form == "unknown" else form,
    )


def _prompt(action: wire.PlayPrompt | None) -> tuple[line.Segment, ...]:
    return tuple(segment for prompt in (action.prompts if action else ()) for segment in _segments(prompt))


def _segments(prompt: wire.Prompt) -> tuple[line.Segment, ...]:
    silence = prompt.silence_length_in_milliseconds
    before: tuple[line.Segment, ...] = (line.Silence(silence),) if silence else ()
    if prompt.file_uri:
        return (*before, line.Audio(url=prompt.file_uri))
    if prompt.value and prompt.value.strip():
        say_as = prompt.say_as if prompt.say_as != "unknown" else None
        # An unknown gender is the vendor's zero value (protocol 7).
        voice: line.Gender = "female" if prompt.voice == "female" else "male"
        text = line.Text(prompt.value, voice, _language(prompt.culture), say_as, prompt.emphasize or False)
        return (*before, text)
    return before


def _language(culture: wire.Culture | None) -> str:
    return wire.LANGUAGE if culture is None or culture == "unknown" else culture


def _seconds(value: wire.Number | None, default: float) -> float:
    return default if value is None else float(value)
