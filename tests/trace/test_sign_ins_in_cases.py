"""A case holds what became of a sign-in, and nothing of what opens the way to it: it replays without anybody asked."""

from ivr.call_record import CallRecord, Stepped
from ivr.engine.events import SignInResult
from ivr.engine.masking import public
from ivr.ports import CallKey
from ivr.trace.case import Case
from ivr.trace.files import dumps, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from ivr.trace.sentences import caller_action
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: desk
initial: login
on: {exhausted: bye, error: bye}
signIns: {calendar: {}}
states:
  login:
    signIn:
      name: calendar
      prompt: "Open {{ signIn.page }}, enter {{ signIn.ticket | digits }}, then key the code."
      noMatch: That is not it.
    on: {signedIn: look, declined: bye, expired: bye, failed: bye}
  look:
    http: {url: "https://graph.example/me", auth: {signIn: calendar}, returns: {name: text}, into: person}
    next: tell
  tell: {say: "You are {{ person.name }}.", next: bye}
  bye: {say: Goodbye., final: true}
"""
CODE = "40718253"


def recorded(*results: SignInResult) -> Case:
    flow = flow_of(FLOW)
    caller = Caller(flow).may_sign_in()
    for result in results:
        caller.presses(CODE).sign_in_is(result)
    caller.responded(200, {"name": "Ada"}).listens().hangs_up()
    trace = [
        Stepped(taken.traced or event, now, tuple(map(public, taken.commands)), taken.path, taken.ignored, taken.judged)
        for event, now, taken in caller.steps
    ]
    record = CallRecord(caller.call.facts.id, CallKey("test", "", "call"), caller.call)
    return loads(dumps(case_of(record, trace, flow, {})), "case")


def test_a_call_with_a_sign_in_replays_as_the_same() -> None:
    case = recorded("wrong", "signedIn")
    assert replay(case, flow_of(FLOW)).verdict == "same"
    assert [caller_action(line.event) for line in case.lines][1:6] == [
        "the caller can sign in by code",
        "the caller entered private digits (accepted)",
        "the sign-in is not done: the code is wrong",
        "the caller entered private digits (accepted)",
        "the sign-in is done",
    ]


def test_a_case_holds_nothing_that_opens_the_way() -> None:
    kept = dumps(recorded("wrong", "signedIn")).decode()
    secrets = ("attempt-1", "ivr.example", "019450730", "0 1 9", "one-time", CODE)
    assert [secret for secret in secrets if secret in kept] == []
    assert "enter x x x" in kept


def test_another_wording_is_seen_and_other_scopes_cannot_be_told() -> None:
    case = recorded("signedIn")
    assert replay(case, flow_of(FLOW.replace("Open {{", "Go to {{"))).verdict == "changed"
    assert replay(case, flow_of(FLOW.replace("calendar: {}", "calendar: {scopes: [a]}"))).verdict == "undetermined"
