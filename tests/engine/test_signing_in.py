"""`signIn` (LANGUAGE C4): how a caller comes to sign in, what becomes of it, and what a trace holds of that."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from ivr.engine.call import SIGNING_IN
from ivr.engine.commands import Audio, Card, Recognize
from ivr.engine.events import (
    CallReceived,
    ChoiceMade,
    InputInvalid,
    KeysJudged,
    KeysPressed,
    ServiceAnswered,
    SignInBegun,
    SignInChecked,
    SignInResult,
    Transcribed,
)
from ivr.engine.machine import step
from ivr.engine.masking import masked, public
from ivr.engine.sign_in_orders import SIGN_IN
from ivr.flowfile.load import load_text
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: desk
language: en-US
initial: login
on: {exhausted: bye, error: sorry}
signIns: {calendar: {scopes: [Calendars.Read, Mail.Read]}}
commands: {operator: {dtmf: "9", speech: operator}}
states:
  login:
    signIn:
      name: calendar
      by: BY
      prompt: PROMPT
      noInput: Still there?
      noMatch: That is not it.
      holdPrompt: One moment.
      MORE
    on:
      signedIn: book
      declined: {target: bye, say: Declined.}
      expired: {target: bye, say: Expired.}
      failed: {target: bye, say: "Failed, {{ reason }}."}
      operator: {target: bye, say: Operator.}
  book:
    http: {url: "https://graph.example/me/events", auth: {signIn: calendar}, returns: {id: text}}
    next: done
    on: {error.http.auth: {target: bye, say: "No. {{ status or 'none' }}."}}
  done: {say: Booked., final: true}
  sorry: {say: Sorry., final: true}
  bye: {say: Goodbye., final: true}
"""
BY_CODE = '"Open {{ signIn.page }}, enter {{ signIn.ticket | digits }}."'
BY_DEVICE = '"Open {{ signIn.page }}, enter {{ signIn.code | spell }}."'
CODE = "40718253"
SECRETS = ("attempt-1", "ivr.example", "019450730", "0 1 9", "one-time", "login.example", "QRST5678", "Q R S", CODE)


def caller(by: str = "code", prompt: str = "", more: str = "", **call: Any) -> Caller:
    prompt = prompt or (BY_DEVICE if by == "device" else BY_CODE)
    text = FLOW.replace("BY", by).replace("PROMPT", prompt).replace("MORE", more)
    return Caller(flow_of(text), **call)


def asked_for_code(**written: Any) -> Caller:
    return caller(**written).may_sign_in()


def traced(call: Caller) -> str:
    """Return all that a trace holds of a call."""
    kept = [
        (step_.traced or event, [public(command) for command in step_.commands], step_.path, step_.judged)
        for event, _, step_ in call.steps
    ]
    return json.encode(kept).decode()


def replayed(call: Caller) -> list[str]:
    """Let what a trace holds of a call happen again; return what was heard each time, as a trace holds it."""
    again = call.steps[0][2]
    now, heard = call.steps[0][1], []
    state = Caller(call.flow, now=now - 1).call
    for event, at, step_ in call.steps[1:]:
        again = step(call.flow, state, step_.traced or event, now=at, judged=step_.judged)
        state = again.call
        assert [public(command) for command in again.commands] == [public(command) for command in step_.commands]
        heard.append(again.call.state)
    return heard


# --- by code ---------------------------------------------------------------------------------------------------------


def test_a_sign_in_is_ordered_with_what_the_flow_wants_and_who_calls() -> None:
    first = CallReceived("29:anna", "28:bot", identity="t-1/o-1")
    assert caller(first=first).request.arguments == {
        "do": "begin",
        "name": "calendar",
        "by": "code",
        "scopes": ("Calendars.Read", "Mail.Read"),
        "caller": "29:anna",
        "identity": "t-1/o-1",
        "language": "en-US",
    }
    order = caller().request
    assert (order.service, order.sensitive, order.arguments["identity"]) == (SIGN_IN, True, None)


def test_the_way_to_the_page_is_said_and_eight_digits_are_asked_for() -> None:
    call = asked_for_code().hears("Open ivr.example/s, enter 0 1 9 4 5 0 7 3 0.")
    question = call.asked(Recognize)
    assert isinstance(question, Recognize)
    assert question.digits is not None
    assert (question.digits.minimum, question.digits.maximum, question.digits.terminators) == (8, 8, "#")
    assert (question.initial_silence, question.type_ahead) == (30.0, False)


def test_the_code_is_checked_and_who_is_signed_in_goes_on_in_whose_name_a_service_is_asked() -> None:
    call = asked_for_code().presses(CODE)
    assert call.request.arguments == {"do": "check"}
    assert call.request.private == {"attempt": "attempt-1", "code": CODE}
    call.sign_in_is("signedIn").stands_in("book")
    assert call.request.arguments["signIn"] == "calendar"
    assert SIGNING_IN not in call.call.memory.private
    call.responded(200, {"id": "7"}).hears("Booked.")


