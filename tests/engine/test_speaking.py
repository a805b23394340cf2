"""Prompts, facts and words of one's own (LANGUAGE C9, C11), and lines that match nothing themselves (C5)."""

from ivr.engine.commands import Audio, Silence, Text
from ivr.engine.events import CallEnded, CallReceived, InputInvalid, OperationDone, RecordingMade
from tests.caller import Caller, Play, Recognize, Record
from tests.flows import flow_of

FACTS = """
flow: facts
initial: tell
timeZone: Europe/Vienna
on: {error: tell}
states:
  tell:
    say:
      - "{{ call.to }} {{ call.channel }} {{ call.language or 'no language' }} {{ language }}"
      - "{{ now | time }}"
      - {guard: call.from is none, text: withheld}
      - {silence: 250ms}
      - {text: loud, voice: female, emphasize: true, sayAs: letters}
      - {audio: "https://audio.example/{{ call.channel }}.wav", text: a tune}
      - "{{ '' }}"
      - "{{ call.startedAt | time }}"
    final: true
"""


def test_c9_a_prompt_is_made_of_the_parts_that_are_open_and_not_blank() -> None:
    flow = flow_of(FACTS.replace("{{ call.channel }}.wav", "tune.wav"))
    play = Caller(flow, caller=None).commands[1]
    assert isinstance(play, Play)
    assert play.prompt == (
        Text("28:bot test no language en-US", "male", "en-US"),
        Text("11:00 AM", "male", "en-US"),
        Text("withheld", "male", "en-US"),
        Silence(250),
        Text("loud", "female", "en-US", "letters", emphasize=True),
        Audio(url="https://audio.example/tune.wav", text="a tune"),
        Text("11:00 AM", "male", "en-US"),
    )


MENU = """
flow: menu
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu:
      prompt: choose
      choices:
        one: {dtmf: "1", prompt: "for one press {{ key }}"}
        two: {speech: [two], prompt: say two}
      noMatch: no
      into: chosen
    next: bye
    allow: {speech-only: as we like it}
  bye: {say: "{{ chosen or 'nothing' }}", final: true}
variables: {chosen: {type: text, default: none}}
"""


def test_c5_a_line_that_passes_on_keys_or_words_is_matched_here() -> None:
    flow = flow_of(MENU)
    Caller(flow).hears("choose for one press 1 say two").presses("9").hears("no choose for one press 1 say two")
    Caller(flow).says("Two").hears("two")
    Caller(flow).presses("1").hears("one")
    Caller(flow).apply(RecordingMade("1.2", 1.0, "a")).ignored("not an answer to what was asked")


def test_an_event_of_another_sort_is_no_answer_to_a_recording() -> None:
    flow = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye}
states:
  note: {record: {prompt: speak, noInput: nothing, into: note}, next: bye}
  bye: {say: "{{ note.seconds if note else 0 }}", final: true}
variables: {note: {type: recording, default: none}}
""")
    caller = Caller(flow).orders(*(type(action) for action in Caller(flow).commands)).apply(InputInvalid("1.2"))
    caller.ignored("not an answer to what was asked").keeps_silent().hears("nothing speak").orders(Record)
    caller.speaks(3).hears("3")


def test_a_call_is_told_of_once_and_the_line_says_goodbye_once() -> None:
    caller = Caller(flow_of(MENU))
    caller.apply(CallReceived("x", "y")).ignored("the call has begun").orders(*map(type, caller.commands))
    caller.chooses("one").fails(caller.op).ended("resolved")
    Caller(flow_of(MENU)).apply(OperationDone("7.7")).ignored("not the operation awaited")
    Caller(flow_of(MENU)).fails("7.7").ignored("not an operation of the last reply")
    gone = Caller(flow_of(MENU)).apply(CallEnded("system"))
    gone.ended("abandoned")


def test_digits_take_nothing_but_keys() -> None:
    flow = flow_of("""
flow: number
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: number, noMatch: no, minDigits: 2}, next: bye}
  bye: {say: bye, final: true}
""")
    caller = Caller(flow).answers_wrong().hears("no number").orders(Recognize)
    caller.apply(RecordingMade(caller.op, 1.0, "a")).ignored("not an answer to what was asked")
    caller.presses("1").hears("no number").presses("12").hears("bye")


def test_c11_a_language_that_was_set_is_spoken_and_listened_for() -> None:
    flow = flow_of("""
flow: tongues
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: number, into: n}, next: {set: {language: de-DE}, target: again}}
  again: {menu: {prompt: nochmal, choices: {one: {dtmf: "1"}}}, on: {one: bye}}
  bye: {say: bye, final: true}
""")
    asked = Caller(flow).presses("1").commands[-1]
    assert isinstance(asked, Recognize)
    assert (asked.language, asked.prompt) == ("de-DE", (Text("nochmal", "male", "de-DE"),))
