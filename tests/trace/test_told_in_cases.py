"""A case holds who was told of what, and no audio; a replay says what would be told today (LANGUAGE C4, C9)."""

from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Facts
from ivr.engine.commands import Recorded
from ivr.engine.flow import Flow
from ivr.ports import CallKey
from ivr.trace import sentences
from ivr.trace.case import Case, Told
from ivr.trace.files import dumps, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from ivr.trace.report import report
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: voicemail
initial: leave
on: {exhausted: bye, error: bye}
states:
  leave: {record: {prompt: Speak., into: message}, next: hear}
  hear: {say: {recording: message}, next: send}
  send:
    notify: {email: desk@example.com, subject: A call, text: "From {{ call.from or 'nobody' }}.", attach: message}
    next: bye
  bye: {say: Bye., final: true}
"""
MEDIA = "0123456789abcdef0123456789abcdef.wma"


def recorded(flow: Flow) -> Case:
    caller = Caller(flow).speaks(media=MEDIA).listens()
    trace = [
        Stepped(event, now, step.commands, step.path, step.ignored, step.judged, step.failures)
        for event, now, step in caller.steps
    ]
    record = CallRecord("0" * 32, CallKey("test", "a", "b"), replace(caller.call, facts=Facts("0" * 32, "test")))
    return case_of(record, trace, flow, {})


def test_a_case_says_who_was_told_and_names_no_audio() -> None:
    case = recorded(flow_of(FLOW))
    line = case.lines[1]
    assert line.told == (Told("mail", "desk@example.com", "A call", "From 29:anna.", 1),)
    assert line.heard[0] == Recorded()
    assert MEDIA.encode() not in dumps(case)
    assert loads(dumps(case), "a.jsonl") == case


def test_the_same_flow_tells_the_same() -> None:
    flow = flow_of(FLOW)
    assert replay(recorded(flow), flow).verdict == "same"


def test_other_words_are_a_change_of_wording_and_another_recipient_is_one_of_the_way() -> None:
    case = recorded(flow_of(FLOW))
    worded = replay(case, flow_of(FLOW.replace("A call", "Call back")))
    assert (worded.verdict, worded.way) == ("changed", None)
    assert worded.wording is not None
    assert worded.wording.what == "told"
    moved = replay(case, flow_of(FLOW.replace("desk@", "sales@")))
    assert moved.way is not None
    assert moved.way.what == "told"
    assert report("a", case, moved, None).detail == (
        'before: mail to desk@example.com, with 1 recording: "A call | From 29:anna."',
        'now:    mail to sales@example.com, with 1 recording: "A call | From 29:anna."',
    )


def test_nobody_is_told_any_more() -> None:
    case = recorded(flow_of(FLOW))
    without = FLOW.partition("  send:")[0].replace("next: send", "next: bye") + "  bye: {say: Bye., final: true}\n"
    quiet = replay(case, flow_of(without)).way
    assert quiet is not None
    assert report("a", case, replay(case, flow_of(without)), None).detail[1] == "now:    nobody is told"


def test_a_recording_is_not_heard_any_more() -> None:
    case = recorded(flow_of(FLOW))
    changed = replay(case, flow_of(FLOW.replace("{recording: message}", "Thank you.")))
    assert changed.wording is not None
    assert sentences.spoken(changed.wording.before.experience.spoken) == "(the recording) Bye."