def test_a_service_that_knows_no_signed_in_caller_has_an_event_of_its_own() -> None:
    asked_for_code().presses(CODE).sign_in_is("signedIn").not_understood("auth").hears("No. none. Goodbye.")


@pytest.mark.parametrize("result", ["wrong", "pending"])
def test_a_code_that_is_not_right_is_a_wrong_answer(result: SignInResult) -> None:
    call = asked_for_code().presses(CODE).sign_in_is(result)
    call.hears("That is not it. Open ivr.example/s, enter 0 1 9 4 5 0 7 3 0.").presses(CODE)
    assert call.request.private["attempt"] == "attempt-1"


@pytest.mark.parametrize(
    ("result", "heard"),
    [
        ("declined", "Declined. Goodbye."),
        ("expired", "Expired. Goodbye."),
        ("burnt", "Failed, burnt. Goodbye."),
        ("failed", "Failed, unavailable. Goodbye."),
    ],
)
def test_every_end_of_a_sign_in_is_an_event(result: SignInResult, heard: str) -> None:
    asked_for_code().presses(CODE).sign_in_is(result).hears(heard)


def test_where_nobody_can_sign_in_the_step_fails_at_once() -> None:
    caller().not_understood("off").hears("Failed, unavailable. Goodbye.")
    assert caller().not_understood("off").last.failures[0].reason == "the service did not answer: off"


@pytest.mark.parametrize("keys", ["1234", "1234*678", "12345678D", "ABCDABCD"])
def test_what_cannot_be_a_code_costs_none_of_its_tries(keys: str) -> None:
    asked_for_code().presses(keys).orders(Recognize).hears(
        "That is not it. Open ivr.example/s, enter 0 1 9 4 5 0 7 3 0."
    )


def test_silence_and_wrong_answers_use_up_ten_attempts_unless_the_author_says_otherwise() -> None:
    call = asked_for_code()
    for _ in range(8):
        call.keeps_silent().stands_in("login")
    assert call.heard.startswith("Still there? Open")
    call.apply(InputInvalid(call.op)).stands_in("login").keeps_silent().hears("Goodbye.")
    asked_for_code(more="maxAttempts: 1").keeps_silent().hears("Goodbye.")


def test_a_star_begins_anew_which_is_one_of_the_attempts() -> None:
    call = asked_for_code(more="maxAttempts: 2").presses("*")
    assert call.request.arguments["do"] == "begin"
    call.may_sign_in().presses("*").hears("Goodbye.")


def test_a_command_of_the_flow_is_understood() -> None:
    asked_for_code().presses("9").hears("Operator. Goodbye.")


def test_who_comes_back_to_the_question_keeps_the_sign_in() -> None:
    text = FLOW.replace("BY", "code").replace("PROMPT", BY_CODE).replace("MORE", "")
    text = text.replace("operator: {target: bye, say: Operator.}", "operator: {target: self, say: Again.}")
    call = Caller(flow_of(text)).may_sign_in().presses("9")
    call.hears("Again. Open ivr.example/s, enter 0 1 9 4 5 0 7 3 0.").presses(CODE)
    assert call.request.private["attempt"] == "attempt-1"


def test_a_caller_who_is_kept_waiting_hears_the_hold_prompt() -> None:
    asked_for_code().presses(CODE).holds().hears("One moment.")


def test_who_leaves_is_waited_for_no_more_and_signs_in_to_nothing() -> None:
    call = asked_for_code().presses(CODE)
    job = call.job
    call.hangs_up().ended("abandoned").apply(SignInChecked(job, "signedIn")).ignored("the call is over")


# --- by link ---------------------------------------------------------------------------------------------------------


def test_by_link_the_caller_is_awaited_without_a_question() -> None:
    call = caller("link", '"Open {{ signIn.link }}."').may_sign_in("link")
    call.hears("Open https://ivr.example/s/one-time.")
    assert (call.request.arguments, call.request.private) == ({"do": "await"}, {"attempt": "attempt-1"})
    call.listens().sign_in_is("signedIn").stands_in("book")


def test_what_is_not_decided_after_the_wait_has_failed() -> None:
    call = caller("link", '"Open {{ signIn.link }}."').may_sign_in("link")
    call.sign_in_is("pending").hears("Failed, unavailable. Goodbye.")


def test_a_line_that_does_not_know_who_writes_asks_for_the_code() -> None:
    caller("link").may_sign_in("code").presses(CODE).sign_in_is("signedIn").stands_in("book")


# --- by device -------------------------------------------------------------------------------------------------------


def by_device() -> Caller:
    return caller("device").may_sign_in("device").hears("Open login.example/device, enter Q R S T 5 6 7 8.")


