"""C5: `foreach`, one choice for each item of a list, in pages."""

import pytest
from msgspec.structs import replace

from ivr.engine.commands import Choice, Recognize
from ivr.engine.events import KeysJudged
from ivr.engine.flow import Flow
from ivr.engine.values import pack
from tests.caller import Caller
from tests.flowfile.reading import flow


def asking(list_of_choices: str, on: str, more: str = "") -> Flow:
    """Return a flow that asks with a list, in a state that a call comes to by the choice `go`."""
    return flow(f"""
variables: {{rooms: {{type: ["text"], default: none}}, chosen: {{type: text, default: no room}}}}
on: {{exhausted: bye, error: bye, operator: bye}}
commands: {{operator: {{dtmf: "0", speech: [operator]}}}}
states:
  start: {{menu: {{prompt: To go on press 1., choices: {{go: {{dtmf: "1"}}}}}}, on: {{go: ask}}}}
  ask:
    menu:
      prompt: Which room?
      choices:
{list_of_choices}
      noMatch: Pardon?
    on: {on}
  fill: {{say: "You have {{{{ chosen }}}}.", set: {{rooms: "{{{{ rooms }}}}"}}, next: bye}}
{more}""")


ROOMS = asking(
    """
        room:
          foreach: rooms
          page: 2
          speech: ["{{ room }}", "the {{ room }} one"]
          prompt: "For {{ room }}, press {{ key }}."
          guard: room != 'grey'
          more: {dtmf: "9", speech: [more], prompt: "For more, press {{ key }}."}
          into: chosen
        any_room: {dtmf: "2", speech: [any], prompt: "For any, press {{ key }}."}""",
    """
      room: {say: "{{ choice }} {{ room }}.", target: fill}
      any_room: fill
      empty: {say: There is none., target: bye}
      operator: self""",
)


def with_rooms(caller: Caller, *names: str) -> Caller:
    """Let a call know these rooms."""
    memory = caller.call.memory
    known = {**memory.variables, "rooms": pack(names)}
    caller.call = replace(caller.call, memory=replace(memory, variables=known))
    return caller


def called(*names: str) -> Caller:
    """Call, and come to the question with these rooms."""
    return with_rooms(Caller(ROOMS), *names).chooses("go")


def choices(caller: Caller) -> tuple[Choice, ...]:
    command = caller.commands[-1]
    assert isinstance(command, Recognize)
    return command.choices


def test_each_item_has_a_free_key_its_words_and_its_prompt_in_the_order_of_the_file() -> None:
    caller = called("red", "blue").hears("Which room? For red, press 1. For blue, press 3. For any, press 2.")
    assert choices(caller) == (
        Choice("room 1", "1", ("red", "the red one")),
        Choice("room 2", "3", ("blue", "the blue one")),
        Choice("any_room", "2", ("any",)),
        Choice("operator", "0", ("operator",)),
    )


def test_an_item_is_an_event_with_the_name_of_its_choice_and_the_item_as_a_field() -> None:
    called("red", "blue").chooses("room 2").hears("room blue. You have blue. Goodbye.")


@pytest.mark.parametrize("answer", ["3", "blue", "The blue one."])
def test_an_item_is_known_by_its_key_and_its_words(answer: str) -> None:
    caller = called("red", "blue")
    (caller.presses if answer == "3" else caller.says)(answer).hears("room blue. You have blue. Goodbye.")


def test_a_fixed_choice_beside_a_list_is_itself() -> None:
    called("red").chooses("any_room").hears("You have no room. Goodbye.")
    called("red").presses("2").hears("You have no room. Goodbye.")


def test_each_word_belongs_to_one_choice_whatever_a_service_calls_its_items() -> None:
    """A line may refuse a whole question in which two choices have the same words (protocol 5.5)."""
    caller = called("Any", "Anna", "anna!", "?", "\x00\x9b", "more")
    page_1, page_2, page_3 = choices(caller), choices(caller.presses("9")), choices(caller.presses("9"))
    assert [one.speech for one in page_1] == [
        ("the Any one",), ("Anna", "the Anna one"), ("more",), ("any",), ("operator",),
    ]  # fmt: skip
    assert [one.speech for one in page_2[:2]] == [("anna!", "the anna! one"), ("the ? one",)]
    assert page_3[1].speech == ("the more one",)
    assert called("Anna", "anna").says("Anna").heard.startswith("room Anna.")
    assert called("any").says("any").heard.startswith("You have no room.")


def test_more_offers_the_next_page_and_is_no_attempt_and_no_event() -> None:
    caller = called("red", "blue", "green")
    caller.hears("Which room? For red, press 1. For blue, press 3. For more, press 9. For any, press 2.")
    caller.chooses("room more").hears("For green, press 1. For any, press 2.")
    assert (caller.call.silent, caller.call.wrong, caller.last.path) == (0, 0, ())
    caller.chooses("room 3").hears("room green. You have green. Goodbye.")


@pytest.mark.parametrize("answer", ["9", "more"])
def test_more_is_known_by_its_key_and_its_words(answer: str) -> None:
    caller = called("red", "blue", "green")
    (caller.presses if answer == "9" else caller.says)(answer).hears("For green, press 1. For any, press 2.")


