"""Hanging up, the silent rest, and the end (LANGUAGE C13)."""

from msgspec.structs import replace

from ivr.engine.events import CallEnded, ServiceAnswered, Transcribed
from ivr.engine.flow import Branch
from tests.caller import Caller, Request
from tests.flows import flow_of

VOICEMAIL = """
flow: voicemail
initial: leave
on: {exhausted: nothing, error: nothing}
states:
  leave:
    record: {prompt: speak, transcribe: true, transcribeTimeout: 15s, holdPrompt: one moment, into: message}
    next: review
    on: {error.transcribe: review}
  review:
    menu:
      prompt: "we heard {{ message.transcript or 'you' }}"
      choices: {send: {dtmf: "1"}, redo: {dtmf: "2"}}
    on: {send: send, redo: leave, exhausted: send, hangup: send, error: send}
  send: {set: {sent: "{{ message.transcript }}"}, say: it is sent, final: true, outcome: voicemail}
  nothing: {say: goodbye, final: true, outcome: unresolved}
variables:
  sent: {type: text, default: none}
"""


def test_c13_hangup_is_raised_in_the_state_that_asked() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks().understood("hello").hears("we heard hello").hangs_up()
    assert [(taken.state, taken.event, taken.target) for taken in caller.last.path] == [("review", "hangup", "send")]
    caller.orders().ended("voicemail")
    assert caller.variable("sent") == "hello"


def test_c13_a_recording_ended_by_hanging_up_is_heard_first_and_the_rest_runs_in_silence() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks(hangs_up=True).orders(Request)
    caller.understood("call me").orders().ended("voicemail")
    assert caller.variable("sent") == "call me"
    assert caller.call.memory.visits == {"leave": 1, "review": 1, "send": 1}


def test_c13_who_leaves_while_a_service_works_is_answered_for_first() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks().holds().hears("one moment").apply(CallEnded("caller"))
    caller.orders().stands_in("leave").understood("late words").ended("voicemail")
    assert caller.variable("sent") == "late words"


def overtaken(flow: str = VOICEMAIL) -> Caller:
    """A caller who was being recorded, and whose end the line has told apart."""
    return Caller(flow_of(flow)).apply(CallEnded("caller", grace=60.0)).orders()


def test_c13_a_recording_that_the_end_of_the_call_overtakes_is_heard_first_all_the_same() -> None:
    caller = overtaken().stands_in("leave").speaks(hangs_up=True).orders(Request)
    caller.understood("call me").orders().ended("voicemail")
    assert caller.variable("sent") == "call me"
    assert caller.call.memory.visits == {"leave": 1, "review": 1, "send": 1}


def test_c13_however_such_a_recording_ended_its_caller_has_gone() -> None:
    overtaken().speaks().orders(Request).understood("call me").orders().ended("voicemail")


def test_c13_where_no_recording_comes_in_time_hangup_is_raised() -> None:
    caller = overtaken()
    caller.waits(50).ignored("no deadline has passed").waits(10).ended("abandoned")
    assert [(taken.state, taken.event) for taken in caller.last.path] == [("leave", "hangup")]


def test_c13_an_outcome_without_a_recording_ends_such_a_call_at_once() -> None:
    overtaken().keeps_silent().ended("abandoned")
    overtaken().refused().ended("abandoned")
    overtaken().fails(overtaken().op).ended("abandoned")
    overtaken().hangs_up().ended("abandoned")


def test_what_says_nothing_of_the_recording_leaves_such_a_call_waiting() -> None:
    caller = overtaken()
    caller.apply(CallEnded("caller", grace=60.0)).ignored("the caller has already left")
    caller.listens().ignored("not an answer to what was asked")
    caller.presses("1").ignored("not an answer to what was asked")
    assert caller.call.deadline is not None


def test_an_end_that_names_what_it_cut_off_or_a_line_that_sends_nothing_later_is_not_waited_for() -> None:
    caller = Caller(flow_of(VOICEMAIL))
    caller.apply(CallEnded("caller", caller.op, grace=60.0)).ended("abandoned")
    Caller(flow_of(VOICEMAIL)).apply(CallEnded("system")).ended("abandoned")


def test_who_was_asked_for_a_key_is_not_waited_for() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks().understood("hello").apply(CallEnded("caller", grace=60.0))
    caller.ended("voicemail")


def test_a_question_is_not_answered_by_the_report_that_something_is_done() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks().understood("hello")
    caller.listens().ignored("not an answer to what was asked").presses("1").hears("it is sent")


