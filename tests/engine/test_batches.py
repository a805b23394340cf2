"""What goes out in one reply, and who owns its outcome (LANGUAGE C7, C14)."""

from msgspec.structs import replace

from ivr.engine.events import OperationDone
from ivr.engine.flow import SELF, Branch
from tests.caller import Answer, Caller, HangUp, Play, Recognize, Record, Reject
from tests.flows import flow_of

CHAIN = """
flow: chain
initial: greeting
on: {exhausted: bye, error: trouble}
variables: {step: 0}
states:
  greeting: {set: {step: 1}, say: welcome, next: news}
  news: {set: {step: 2}, say: to the news, next: ask}
  ask:
    set: {step: 3}
    menu: {prompt: question, choices: {one: {dtmf: "1"}}}
    on: {one: {say: well chosen, target: bye}}
  bye: {say: goodbye, final: true}
  trouble: {say: "trouble at {{ step }}", final: true, outcome: failed}
"""


def test_c14_says_that_follow_each_other_become_one_prompt_and_never_part_of_a_question() -> None:
    caller = Caller(flow_of(CHAIN)).orders(Answer, Play, Recognize).hears("welcome to the news question")
    caller.presses("1").orders(Play, HangUp).hears("well chosen goodbye").listens().ended("resolved")


def test_c14_a_prompt_that_failed_was_never_passed() -> None:
    caller = Caller(flow_of(CHAIN))
    play = caller.commands[1]
    caller.fails(play.op).hears("trouble at 1")
    assert caller.call.memory.visits == {"greeting": 1, "trouble": 1}


def test_c14_a_question_that_failed_keeps_what_was_heard_before_it() -> None:
    Caller(flow_of(CHAIN)).fails("1.3").hears("trouble at 3")


def test_c14_an_outcome_of_a_prompt_before_the_last_action_changes_nothing() -> None:
    caller = Caller(flow_of(CHAIN))
    before = caller.call
    caller.apply(OperationDone("1.2")).ignored("not the operation awaited")
    assert caller.call is before


def test_c14_who_leaves_during_a_prompt_leaves_its_state() -> None:
    caller = Caller(flow_of(CHAIN)).hangs_up(during="1.2")
    assert [(taken.state, taken.event) for taken in caller.last.path] == [("greeting", "hangup")]
    caller.ended("abandoned")


def test_a_refused_reply_takes_back_its_answer() -> None:
    caller = Caller(flow_of(CHAIN)).refused().orders(Answer, Play, HangUp)
    caller.hears("trouble at 1").refused().orders(Reject).listens().ended("failed")


def test_a_line_that_fails_again_and_again_is_given_up() -> None:
    flow = flow_of(CHAIN)
    stubborn = replace(flow.states["ask"], on={**flow.states["ask"].on, "error": (Branch(SELF),)})
    caller = Caller(replace(flow, states={**flow.states, "ask": stubborn}))
    for _ in range(8):
        caller.fails(caller.op).orders(Recognize)
    caller.fails(caller.op).orders(HangUp).listens().ended("failed")


def test_c4_an_explicit_answer_waits_until_the_line_says_so() -> None:
    flow = flow_of("""
flow: explicit
initial: take
on: {error: bye}
states:
  take: {answer: {}, next: bye}
  bye: {say: goodbye, final: true}
""")
    Caller(flow).orders(Answer).listens().orders(Play, HangUp)


def test_c4_reject_declines_a_call_that_nobody_answered() -> None:
    flow = flow_of("""
flow: closed
initial: gate
on: {error: no}
states:
  gate: {decide: [{guard: call.from is none, target: no}, yes]}
  no: {reject: {}, outcome: unresolved}
  yes: {hangup: {}}
""")
    Caller(flow, caller=None).orders(Reject).listens().ended("unresolved")
    Caller(flow).orders(Reject).listens().ended("resolved")


def test_c14_a_recording_ends_a_reply() -> None:
    flow = flow_of("""
flow: note
initial: hello
on: {error: bye, exhausted: bye}
states:
  hello: {say: hello, next: note}
  note: {record: {prompt: speak, into: note}, next: bye}
  bye: {say: "{{ note.seconds if note else 'nothing' }} seconds", final: true}
variables: {note: {type: recording, default: none}}
""")
    Caller(flow).orders(Answer, Play, Record).speaks(2.5).hears("2.5 seconds")
