"""How a recorded caller action finds its place in today's flow, and what cannot be known."""

import pytest

from ivr.call_record import CallRecord, Stepped
from ivr.engine.events import CallEnded
from ivr.ports import CallKey
from ivr.trace.case import Answered, Case, Failed, HungUp, LineFailed, Recorded
from ivr.trace.files import dumps, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import CannotRewrite, replay, rewrite
from ivr.trace.sentences import caller_action
from ivr.trace.verdict import Verdict
from tests.caller import Caller
from tests.flows import flow_of

NOTE = """
flow: note
initial: choose
on: {exhausted: bye, error: trouble}
states:
  choose:
    menu: {prompt: Press 1., choices: {note: {dtmf: "1", speech: [note]}, other: {dtmf: "2", speech: [other]}}}
    on: {note: note, other: bye}
  note:
    record: {prompt: Speak., transcribe: true, transcribeTimeout: 15s, holdPrompt: Wait., phrases: [one], into: words}
    next: told
    on: {error.transcribe: bye}
  told: {say: "We heard {{ words.transcript or 'you' }}.", final: true}
  bye: {say: Goodbye., final: true, outcome: unresolved}
  trouble: {say: Trouble., final: true, outcome: failed}
"""
TOLD = "  told: {say: \"We heard {{ words.transcript or 'you' }}.\", final: true}\n"


def recorded(caller: Caller) -> Case:
    """Make a case of what a scripted caller did."""
    call = caller.call
    trace = [
        Stepped(step.traced or event, now, step.commands, step.path, step.ignored, step.judged)
        for event, now, step in caller.steps
    ]
    return case_of(CallRecord("0" * 32, CallKey("test", "a", "c"), call), trace, caller.flow, {})


def edited(*changes: tuple[str, str]) -> Verdict:
    """Replay the call of somebody who left a note, through an edited flow."""
    return replay(a_note(), flow_of(changed(*changes)))


def changed(*changes: tuple[str, str]) -> str:
    text = NOTE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def calling() -> Caller:
    return Caller(flow_of(NOTE))


def a_note() -> Case:
    return recorded(calling().presses("1").speaks().understood("hello").hears("We heard hello.").listens())


def test_holds_and_late_answers_leave_nothing_behind() -> None:
    held = recorded(calling().presses("1").speaks().holds().listens().holds().understood("hello").listens())
    events = [(line.event, line.heard, line.asked, line.end, line.path) for line in held.lines]
    assert events == [(line.event, line.heard, line.asked, line.end, line.path) for line in a_note().lines]
    assert [line.paced for line in held.lines] == [0, 0, 3, 0]


@pytest.mark.parametrize("waited", [False, True], ids=["one hold too many", "its deadline"])
def test_a_service_that_took_too_long_is_one_that_failed(waited: bool) -> None:
    caller = calling().presses("1").speaks()
    if waited:
        caller.waits(16)
    else:
        for _ in range(9):
            caller.holds()
    late = recorded(caller.hears("Goodbye.").listens())
    assert late.lines[3].event == Failed("transcribe", "timeout")
    assert replay(late, flow_of(NOTE)).verdict == "same"
    assert replay(late, flow_of(changed(("15s", "5s")))).verdict == "same"
    assert "might have answered" in str(replay(late, flow_of(changed(("15s", "25s")))).why)


def test_an_answer_counts_if_the_service_is_asked_the_same_in_time() -> None:
    assert edited(("15s", "25s")).verdict == "same"
    assert edited(("Wait.", "Wait a moment.")).verdict == "same"
    slow = calling().presses("1").speaks()
    slow.now += 10
    late = recorded(slow.understood("hello").listens())
    assert replay(late, flow_of(NOTE)).verdict == "same"
    assert "has less time now" in str(replay(late, flow_of(changed(("15s", "5s")))).why)
    assert edited(("phrases: [one]", "phrases: [two]")).why == 'the service "transcribe" gets another request now'