def test_c13_a_failed_transcription_keeps_the_recording() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks(4.0, hangs_up=True).not_understood().ended("voicemail")
    assert caller.variable("message").seconds == 4.0


def test_c13_without_a_handler_the_call_ends_as_abandoned() -> None:
    Caller(flow_of(VOICEMAIL)).hangs_up().ended("abandoned")


def test_c13_hangup_is_raised_once_only() -> None:
    flow = flow_of("""
flow: survey
initial: first
on: {exhausted: bye, error: bye}
states:
  first: {menu: {prompt: one, choices: {yes: {dtmf: "1"}}}, on: {yes: second, hangup: second}}
  second: {menu: {prompt: two, choices: {yes: {dtmf: "1"}}}, on: {yes: bye, hangup: bye}}
  bye: {say: goodbye, final: true}
""")
    Caller(flow).hangs_up().ended("abandoned")
    Caller(flow).presses("1").hangs_up().ended("abandoned")


def test_c13_entering_a_final_state_decides_the_outcome_heard_to_the_end_or_not() -> None:
    caller = Caller(flow_of(VOICEMAIL)).keeps_silent().keeps_silent().keeps_silent().hears("goodbye")
    caller.hangs_up(during=caller.call.asked[0].op).ended("unresolved")


def test_c13_the_fact_outcome_counts_where_no_state_says_otherwise() -> None:
    flow = flow_of("""
flow: wishes
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    set: {outcome: tried}
    menu: {prompt: one, choices: {yes: {dtmf: "1"}}}
    on: {yes: bye}
  bye: {say: goodbye, final: true}
""")
    Caller(flow).hangs_up().ended("tried")
    Caller(flow).presses("1").listens().ended("tried")


def test_a_call_that_ended_before_it_began_is_abandoned_and_nothing_moves_it_again() -> None:
    caller = Caller(flow_of(VOICEMAIL)).hangs_up().ended("abandoned")
    caller.apply(CallEnded("caller")).ignored("the call is over")
    caller.apply(ServiceAnswered("1.1", Transcribed())).ignored("the call is over")


def test_holds_grow_and_are_not_many() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks()
    heard = []
    for _ in range(8):
        heard.append(caller.holds().heard)
        caller.listens().orders()
    assert heard == ["one moment"] + [f"one moment ({ms} ms)" for ms in (2000, 4000, 8000, 8000, 8000, 8000, 8000)]
    caller.holds().hears("we heard you")


def test_a_hold_that_cannot_be_played_does_not_give_up_the_words() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks().holds()
    caller.fails(caller.op).orders().understood("hello").hears("we heard hello")


def test_a_service_that_never_answers_is_given_up_at_its_deadline() -> None:
    caller = Caller(flow_of(VOICEMAIL)).speaks()
    job = caller.job
    caller.waits(5).ignored("no deadline has passed").waits(20).hears("we heard you")
    caller.apply(ServiceAnswered(job, Transcribed("late"))).ignored("not the job awaited")


def test_nobody_is_held_who_has_gone_or_does_not_wait() -> None:
    Caller(flow_of(VOICEMAIL)).holds().ignored("no caller waits for a service")
    Caller(flow_of(VOICEMAIL)).speaks(hangs_up=True).holds().ignored("no caller waits for a service")


def test_a_refused_upload_is_an_error_of_its_own() -> None:
    flow = flow_of("""
flow: strict
variables: {note: {type: recording, default: none}}
initial: note
on: {exhausted: bye, error: trouble}
states:
  note:
    record: {prompt: speak, transcribe: true, into: note}
    next: bye
    on: {error.transcribe: bye, error.recording: damaged}
  damaged: {say: damaged, final: true}
  bye: {say: "{{ note.transcript or 'no words' }}", final: true}
  trouble: {say: trouble, final: true}
""")
    Caller(flow).speaks().not_understood("recording").hears("damaged")
    Caller(flow).speaks().not_understood("timeout").hears("no words")
    Caller(flow).speaks().understood(" ").hears("no words")


def test_c13_a_final_state_whose_goodbye_failed_decides_nothing() -> None:
    flow = flow_of("""
flow: regret
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: question, choices: {go: {dtmf: "1"}}}, on: {go: thanks, hangup: noted}}
  thanks: {say: thanks, final: true}
  noted: {hangup: {}, outcome: noted}
  bye: {say: bye, final: true}
""")
    back = replace(flow, on={**flow.on, "error": (Branch("ask"),)})
    caller = Caller(back).presses("1").hears("thanks")
    caller.fails(caller.call.asked[0].op).hears("question").hangs_up().ended("noted")
