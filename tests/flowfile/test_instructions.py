"""What a text tells a caller to press and to say, what only looks like it, and what listens to that (LANGUAGE C5)."""

from collections.abc import Sequence

import pytest

from ivr.flowfile.checks.key_instructions import keys_named
from ivr.flowfile.checks.word_instructions import beeps_named, words_named
from tests.flowfile.reading import codes, said

FORMS = frozenset({"sales", "technical issue", "yes", "no", "1", "that is right"})


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Press 1 or 4.", "1 4"),
        ("Press 1 for sales and 4 for support.", "1 4"),
        ("Press 1, 2 or 3. Press 4, 5, or 6.", "1 2 3 4 5 6"),
        ("Press 1/2/3.", "1 2 3"),
        ("Press 1, then 2, and then star.", "1 2 *"),
        ("Press one for yes and two for no.", "1 2"),
        ("For sales press 1, for support 4.", "1 4"),
        ("For sales, press 1; for support, 4.", "1 4"),
        ("Press 5 for very good, down to 1 for very bad.", "5 1"),
        ("Press 1 - sales, 2 - support.", "1 2"),
        ("Press 1: sales, 2: support.", "1 2"),
        ("Press 1 to 4. Press any key from 6 to 8. Press A through C.", "1 2 3 4 6 7 8 A C"),
        ("Press the pound or hash key, number sign, asterisk, or the star key.", "# # # * *"),
        ("Press '4' or \"5\". Press #6.", "4 5 6"),
        ("Enter 1 or 2. Choose option 3. Key 4.", "1 2 3 4"),
        ("Dial 0 for the operator. Push the button 3 now. Hit 9.", "0 3 9"),
        ("Press B or C.", "B C"),
        ("Please " * 60 + "press 1 for sales, 2 for support.", "1 2"),
    ],
)
def test_the_keys_that_a_text_tells_to_press(text: str, keys: str) -> None:
    assert [named.what for named in keys_named(text)] == keys.split()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Press 1 within 5 seconds.", "1"),
        ("Press 1 for line 4.", "1"),
        ("For help press 1, for line 4.", "1"),
        ("For help press 1, for as long as you and the 4 others like.", "1"),
        ("For help press 1, to talk press 2.", "1 2"),
        ("Press 1 for extension 4 or 5.", "1"),
        ("Press 1 for flights between 8 and 9 to Vienna.", "1"),
        ("Press 1, 24 hours a day. Press 2, 7 days a week.", "1 2"),
        ("Press 1 and 2 agents will call. Press 1 or 2 {{ things }}.", "1 1"),
        ("Press one of the keys. Press a key. Press A key. Press any key.", ""),
        ("Press any key from now on, or between 5 minutes.", ""),
        ("Enter 4 digits. Use 3 fingers. Choose 2 toppings.", ""),
        ("Dial 1 800 555 0100, or 911. Press 10.", ""),
        ("Do not press 9. Never press 8.", ""),
        ("Press {{ key }} for more, or {{ 'press 4' }}.", ""),
        ("If you have 3 bags, press 2.", "2"),
        ("Press 1. 4 people are waiting.", "1"),
        ("The press of today, hit parades, and a dial.", ""),
        ("Press", ""),
        ("Press #", "#"),
        (f"Press {'the ' * 60}4.", ""),
    ],
)
def test_a_number_that_is_no_key_is_none(text: str, keys: str) -> None:
    assert [named.what for named in keys_named(text)] == keys.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Say support or press 2.", ["support"]),
        ("Say sales, support or service.", ["sales", "support", "service"]),
        ("Say sales, or say support.", ["sales", "support"]),
        ("Say yes or no. Please answer yes or no.", ["yes", "no", "yes", "no"]),
        ("Say that is right or press 1. Say one or two.", ["that is right", "1", "2"]),
        ('Say "agent", or say the word ‘help’.', ["agent", "help"]),
        ("You can also say cancel. Just say operator.", ["cancel", "operator"]),
        ("To hear that again say repeat.", ["repeat"]),
        ("Say sales for sales or support for support.", ["sales", "support"]),
        ("Say sales for shoes or boots.", ["sales"]),
        ("Say sales for shoes. Or talk for a while.", ["sales"]),
        ("Say sales and yes. Say either sales or support.", ["sales", "yes", "sales", "support"]),
        ("Say", []),
    ],
)
def test_the_words_that_a_text_tells_to_say(text: str, words: Sequence[str]) -> None:
    assert [named.what for named in words_named(text, FORMS)] == words


