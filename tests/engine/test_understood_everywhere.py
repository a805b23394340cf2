"""C5: the flow's commands are understood at every question, unless it says otherwise or has their key or word."""

from ivr.engine.commands import Choice, Recognize
from ivr.engine.flow import Flow
from tests.caller import Caller
from tests.flowfile.reading import flow, load, whole

FLOW = flow("""
variables: {rooms: {type: integer, min: 1}}
on: {exhausted: bye, error: bye, operator: person, repeat: self}
commands:
  operator: {dtmf: "0", speech: [operator], prompt: "For a person, press {{ key }}."}
  repeat: {dtmf: "*", speech: [repeat]}
states:
  start:
    menu:
      prompt: For sales press 1.
      choices: {sales: {dtmf: "1", speech: [sales]}}
    on: {sales: number}
  number:
    digits: {prompt: Key the number of rooms., maxDigits: 2, into: rooms}
    next: told
  told:
    say: "You want {{ rooms }} rooms."
    next: bare
  bare:
    menu: {prompt: For more press 1., choices: {more_news: {dtmf: "1"}}, commands: false}
    next: bye
  person: {say: One moment., final: true}
""")


def accepted(example: str) -> Flow:
    """Build a flow in which a command has no place somewhere, which is a warning."""
    return load(whole(example)).served()


def asked(caller: Caller) -> Recognize:
    command = caller.commands[-1]
    assert isinstance(command, Recognize)
    return command


def test_a_menu_offers_them_after_its_choices() -> None:
    caller = Caller(FLOW).hears("For sales press 1. For a person, press 0.")
    assert asked(caller).choices == (
        Choice("sales", "1", ("sales",)),
        Choice("operator", "0", ("operator",)),
        Choice("repeat", "*", ("repeat",)),
    )


def test_a_command_is_an_event_that_the_flow_handles() -> None:
    Caller(FLOW).chooses("operator").hears("One moment.")


def test_a_command_is_known_by_its_key_and_its_words() -> None:
    Caller(FLOW).presses("0").hears("One moment.")
    Caller(FLOW).says("Operator").hears("One moment.")


def test_repeat_leads_to_self_and_asks_again_without_entering() -> None:
    caller = Caller(FLOW).answers_wrong().chooses("repeat").hears("For sales press 1. For a person, press 0.")
    assert caller.call.memory.visits == {"start": 1}
    assert caller.call.wrong == 1


def test_in_digits_the_key_alone_is_a_command_where_it_is_no_answer() -> None:
    Caller(FLOW).chooses("sales").presses("0").hears("One moment.")


def test_in_digits_a_key_that_is_an_answer_is_one() -> None:
    menu = FLOW.states["number"].action
    assert [choice.name for choice in menu.question.everywhere] == ["operator", "repeat"]  # type: ignore[attr-defined]
    assert Caller(FLOW).chooses("sales").presses("10").heard == "You want 10 rooms. For more press 1."


def test_commands_false_turns_them_off() -> None:
    caller = Caller(FLOW).chooses("sales").presses("3")
    assert asked(caller).choices == (Choice("more_news", "1"),)


def test_a_choice_with_the_key_the_word_or_the_name_of_a_command_takes_its_place() -> None:
    taken = accepted("""
on: {exhausted: bye, error: bye, operator: bye, repeat: self, agent: bye}
commands:
  operator: {dtmf: "0", speech: [operator]}
  repeat: {dtmf: "*", speech: [again]}
  agent: {dtmf: "9"}
states:
  start:
    menu:
      prompt: For nothing press 0. To hear it again press 1 or say again. For an agent press 2.
      choices: {nothing: {dtmf: "0"}, more_of_it: {dtmf: "1", speech: [Again.]}, agent: {dtmf: "2"}}
    next: second
  second: {menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}}, next: bye}
""")
    caller = Caller(taken)
    assert [choice.name for choice in asked(caller).choices] == ["nothing", "more_of_it", "agent"]
    caller.chooses("nothing")
    assert [choice.name for choice in asked(caller).choices] == ["go", "operator", "repeat", "agent"]


def test_a_choice_that_is_not_offered_now_keeps_its_key_from_a_command() -> None:
    guarded = accepted("""
on: {exhausted: bye, error: bye, operator: bye}
commands: {operator: {dtmf: "0"}}
states:
  start:
    menu:
      prompt: To go on press 1.
      choices: {go: {dtmf: "1"}, call_back: {dtmf: "0", prompt: To be called press 0., guard: call.from}}
    next: second
  second: {menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}}, next: bye}
""")
    assert [choice.name for choice in asked(Caller(guarded, caller=None)).choices] == ["go"]


def test_a_command_keeps_nothing_and_a_command_that_was_not_offered_is_an_error() -> None:
    keeping = flow("""
on: {exhausted: bye, error: bye, operator: told}
commands: {operator: {dtmf: "0"}}
variables: {chosen: {type: text, default: nothing}}
states:
  start: {menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}, into: chosen}, next: told}
  told: {say: [{guard: chosen == 'go', text: On.}, {guard: chosen == 'nothing', text: Nothing.}], next: bye}
""")
    Caller(keeping).chooses("operator").hears("Nothing. Goodbye.")
    Caller(keeping).chooses("nobody").hears("Goodbye.")
