"""`notify` tells somebody, is never waited for, and never fails (LANGUAGE C4)."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ivr.engine.commands import Answer, HangUp, Notify, Play, Recognize
from ivr.engine.events import OperationFailed
from ivr.flowfile.actions import word_of
from tests.caller import STARTED, Caller
from tests.flows import flow_of

FLOW = """
flow: voicemail
initial: leave
on: {exhausted: bye, error: bye}
states:
  leave: {record: {prompt: Speak., into: message}, next: send, on: {hangup: bye}}
  send:
    notify:
      email: [desk@example.com, "{{ call.to }}@example.com"]
      subject: "Voicemail  from {{ call.from or 'nobody' }}"
      text: |
        Length: {{ message.seconds | round }} s

        Call back.
      attach: message
    next: bye
  bye: {say: Bye., final: true, outcome: voicemail}
"""


def told(caller: Caller) -> list[Notify]:
    return [one for _, _, step in caller.steps for one in step.commands if isinstance(one, Notify)]


def test_each_address_gets_a_notification_of_its_own_and_the_call_goes_on_at_once() -> None:
    caller = Caller(flow_of(FLOW)).speaks(2.5, media="a.wma")
    first, second, play, hang_up = caller.commands
    assert first == Notify(
        "2.1",
        "mail",
        "desk@example.com",
        "Voicemail from 29:anna",
        "Length: 3 s\n\nCall back.\n",
        ("a.wma",),
        flow="voicemail",
        caller="29:anna",
        called="28:bot",
        started=STARTED + 1,
    )
    assert isinstance(second, Notify)
    assert (second.job, second.to) == ("2.2", "28:bot@example.com")
    assert (type(play), type(hang_up)) == (Play, HangUp)
    assert [taken.event for taken in caller.last.path] == ["recorded", "done"]
    assert caller.call.waiting is None
    assert word_of(caller.flow.states["send"].action) == "notify"


def test_who_hung_up_after_speaking_is_told_of_in_the_silent_rest() -> None:
    caller = Caller(flow_of(FLOW)).speaks(hangs_up=True)
    assert len(told(caller)) == 2
    caller.ended("voicemail")


def test_a_call_that_is_told_of_before_it_is_answered_is_not_answered_for_it() -> None:
    flow = flow_of("""
flow: seen
initial: tell
on: {error: away}
states:
  tell: {notify: {webhook: "https://example.com/calls", text: "{{ call.from or '' }}"}, next: away}
  away: {reject: {}}
""")
    caller = Caller(flow, caller=None)
    notify, _ = caller.commands
    assert isinstance(notify, Notify)
    assert (notify.way, notify.to, notify.subject, notify.text) == ("webhook", "https://example.com/calls", "", "")
    assert not any(isinstance(one, Answer) for one in caller.commands)


def test_a_recording_that_was_never_made_is_left_out() -> None:
    flow = flow_of("""
flow: maybe
initial: tell
on: {error: bye}
variables: {message: {type: recording, default: none}}
states:
  tell: {notify: {email: desk@example.com, attach: [message]}, next: bye}
  bye: {hangup: {}}
""")
    [notify] = told(Caller(flow))
    assert notify.attach == ()


ROUND = """
flow: once
initial: announce
variables: {why: asked}
on: {error: bye, exhausted: bye}
states:
  announce:
    say: We tell them.
    next: send
    on: {hangup: send, error.system: [{guard: visits.announce < 4, target: announce}, bye]}
  send: {notify: {email: desk@example.com, text: "{{ why }}"}, next: ask}
  ask:
    menu: {prompt: Press 1 to tell them again., choices: {again: {dtmf: "1"}}}
    on: {again: send, hangup: bye}
  bye: {hangup: {}}
"""


def test_one_whose_state_was_not_reached_is_not_sent_once_more_when_it_is() -> None:
    caller = Caller(flow_of(ROUND))
    play = caller.commands[1]
    assert isinstance(play, Play)
    caller.hangs_up(play.op)  # before the end of the first prompt: `send` was not reached, and now it is
    assert [one.text for one in told(caller)] == ["asked"]
    assert caller.call.memory.visits["send"] == 1


def test_a_reply_that_fails_again_and_again_tells_once() -> None:
    caller = Caller(flow_of(ROUND))
    for _ in range(2):
        first = next(one for one in caller.commands if isinstance(one, Play | Recognize))
        caller.apply(OperationFailed(first.op, "system"))
    assert [one.text for one in told(caller)] == ["asked"]
    caller.stands_in("ask")


def test_what_differs_is_told_though_the_state_was_not_reached() -> None:
    flow = flow_of(ROUND.replace("hangup: send,", "hangup: {set: {why: left}, target: send},"))
    caller = Caller(flow)
    play = caller.commands[1]
    assert isinstance(play, Play)
    caller.hangs_up(play.op)
    assert [one.text for one in told(caller)] == ["asked", "left"]


def test_a_state_that_is_entered_twice_tells_twice() -> None:
    caller = Caller(flow_of(ROUND)).presses("1").presses("1")
    assert [one.job for one in told(caller)] == ["1.3", "2.1", "3.1"]


def test_what_differs_by_the_time_alone_is_on_its_way() -> None:
    text = """
flow: told
initial: greet
on: {error: bye, hangup: tell}
states:
  greet: {say: Hello., next: tell}
  tell:
    notify:
      email: desk@example.com
      subject: "{{ today | date }}"
      text: "A call of {{ now | datetime }}."
    next: more
  more: {say: We call you back., next: bye}
  bye: {say: Bye., final: true}
"""
    caller = Caller(flow_of(text))
    greeting = caller.call.asked[1].op
    caller.now += 86_400
    caller.hangs_up(greeting).ended("abandoned")
    assert [(one.subject, one.text) for one in told(caller)] == [
        ("Friday, November 20", "A call of Friday, November 20 at 10:00 AM.")
    ]


HOOK = """
flow: hook
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {record: {prompt: Say where., transcribe: true, into: said}, next: send}
  send:
    notify:
      webhook: "https://hooks.example.com/calls/{{ said.transcript or 'x' }}/new?by={{ said.transcript or 'x' }}"
    next: bye
  bye: {say: Bye., final: true}
"""


@pytest.mark.parametrize(
    "said", ["a b", "x?y=z#w", "//evil.example/", "\u00e4", "&admin=1", "a\r\nHost: evil", "%2e%2e"]
)
def test_no_word_of_a_caller_makes_another_address_of_a_webhook(said: str) -> None:
    [hook] = told(Caller(flow_of(HOOK)).speaks(media="a.wma").understood(said))
    address = urlsplit(hook.to)
    assert (address.netloc, address.path.count("/"), address.fragment) == ("hooks.example.com", 3, "")
    assert parse_qs(address.query) == {"by": [said]}
    assert unquote(address.path) == f"/calls/{said}/new"


@pytest.mark.parametrize("said", ["..", "../../admin", "a\\..\\b", "."])
def test_a_webhook_whose_address_would_lead_elsewhere_is_not_told(said: str) -> None:
    caller = Caller(flow_of(HOOK)).speaks(media="a.wma").understood(said)
    assert told(caller) == []
    assert [one.event for one in caller.last.failures] == ["error.expression"]