@pytest.mark.parametrize(
    "text",
    [
        "Say your name after the beep.",
        "We want to say thank you. They say support. We can say so.",
        "Say the name of the department. Say which one. Say something.",
        "Say hello to our new app.",
        "Don't say agent. Say or enter your number.",
        "Say what went wrong with it in your own words.",
        "Say {{ name }}, or \"{{ name }}\". Say ''. Say 'it.",
        "Answer four short questions. Please answer maybe.",
        "Say long sentences that nobody could guess.",
    ],
)
def test_words_that_are_only_described_are_none(text: str) -> None:
    assert list(words_named(text, FORMS)) == []


def test_after_what_is_listened_for_something_else_may_follow() -> None:
    text = "Say sales or hold the line. Say sales, press 2. Say yes, then wait. Say sales, our best team."
    assert [named.what for named in words_named(text, FORMS)] == ["sales", "sales", "yes", "sales"]


@pytest.mark.parametrize(
    ("text", "beeps"),
    [
        ("Speak after the beep.", ["beep"]),
        ("Begin at the tone. When you hear the long signal, speak.", ["tone", "signal"]),
        ("There is no dial tone. A beep is a sound.", []),
    ],
)
def test_the_beeps_that_a_text_tells_to_wait_for(text: str, beeps: Sequence[str]) -> None:
    assert [named.what for named in beeps_named(text)] == beeps


# --- in a flow -------------------------------------------------------------------------------------------------------

MENU = 'menu: {prompt: For sales press 1., choices: {sales: {dtmf: "1", speech: [sales]}}, OTHER}'


def found(text: str) -> list[str]:
    told = [line for line in said(text) if line.startswith("prompt-key")]
    return [line.removeprefix("prompt-key: The prompt says ").partition(". Correct")[0] for line in told]


@pytest.mark.parametrize("key", ["noMatch", "noInput", "reprompt"])
def test_every_text_of_a_question_is_compared_with_it(key: str) -> None:
    menu = MENU.replace("OTHER", f"{key}: Please press 3 or say help.")
    assert found(f"start: {{{menu}, next: bye}}") == [
        '"press 3", but the key 3 is not accepted here',
        '"help", but this is not recognized here',
    ]


@pytest.mark.parametrize(
    "transition",
    [
        "start: {say: Press 2 for more., next: ask}",
        "start: {say: Hello., next: {say: Press 2 for more., target: ask}}",
        "start: {say: Press 2 for more., next: wait}\nwait: {decide: [ask]}",
        "start: {record: {prompt: Speak., transcribe: true, holdPrompt: Press 2 for more.}, next: ask}",
        "start: {say: Hello., next: ask, on: {error: {say: Press 2 for more., target: ask}}}",
    ],
)
def test_what_is_said_on_the_way_to_a_question_is_compared_with_it(transition: str) -> None:
    ask = f"\nask: {{{MENU.replace(', OTHER', '')}, next: bye}}\n"
    assert found(transition + ask) == ['"Press 2", but the key 2 is not accepted here']
    assert found(transition.replace("Press 2", "Press 1") + ask) == []


def test_what_the_flow_says_on_an_event_is_compared_with_where_it_leads() -> None:
    head = "on: {exhausted: {say: Press 2 to try again., target: start}, error: bye}\nstates:\n"
    text = head + f"  start: {{{MENU.replace('OTHER', 'maxAttempts: 1')}, next: bye}}\n"
    assert '"Press 2 to try again' not in found(text)
    assert any("the key 2 is not accepted here" in line for line in found(text))
    assert found(text.replace("target: start", "target: self").replace("say: Press 2 to try again., ", "")) == []


def test_what_the_flow_says_before_it_asks_again_belongs_to_many_questions() -> None:
    head = "on: {exhausted: bye, error: bye, hangup: {say: Press 8., target: self}}\nstates:\n"
    assert found(head + f"  start: {{{MENU.replace(', OTHER', '')}, next: bye}}\n") == []


def test_a_state_that_leads_to_two_questions_may_tell_of_either() -> None:
    more = 'more: {menu: {prompt: Press 2., choices: {a: {dtmf: "2"}}}, next: bye}'
    ask = f"ask: {{{MENU.replace(', OTHER', '')}, next: bye}}"
    pick = "pick: {decide: [{guard: call.from, target: ask}, {guard: call.language, target: twin}, more]}"
    text = "\n".join(["start: {say: Press 1 or 2., next: pick}", pick, ask, ask.replace("ask", "twin"), more])
    assert found(text) == []
    assert found(text.replace("Press 1 or 2", "Press 3")) == ['"Press 3", but the key 3 is not accepted here']


def test_asking_again_is_compared_with_the_question_itself() -> None:
    menu = MENU.replace(", OTHER", "")
    again = f"start: {{{menu}, on: {{sales: [{{guard: visits.start < 3, say: Press 7., target: self}}, bye]}}}}"
    assert any('"Press 7", but the key 7 is not accepted here' in line for line in found(again))


