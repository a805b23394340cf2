"""C6: `confirm` asks whether an answer is right before it counts."""

import pytest

from ivr.engine.call import UNCONFIRMED
from ivr.engine.commands import Choice, Recognize
from ivr.engine.events import ChoiceMade, KeysJudged, KeysPressed, ServiceAnswered, Transcribed
from ivr.engine.machine import step
from tests.caller import Caller
from tests.flowfile.reading import flow

NUMBER = flow("""
variables: {room: {type: integer, max: 99}}
on: {exhausted: gave_up, error: bye, operator: person, again: self}
commands: {operator: {dtmf: "0", speech: [operator]}, again: {dtmf: "*"}}
states:
  start:
    digits:
      prompt: Key your room.
      minDigits: 2
      maxDigits: 2
      confirm: "Room {{ room }}, keyed as {{ digits | digits }}?"
      noInput: I hear nothing.
      noMatch: Pardon?
      into: room
    next: told
  told: {say: "You are in {{ room }}.", next: bye}
  gave_up: {say: No luck., final: true, outcome: unresolved}
  person: {say: One moment., final: true}
""")
ASKED = "Room 42, keyed as 4 2?"


def choices(caller: Caller) -> tuple[Choice, ...]:
    command = caller.commands[-1]
    assert isinstance(command, Recognize)
    return command.choices


def confirming() -> Caller:
    return Caller(NUMBER).presses("42").hears(ASKED)


def test_the_question_knows_the_answer_and_offers_yes_no_and_the_commands() -> None:
    caller = confirming()
    yes, no, operator, again = choices(caller)
    assert (yes.name, yes.key, yes.speech[0]) == ("yes", "1", "yes")
    assert (no.name, no.key, no.speech[0]) == ("no", "2", "no")
    assert (operator.name, again.name) == ("operator", "again")


def test_nothing_is_kept_and_no_event_is_raised_before_the_caller_agrees() -> None:
    caller = confirming()
    assert "room" not in caller.call.memory.variables
    assert caller.last.path == ()


@pytest.mark.parametrize("answer", ["1", "yes", "that is right", "yeah"])
def test_yes_accepts_the_answer(answer: str) -> None:
    caller = confirming()
    (caller.presses if answer == "1" else caller.says)(answer).hears("You are in 42. Goodbye.")
    assert UNCONFIRMED not in caller.call.memory.variables


def test_yes_as_the_line_reports_it() -> None:
    confirming().chooses("yes").hears("You are in 42. Goodbye.")


@pytest.mark.parametrize("answer", ["2", "no", "wrong"])
def test_after_no_only_the_question_is_heard(answer: str) -> None:
    caller = confirming()
    (caller.presses if answer == "2" else caller.says)(answer).hears("Key your room.")


def test_no_is_a_failed_attempt_and_the_last_one_raises_exhausted_at_once() -> None:
    caller = confirming().chooses("no").presses("43").chooses("no").presses("44").chooses("no")
    caller.hears("No luck.")


def test_no_does_not_use_up_a_text() -> None:
    confirming().chooses("no").answers_wrong().hears("Pardon? Key your room.")


def test_silence_and_wrong_keys_repeat_the_confirmation_and_count() -> None:
    confirming().keeps_silent().hears(f"I hear nothing. {ASKED}").answers_wrong().hears(f"Pardon? {ASKED}")
    confirming().keeps_silent().presses("7").hears(f"Pardon? {ASKED}").says("maybe").hears("No luck.")


def test_a_command_leaves_the_confirmation_and_self_repeats_it() -> None:
    confirming().chooses("again").hears(ASKED).chooses("yes").hears("You are in 42. Goodbye.")
    confirming().presses("0").hears("One moment.")


def test_what_was_never_offered_is_an_error_and_a_report_that_is_no_answer_is_ignored() -> None:
    confirming().chooses("maybe").hears("Goodbye.")
    confirming().listens().ignored("not an answer to what was asked")
    caller = confirming()
    caller.speaks().ignored("not an answer to what was asked")


def test_who_hangs_up_has_not_agreed() -> None:
    caller = confirming().hangs_up().ended("abandoned")
    assert "room" not in caller.call.memory.variables


def test_entering_another_state_forgets_an_answer_that_nobody_confirmed() -> None:
    caller = confirming().chooses("operator")
    assert UNCONFIRMED not in caller.call.memory.variables


def test_the_long_form_has_its_own_keys_and_words() -> None:
    own = flow("""
states:
  start:
    digits:
      prompt: Key it.
      confirm: {prompt: "{{ digits | digits }}? Press 4 or 5.", yes: {dtmf: "4", speech: [sure]}, no: {dtmf: "5"}}
    next: bye
""")
    yes, no = choices(Caller(own).presses("7"))
    assert yes == Choice("yes", "4", ("sure",))
    assert (no.key, no.speech[0]) == ("5", "no")
    Caller(own).presses("7").presses("4").hears("Goodbye.")


def test_the_usual_words_are_those_of_the_language_that_is_spoken() -> None:
    german = flow("""
language: de-AT
states:
  start: {digits: {prompt: Ihre Nummer bitte., confirm: "{{ digits | digits }}?"}, next: bye}
""")
    yes, no = choices(Caller(german).presses("7"))
    assert (yes.speech[0], no.speech[0]) == ("ja", "nein")


# --- recordings ------------------------------------------------------------------------------------------------------