def test_a_service_that_was_never_asked_cannot_be_known() -> None:
    plain = changed(("transcribe: true, transcribeTimeout: 15s, holdPrompt: Wait., phrases: [one], ", ""), (
        "    on: {error.transcribe: bye}\n", ""
    ))  # fmt: skip
    silent = recorded(Caller(flow_of(plain)).presses("1").speaks().listens())
    verdict = replay(silent, flow_of(NOTE))
    assert (verdict.verdict, verdict.where) == ("undetermined", "note")
    assert verdict.why == 'this call has no recorded answer of the service "transcribe" to this request'


def test_who_left_before_the_answer_came_leaves_before_it_in_the_replay() -> None:
    left = recorded(calling().presses("1").speaks().holds().apply(CallEnded("caller")).understood("hello"))
    assert [type(line.event) for line in left.lines[-2:]] == [HungUp, Answered]
    assert left.header.outcome == "abandoned"
    assert replay(left, flow_of(NOTE)).verdict == "same"


def test_who_hung_up_during_a_prompt_does_so_again() -> None:
    caller = calling().presses("2").hears("Goodbye.")
    left = recorded(caller.hangs_up(during=caller.call.asked[0].op))
    assert left.lines[-1].event == HungUp("caller", "play")
    assert replay(left, flow_of(NOTE)).verdict == "same"
    gone = replay(left, flow_of(changed(("bye: {say: Goodbye., final: true", "bye: {hangup: {}"))))
    assert gone.verdict == "changed"


def test_a_line_that_failed_fails_again_at_the_same_thing() -> None:
    caller = calling()
    failed = recorded(caller.fails(caller.call.asked[1].op).hears("Trouble.").listens())
    assert failed.lines[1].event == LineFailed("system", "recognize")
    assert replay(failed, flow_of(NOTE)).verdict == "same"


def test_a_hold_that_failed_is_no_concern_where_nobody_is_kept_waiting() -> None:
    caller = calling().presses("1").speaks().holds()
    failed = recorded(caller.fails(caller.op).understood("hello").listens())
    assert failed.lines[3].event == LineFailed("system", "hold")
    assert replay(failed, flow_of(NOTE)).verdict == "same"


def test_a_key_finds_its_choice_whatever_it_is_called() -> None:
    chosen = recorded(calling().chooses("other").hears("Goodbye.").listens())
    renamed = changed(("other: {", "leave: {"), ("other: bye", "leave: bye"))
    assert replay(chosen, flow_of(renamed)).verdict == "same"
    swapped = changed(("{note: note, other: bye}", "{note: bye, other: note}"))
    assert replay(chosen, flow_of(swapped)).verdict == "changed"


def test_a_state_is_not_taken_for_another_that_was_there_before() -> None:
    chosen = recorded(calling().chooses("other").hears("Goodbye.").listens())
    twin = changed(("other: bye}", "other: twin}"), ("  told:", "  twin: {say: Goodbye., final: true}\n  told:"))
    verdict = replay(chosen, flow_of(twin))
    assert verdict.way is not None
    assert (verdict.way.what, verdict.way.now.state) == ("state", "twin")


def test_a_wording_that_is_allowed_passes_and_a_way_does_not() -> None:
    reworded, turned = edited(("We heard", "You said")), edited(("next: told", "next: bye"), (TOLD, ""))
    assert (reworded.allowed(frozenset({"wording"})), reworded.allowed(frozenset({"way"}))) == (True, False)
    assert (turned.allowed(frozenset({"wording"})), turned.allowed(frozenset({"way"}))) == (False, True)
    assert not edited(("phrases: [one]", "phrases: [two]")).allowed(frozenset({"wording", "way"}))


def test_what_follows_a_new_wording_is_compared_as_well() -> None:
    verdict = edited(("Press 1.", "Please press 1."), ("next: told", "next: bye"), (TOLD, ""))
    assert verdict.wording is not None
    assert verdict.way is not None
    assert (verdict.wording.at, verdict.way.at) == (0.0, 2.0)