def test_a_text_for_all_states_has_to_be_right_in_each_that_uses_it() -> None:
    text = """
defaults: {noMatch: Press star to go back., noInput: Press 1.}
states:
  start: {menu: {prompt: Press 1. To go back press star., choices: {a: {dtmf: "1"}, b: {dtmf: "*"}}}, next: ask}
  ask: {menu: {prompt: For sales press 1., choices: {sales: {dtmf: "1"}}}, next: own}
  own: {menu: {prompt: Press 2., noMatch: No., noInput: No., choices: {go: {dtmf: "2"}}}, next: bye}
"""
    assert found(text) == ['"Press star", but the key * is not accepted in "ask"']


def test_nothing_listens_at_the_end_of_a_call_but_another_call_may_be_told_of() -> None:
    assert found("start: {say: Press 4 for more., next: bye}") == ['"Press 4", but the key 4 is not accepted here']
    assert found("start: {say: 'Next time, press 4. We say thank you after the beep.', next: bye}") == []


@pytest.mark.parametrize(
    ("digits", "prompt", "code"),
    [
        ("into: d", "Key it, then press star.", ["prompt-key"]),
        ('into: d, terminators: "*"', "Key it, then press star.", []),
        ('into: d, terminators: "*"', "Key it, then press pound.", ["prompt-key"]),
        ("into: d", "Key it, then press pound. Press 1 to 9.", []),
        ("into: d", "Press star for the point.", []),
        ("into: d", "Say yes.", ["prompt-key"]),
        ("into: d", "Key it after the tone.", ["prompt-key"]),
    ],
)
def test_the_keys_of_digits_are_part_of_an_answer_or_end_it(digits: str, prompt: str, code: list[str]) -> None:
    text = f'start: {{digits: {{prompt: "{prompt}", {digits}}}, next: told}}\n'
    assert codes(text + 'told: {say: "{{ d | digits }}", next: bye}') == code


@pytest.mark.parametrize(
    ("type_", "prompt", "code"),
    [
        ("{type: decimal}", "Press 1.", []),
        ("{type: integer}", "Press star.", ["prompt-key"]),
        ("{type: integer, min: 1, max: 5}", "Press 6.", ["prompt-key"]),
        ("{type: integer, min: 1, max: 5}", "Press 1 to 5.", []),
        ("{type: text, values: ['1', '*'], default: '1'}", "Press 1 or star.", []),
        ("{type: text, values: ['1', '*'], default: '1'}", "Press 2.", ["prompt-key"]),
    ],
)
def test_the_keys_of_digits_fit_what_they_are_kept_in(type_: str, prompt: str, code: list[str]) -> None:
    states = f"""
  start: {{digits: {{prompt: {prompt}, maxDigits: 1, into: d}}, next: told}}
  told: {{decide: [{{guard: d, target: start}}, bye]}}
"""
    assert [one for one in codes(f"variables: {{d: {type_}}}\nstates:{states}") if one == "prompt-key"] == code


def test_the_star_is_a_point_and_no_part_of_another_number() -> None:
    text = "variables: {d: {type: TYPE}}\nstates:\n  start: {digits: {prompt: Key it with a star. Press star., into: d}"
    text += ", next: told}\n  told: {say: '{{ d | number }}', next: bye}\n"
    assert codes(text.replace("TYPE", "decimal")) == []
    assert codes(text.replace("TYPE", "integer")) == ["prompt-key"]


def test_a_key_that_a_guard_looks_for_is_an_answer() -> None:
    text = "start: {digits: {prompt: To skip press star., into: d}, next: [{guard: d == '*', target: bye}, told]}\n"
    assert codes(text + 'told: {say: "{{ d | digits }}", next: bye}') == []


def test_a_recording_listens_for_its_phrases_and_beeps_if_it_does() -> None:
    record = "start: {record: {prompt: Say cancel or sales after the beep., OTHER}, next: bye, on: {error: bye}}"
    phrases = "transcribe: true, phrases: [the sales team, help]"
    assert found(record.replace("OTHER", phrases)) == ['"cancel", but this is not recognized here']
    assert found(record.replace("OTHER", "transcribe: true")) == []
    assert found(record.replace("OTHER", "beep: false")) == ['"after the beep", but there is no beep here']


def test_what_is_not_known_is_not_doubted() -> None:
    """A choice that was cut out may have had the key."""
    assert "prompt-key" not in codes('start: {menu: {prompt: Press 2., choices: {a: {dtmf: "22"}}}, next: bye}')
    lost = 'start: {say: Press 2., next: ask}\nask: {menu: {prompt: Hm., choices: {a: {dtmf: "22"}}}, next: bye}'
    assert "prompt-key" not in codes(lost)
    assert "prompt-key" not in codes("start: {say: Press 2., next: nowhere}")