def test_by_device_the_caller_has_it_repeated_says_done_or_gives_up() -> None:
    call = by_device().chooses("repeat").hears("Open login.example/device, enter Q R S T 5 6 7 8.").chooses("done")
    assert (call.request.arguments, call.request.private) == ({"do": "check"}, {"attempt": "attempt-1"})
    call.sign_in_is("pending").stands_in("login").presses("2").sign_in_is("signedIn").stands_in("book")
    by_device().presses("0").hears("Declined. Goodbye.")


def test_by_device_what_was_never_offered_is_the_lines_fault_and_what_is_none_of_it_is_wrong() -> None:
    by_device().chooses("never").hears("Sorry.")
    by_device().presses("7").hears("That is not it. Open login.example/device, enter Q R S T 5 6 7 8.")
    by_device().says("nonsense").stands_in("login").says("operator").hears("Operator. Goodbye.")


# --- what a trace holds ----------------------------------------------------------------------------------------------


def test_a_trace_holds_no_code_no_link_no_ticket_and_no_attempt() -> None:
    for call in (
        asked_for_code().presses("1234567").presses(CODE).sign_in_is("wrong").presses(CODE).sign_in_is("signedIn"),
        caller("link", '"Open {{ signIn.link }}."').may_sign_in("link").listens().sign_in_is("signedIn"),
        by_device().chooses("repeat").presses("2").sign_in_is("signedIn"),
        asked_for_code().says(CODE),
    ):
        kept = traced(call)
        assert [secret for secret in SECRETS if secret in kept] == []


def test_a_trace_holds_how_a_code_was_judged() -> None:
    call = asked_for_code().presses("123")
    assert call.last.traced == KeysJudged("2.2", "refused")
    assert call.presses(CODE).last.traced == KeysJudged("3.1", "accepted")
    star = asked_for_code().presses("*")
    assert star.last.traced == KeysPressed("2.2", "*")


def test_what_a_trace_holds_leads_to_the_same_call_again() -> None:
    call = asked_for_code().presses("123").presses(CODE).sign_in_is("wrong").keeps_silent().presses("*")
    call.may_sign_in().presses(CODE).sign_in_is("signedIn").responded(200, {"id": "7"})
    assert replayed(call)[-1] == "done"
    link = caller("link", '"Open {{ signIn.link }}."').may_sign_in("link").listens().sign_in_is("declined")
    assert replayed(link)[-1] == "bye"
    device = by_device().chooses("repeat").presses("2").sign_in_is("pending").presses("0")
    assert replayed(device)[-1] == "bye"


def test_every_sort_of_prompt_keeps_the_way_in_from_the_trace() -> None:
    prompt = """
        - {card: signIn, text: "Enter {{ signIn.ticket }}", title: Sign in, url: "{{ signIn.link }}"}
        - {audio: "https://media.example/a.wav", text: "Enter {{ signIn.ticket }}"}
        - {guard: "signIn.ticket | first == '0'", text: "It begins with nought."}
        - No secret here."""
    call = asked_for_code(prompt=prompt)
    card, audio, *texts = call.asked(Recognize).prompt
    assert isinstance(card, Card)
    assert isinstance(audio, Audio)
    assert (card.face.text, card.face.url) == ("Enter 019450730", "https://ivr.example/s/one-time")
    assert (audio.text, len(texts)) == ("Enter xxx", 2)
    kept = traced(call)
    assert [secret for secret in SECRETS if secret in kept] == []
    assert "Enter xxx" in kept
    assert "https://xxx" in kept
    replayed(call.keeps_silent())


def test_what_came_too_late_is_traced_without_its_secrets() -> None:
    begun = SignInBegun("9.9", "code", "attempt-1", "ivr.example/s", "019450730", "https://ivr.example/s/one-time")
    call = asked_for_code().apply(begun).ignored("not the job awaited")
    assert call.last.traced == masked(begun) == SignInBegun("9.9", "code", masked=True)


def test_what_answers_nothing_of_it_is_ignored() -> None:
    call = caller()
    call.apply(ServiceAnswered(call.job, Transcribed("words"))).ignored("not an answer of the service awaited")
    call = asked_for_code()
    assert call.flow.states["login"].action.private
    call.apply(ChoiceMade(call.op, "never", "keys")).hears("Sorry.")


def test_a_recording_is_no_answer_to_it() -> None:
    asked_for_code().speaks().ignored("not an answer to what was asked")


# --- how it is written -----------------------------------------------------------------------------------------------


def test_by_device_a_command_gives_way_to_the_answers() -> None:
    text = FLOW.replace("BY", "device").replace("PROMPT", BY_DEVICE).replace("MORE", "").replace('"9"', '"2"')
    text = text.replace("      operator: {target: bye, say: Operator.}\n", "")
    loaded = load_text(text.lstrip().encode(), file="a.yaml", folder=Path("no-such-folder"))
    assert loaded.flow is not None
    call = Caller(loaded.flow).may_sign_in("device").presses("2")
    assert call.request.arguments == {"do": "check"}