def test_more_is_there_only_while_items_are_left() -> None:
    caller = called("red", "blue", "green").chooses("room more").presses("9")
    caller.hears("Pardon? Which room? For green, press 1. For any, press 2.")
    assert caller.call.wrong == 1


def test_a_wrong_answer_and_self_stay_on_the_page() -> None:
    caller = called("red", "blue", "green").chooses("room more").answers_wrong()
    caller.hears("Pardon? Which room? For green, press 1. For any, press 2.")
    caller.chooses("operator").hears("Which room? For green, press 1. For any, press 2.")


def test_entering_another_state_begins_anew() -> None:
    caller = called("red", "blue", "green").chooses("room more").chooses("room 3")
    assert caller.call.progress.page == 0


@pytest.mark.parametrize("names", [(), ("grey", "grey")])
def test_a_list_without_items_raises_empty_whatever_else_could_be_chosen(names: tuple[str, ...]) -> None:
    called(*names).hears("There is none. Goodbye.")


def test_the_guard_is_asked_of_each_item() -> None:
    called("grey", "red").hears("Which room? For red, press 1. For any, press 2.")


def test_a_list_that_is_none_has_no_items() -> None:
    Caller(ROOMS).chooses("go").hears("There is none. Goodbye.")


def test_at_most_a_hundred_items_can_be_chosen() -> None:
    caller = called(*(f"r{number}" for number in range(101)))
    for _ in range(49):
        caller.chooses("room more")
    caller.hears("For r98, press 1. For r99, press 3. For any, press 2.")


def test_the_item_is_the_one_that_was_offered_though_the_list_is_another_by_now() -> None:
    with_rooms(called("red", "blue"), "green", "white").presses("3").hears("room blue. You have blue. Goodbye.")


def test_a_page_that_is_not_there_any_more_becomes_the_first() -> None:
    caller = with_rooms(called("red", "blue", "green").chooses("room more"), "white").answers_wrong()
    caller.hears("Pardon? Which room? For white, press 1. For any, press 2.")


def test_a_list_that_is_empty_when_more_is_wanted_raises_empty() -> None:
    with_rooms(called("red", "blue", "green")).chooses("room more").hears("There is none. Goodbye.")


def test_names_on_the_line_are_unlike_those_of_other_choices() -> None:
    alike = asking(
        """
        item: {foreach: rooms, prompt: "{{ item }} is {{ key }}.", page: 3, more: {dtmf: "9", speech: [more]}}
        "item 1": {dtmf: "5", prompt: Or 5.}""",
        """
      item: {say: "{{ item }}.", set: {chosen: "{{ item }}"}, target: fill}
      "item 1": {say: The other., target: fill}
      empty: bye""",
    )
    caller = with_rooms(Caller(alike), "a", "b").chooses("go")
    names = [choice.name for choice in choices(caller)]
    assert (len(set(names)), names[2]) == (4, "item 1")
    assert caller.chooses("item 1").heard.startswith("The other.")
    again = with_rooms(Caller(alike), "a", "b").chooses("go")
    assert again.presses("1").heard.startswith("a.")


def test_an_item_without_words_has_a_key_alone() -> None:
    silent = asking(
        """
        item: {foreach: rooms, prompt: "{{ item }} is {{ key }}.", speech: ["{{ '' }}"], more: {dtmf: "9"}}""",
        '{item: {set: {chosen: "{{ item }}"}, target: fill}, empty: bye}',
    )
    assert choices(with_rooms(Caller(silent), "a").chooses("go"))[0] == Choice("item 1", "1")


def test_the_item_of_a_menu_that_asks_whether_that_is_right_is_kept_until_then() -> None:
    confirmed = asking(
        """
        room: {foreach: rooms, prompt: "{{ room }} is {{ key }}.", more: {dtmf: "9"}, into: chosen}
        garden: {dtmf: "5", prompt: The garden is 5.}
      confirm: [{guard: choice == 'garden', text: The garden?}, {guard: choice == 'room', text: That room?}]""",
        "{room: fill, garden: {say: Outside., target: bye}, empty: bye}",
    )

    def begun() -> Caller:
        return with_rooms(Caller(confirmed), "red", "blue").chooses("go")

    begun().chooses("room 2").hears("That room?").chooses("yes").hears("You have blue. Goodbye.")
    asked = begun().presses("2").hears("That room?").answers_wrong().hears("Pardon? That room?")
    asked.presses("1").hears("You have blue. Goodbye.")
    begun().presses("5").hears("The garden?").says("yes").hears("Outside. Goodbye.")
    assert begun().presses("5").chooses("no").heard.startswith("Which room?")


def test_a_judgement_of_private_keys_means_nothing_to_a_menu() -> None:
    caller = called("red")
    caller.apply(KeysJudged(caller.op, "accepted")).ignored("not an answer to what was asked")


def test_a_menu_says_which_variable_keeps_a_fixed_choice() -> None:
    kept = flow("""
on: {exhausted: bye, error: bye}
states:
  start: {menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}, into: way}, next: told}
  told: {say: {guard: way == 'go', text: On.}, next: bye}
""")
    assert (kept.states["start"].action.keeps, ROOMS.states["ask"].action.keeps) == ("way", None)