MESSAGE = flow("""
on: {exhausted: bye, error: bye}
states:
  start:
    record:
      prompt: Speak.
      confirm: "To keep it press 1, to speak again press 2."
      noInput: Nothing.
      into: message
    next: kept
    on: {hangup: noted}
  kept: {say: "Kept, {{ message.seconds | int }} seconds.", final: true}
  noted: {hangup: {}, outcome: "left"}
""")
KEEP = "To keep it press 1, to speak again press 2."


def test_a_recording_is_heard_as_recorded_once_it_is_confirmed() -> None:
    Caller(MESSAGE).speaks(4).hears(KEEP).chooses("yes").hears("Kept, 4 seconds.")


def test_no_records_again() -> None:
    Caller(MESSAGE).speaks(4).chooses("no").hears("Speak.").speaks(6).chooses("yes").hears("Kept, 6 seconds.")


def test_silence_at_the_confirmation_of_a_recording_repeats_it() -> None:
    Caller(MESSAGE).speaks(4).keeps_silent().hears(f"Nothing. {KEEP}")


def test_who_hangs_up_before_confirming_a_recording_has_left_it() -> None:
    caller = Caller(MESSAGE).speaks(4).hangs_up()
    assert [taken.event for taken in caller.last.path] == ["recorded"]
    assert caller.call.memory.variables["message"] is not None


def test_a_recording_that_hanging_up_ended_is_not_asked_about() -> None:
    caller = Caller(MESSAGE).speaks(4, hangs_up=True)
    assert [taken.event for taken in caller.last.path] == ["recorded"]


def test_the_transcript_is_there_when_a_recording_is_confirmed() -> None:
    transcribed = flow("""
on: {exhausted: bye, error: bye}
states:
  start:
    record:
      prompt: Speak.
      transcribe: true
      confirm: "We heard {{ transcript or 'nothing' }}. Is that right?"
      into: message
    next: kept
    on: {error.transcribe: kept}
  kept: {say: "Kept {{ message.transcript or 'it' }}.", final: true}
""")
    caller = Caller(transcribed).speaks().understood("come at six").hears("We heard come at six. Is that right?")
    caller.chooses("yes").hears("Kept come at six.")
    Caller(transcribed).speaks().not_understood().hears("Kept it.")
    gone = Caller(transcribed).speaks().hangs_up().understood("come at six")
    assert [taken.event for taken in gone.last.path][:1] == ["recorded"]


# --- what is private -------------------------------------------------------------------------------------------------

PIN = flow("""
on: {exhausted: bye, error: bye, operator: bye}
commands: {operator: {dtmf: "0"}}
states:
  start:
    digits: {prompt: Key your PIN., minDigits: 4, maxDigits: 4, confirm: Are you sure?, into: pin, sensitive: true}
    next: [{guard: pin == '1234', target: inside}, bye]
  inside: {say: Welcome., next: bye}
""")


def test_a_private_answer_is_sealed_until_it_is_confirmed() -> None:
    caller = Caller(PIN).presses("1234").hears("Are you sure?")
    memory = caller.call.memory
    assert (memory.private[UNCONFIRMED], UNCONFIRMED in memory.variables) == ("1234", False)
    assert caller.last.traced == KeysJudged("1.2", "accepted")
    assert UNCONFIRMED not in caller.chooses("yes").hears("Welcome. Goodbye.").call.memory.private


@pytest.mark.parametrize(("keys", "heard"), [("1", "Welcome. Goodbye."), ("2", "Key your PIN.")])
def test_keys_that_say_yes_or_no_are_no_secret(keys: str, heard: str) -> None:
    caller = Caller(PIN).presses("1234").presses(keys).hears(heard)
    assert isinstance(caller.last.traced, KeysPressed)


def test_a_command_among_private_keys_is_no_secret() -> None:
    caller = Caller(PIN).presses("0").hears("Goodbye.")
    assert isinstance(caller.last.traced, KeysPressed)


def test_a_wrong_private_answer_stays_masked() -> None:
    assert Caller(PIN).presses("77").last.traced == KeysJudged("1.2", "refused")
    asked = Caller(PIN).presses("1234").presses("7")
    assert asked.last.traced == KeysJudged("2.1", "refused")
    asked.apply(KeysJudged(asked.op, "refused")).hears("Are you sure?")


def test_a_replay_confirms_a_masked_answer_as_it_was() -> None:
    caller = Caller(PIN)
    first = step(PIN, caller.call, KeysJudged(caller.op, "accepted"), now=caller.now)
    caller.call, caller.commands = first.call, first.commands
    caller.hears("Are you sure?")
    judged = Caller(PIN).presses("1234").chooses("yes").last.judged
    told = step(PIN, caller.call, KeysPressed(caller.op, "1"), now=caller.now, judged=judged)
    assert [taken.target for taken in told.path] == ["inside", "bye"]


def test_a_masked_recording_is_confirmed_masked() -> None:
    private = flow("""
on: {exhausted: bye, error: bye}
states:
  start:
    record: {prompt: Speak., transcribe: true, confirm: Keep it?, into: secret, sensitive: true}
    next: [{guard: secret.transcript, target: kept}, bye]
    on: {error.transcribe: bye}
  kept: {say: Kept., next: bye}
""")
    caller = Caller(private).speaks()
    caller.apply(ServiceAnswered(caller.job, Transcribed(masked=True))).hears("Keep it?")
    assert UNCONFIRMED in caller.call.memory.private
    judged = Caller(private).speaks().understood("the code").chooses("yes").last.judged
    told = step(private, caller.call, ChoiceMade(caller.op, "yes", "keys"), now=caller.now, judged=judged)
    assert [taken.target for taken in told.path] == ["kept", "bye"]