def test_a_case_is_made_anew_with_what_is_heard_today() -> None:
    anew = rewrite(a_note(), flow_of(changed(("We heard", "You said"))), {})
    assert anew.lines[3].heard == ("You said hello.",)
    assert [line.event for line in anew.lines] == [line.event for line in a_note().lines]
    assert anew.header.hash == flow_of(changed(("We heard", "You said"))).hash


def test_what_the_caller_would_have_done_is_not_made_up() -> None:
    sure = "  sure: {menu: {prompt: 'Press 1.', choices: {yes: {dtmf: '1'}}}, on: {yes: note}}\n"
    asked = changed(("{note: note,", "{note: sure,"), ("  told:", f"{sure}  told:"))
    with pytest.raises(CannotRewrite, match="the flow ignores this"):
        rewrite(a_note(), flow_of(asked), {})


def test_where_the_flow_had_hung_up_the_end_that_the_line_tells_is_the_flow_s_own() -> None:
    ended = recorded(calling().presses("2").hears("Goodbye.").apply(CallEnded("caller")))
    assert ended.lines[-1].event == HungUp("flow")
    assert caller_action(ended.lines[-1].event) == "the call was ended by the flow"
    assert replay(ended, flow_of(NOTE)).verdict == "same"
    left = calling().presses("2")
    assert recorded(left.apply(CallEnded("caller", left.commands[0].op))).lines[-1].event == HungUp("caller", "play")


def test_a_recording_that_the_end_of_the_call_overtook_is_one_call_with_it() -> None:
    caller = calling().presses("1").apply(CallEnded("caller", grace=60.0))
    late = recorded(caller.speaks(hangs_up=True).understood("hello"))
    assert [type(line.event) for line in late.lines[-3:]] == [HungUp, Recorded, Answered]
    assert replay(late, flow_of(NOTE)).verdict == "same"
    assert dumps(rewrite(late, flow_of(NOTE), {})) == dumps(late)


def test_one_for_which_no_recording_came_ends_when_it_was_waited_for_long_enough() -> None:
    ended = recorded(calling().presses("1").apply(CallEnded("caller", grace=60.0)).waits(60))
    (*_, last) = ended.lines
    assert (last.event, [taken.event for taken in last.path], len(last.then)) == (HungUp("caller"), ["hangup"], 1)
    assert replay(ended, flow_of(NOTE)).verdict == "same"
    assert dumps(rewrite(ended, flow_of(NOTE), {})) == dumps(ended)


OFFICE = """
flow: office
initial: look
on: {exhausted: bye, error: bye}
calendars: {office: {weekly: {mon-sun: "00:00-24:00"}, closed: {2026-12-24: Christmas Eve}}}
states:
  look: {decide: [{guard: calendar.office.open, target: open}, closed]}
  open: {say: We are here., next: bye}
  closed: {say: "Closed. {{ calendar.office.notice }}", next: bye}
  bye: {say: Goodbye., final: true}
"""


def test_a_replay_sees_again_what_the_operator_had_closed() -> None:
    flow = flow_of(OFFICE)
    case = loads(dumps(recorded(Caller(flow, closed={"office": "A pipe has burst."}).listens())), "case")
    assert case.lines[0].heard == ("Closed. A pipe has burst.", "Goodbye.")
    assert replay(case, flow).verdict == "same"
    edited = flow_of(OFFICE.replace("Closed.", "We are closed."))
    assert replay(case, edited).verdict == "changed"


def test_a_replay_sees_the_hours_of_the_time_at_which_the_call_came_in() -> None:
    flow = flow_of(OFFICE)
    case = loads(dumps(recorded(Caller(flow, now=1_798_106_400.0).listens())), "case")  # 24 December 2026, 10:00 UTC
    assert case.lines[0].heard == ("Closed. Christmas Eve", "Goodbye.")
    assert replay(case, flow).verdict == "same"
