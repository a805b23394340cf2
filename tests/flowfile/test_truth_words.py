"""Words that look like false, true or nothing, where one of them is meant (LANGUAGE C1, C10)."""

import pytest

from tests.caller import Caller
from tests.flowfile.reading import codes, load, said, whole

ASKED = """
variables: {closed: %s}
states:
  start: {decide: [{guard: %s, target: shut}, bye]}
  shut: {say: "%s", next: bye}
"""
FALSE = ["no", "No", "NO", "off", "False", "FALSE", "n"]
NOTHING = ["~", "null", "Null", "NULL", "None"]


def truths(text: str) -> list[str]:
    return [message.removeprefix("truth-word: ") for message in said(text) if message.startswith("truth-word: ")]


def told(word: str, ours: str) -> str:
    return f'"{word}" is a text here, and a text counts as true. Write {ours}'


class TestWhatIsAskedWhetherItIsTrue:
    @pytest.mark.parametrize("word", FALSE)
    @pytest.mark.parametrize("guard", ["closed", "not closed", "call.from and closed", "closed or call.from"])
    def test_a_default_without_quotes(self, word: str, guard: str) -> None:
        assert truths(ASKED % (word, guard, "Closed.")) == [told(word, "false.")]

    @pytest.mark.parametrize("word", ["yes", "On", "True"])
    def test_a_word_for_true_is_a_text_too(self, word: str) -> None:
        assert truths(ASKED % (word, "closed", "Closed.")) == [told(word, "true.")]

    @pytest.mark.parametrize("word", ["nil", "undefined", "N/A"])
    def test_a_word_for_nothing(self, word: str) -> None:
        assert truths(ASKED % (word, "closed", "Closed.")) == [told(word, "none.")]

    @pytest.mark.parametrize("word", ["no", "False", "null"])
    def test_a_default_in_quotes(self, word: str) -> None:
        ours = "none" if word == "null" else "false"
        assert truths(ASKED % (f'"{word}"', "closed", "Closed.")) == [told(word, f"{ours}, without quotes.")]

    def test_a_default_of_a_text(self) -> None:
        variable = "{type: text, default: no}"
        assert truths(ASKED % (variable, "closed", "Closed.")) == [told("no", 'false, and "type: boolean".')]

    @pytest.mark.parametrize(
        "spoken",
        [
            "{{ 'x' if closed else 'y' }}",
            "{{ closed or 'y' }}",
            "{{ 'x' if not closed else 'y' }}",
            "{{ closed and 'x' }}",
        ],
    )
    def test_in_what_is_spoken(self, spoken: str) -> None:
        assert truths(ASKED % ("no", "call.from", spoken)) == [told("no", "false.")]

    def test_what_is_set(self) -> None:
        text = """
variables: {closed: {type: text, default: ""}}
states:
  start: {decide: [{guard: call.from, set: {closed: %s}, target: ask}, ask]}
  ask: {decide: [{guard: closed, target: shut}, bye]}
  shut: {say: Closed., next: bye}
"""
        message = '"off" is a text here, and a text counts as true. Declare "closed" as a boolean, and write false.'
        assert truths(text % "off") == [message]
        assert truths(text % "~") == ['"~" is a text here, and a text counts as true. Write "{{ none }}".']
        assert truths(text % "\"{{ none or '' }}\"") == []

    def test_the_name_of_a_choice(self) -> None:
        text = """
start:
  menu: {prompt: To agree press 1. To refuse press 2., choices: {yes: {dtmf: "1"}, no: {dtmf: "2"}}, into: agreed}
  next: judge
judge: {decide: [{guard: agreed%s, target: good}, bye]}
good: {say: Thank you., next: bye}
"""
        assert truths(text % "") == [
            (
                '"agreed" holds the name of a choice, which counts as true, even "no". '
                "Compare it instead: agreed == 'no'."
            )
        ]
        assert truths(text % " == 'yes'") == []


class TestWhatIsTakenForNone:
    @pytest.mark.parametrize("word", NOTHING)
    def test_it_is_none_and_told(self, word: str) -> None:
        text = ASKED % (word, "closed", "Closed.")
        assert truths(text) == [f'"{word}" is read as none. Write none.']
        assert Caller(load(whole(text)).served()).heard == "Goodbye."

    @pytest.mark.parametrize("word", NOTHING)
    def test_it_is_none_in_the_long_form(self, word: str) -> None:
        text = """
variables: {name: {type: text, default: %s}}
states:
  start: {say: ["Dear caller.", {guard: name, text: "Hello {{ name }}."}], next: bye}
"""
        assert truths(text % word) == [f'"{word}" is read as none. Write none.']
        assert Caller(load(whole(text % word)).served()).heard == "Dear caller. Goodbye."
        assert Caller(load(whole(text % f'"{word}"')).served()).heard == f"Dear caller. Hello {word}. Goodbye."

    @pytest.mark.parametrize("type_", ["integer", "boolean", "date", "recording"])
    def test_a_variable_of_any_type_can_have_none(self, type_: str) -> None:
        text = f"""
variables: {{x: {{type: {type_}, default: null}}}}
states:
  start: {{decide: [{{guard: x is none, target: bye}}, bye]}}
"""
        assert set(codes(text)) == {"truth-word", "never-set"}

    def test_what_may_be_none_is_not_compared_with_a_word_for_it(self) -> None:
        message = '\'%s\' is a text, but what is compared with it may be none. Write "is none" or "is not none".'
        text = "start: {decide: [{guard: %s, target: bye}, bye]}"
        assert truths(text % "call.from == 'none'") == [message % "none"]
        assert truths(text % "\"'NULL' != call.from\"") == [message % "NULL"]
        assert truths(text % "\"call.from in ['1', '~']\"") == [message % "~"]
        assert truths(text % "call.to == 'none'") == []
        assert truths(text % "call.from == 'no'") == []
        assert truths(text % "call.form == 'none'") == []

    def test_a_word_that_a_variable_can_hold_is_compared(self) -> None:
        text = """
variables: {size: {type: text, default: none, values: [none, small]}}
states:
  start: {decide: [{guard: size == 'none', target: bye}, ask]}
  ask: {digits: {prompt: Which size?, into: size}, next: start}
"""
        assert truths(text) == []
        assert truths(text.replace(", values: [none, small]", "")) != []


class TestWordsThatAreMeant:
    @pytest.mark.parametrize(
        "text",
        [
            ASKED % ("false", "closed", "Closed."),
            ASKED % ("no", "closed == 'yes'", "Closed."),
            ASKED % ("no", "\"closed in ['no', 'yes']\"", "Closed."),
            ASKED % ('"no"', "call.from", "{{ closed }}"),
            ASKED % ("{type: text, default: no}", "call.from", "{{ closed }}"),
            ASKED % ("never", "closed", "Closed."),
            ASKED % ("{type: text, values: [yes, no], default: no}", "call.from", "{{ closed }}"),
        ],
    )
    def test_they_are_not_found(self, text: str) -> None:
        assert truths(text) == []

    def test_a_word_in_no_use_is_doubted(self) -> None:
        assert truths(ASKED % ("no", "call.from", "{{ closed }}")) == [
            '"no" is a text here. Write false, or put the word in quotes if the text is meant.'
        ]

    def test_a_word_is_set_that_is_compared_with(self) -> None:
        text = """
variables: {call_back: {type: text, default: ""}}
states:
  start: {decide: [{guard: call.from, set: {call_back: %s}, target: ask}, ask]}
  ask: {decide: [{guard: call_back %s, target: bye}, bye]}
"""
        assert truths(text % ("no", "== 'yes'")) == []
        assert truths(text % ("no", "!= ''")) == []
        assert truths(text % ("none", "== 'none'")) == []
        assert truths(text % ("none", "!= ''")) == ['"none" is a text here. Write "{{ none }}".']


class TestWhatWouldBeSpoken:
    @pytest.mark.parametrize("word", ["none", "null", "~", "off", "no", "False"])
    def test_a_text_that_can_be_left_out(self, word: str) -> None:
        text = f"start: {{digits: {{prompt: Which?, noInput: {word}}}, next: bye}}"
        assert truths(text) == [f'The word "{word}" would be spoken. To say nothing, leave out "noInput".']

    @pytest.mark.parametrize("word", ["none", "null", "~"])
    def test_a_prompt(self, word: str) -> None:
        message = f'The word "{word}" would be spoken. To say nothing, leave out "say".'
        assert truths(f"start: {{say: {word}, next: bye}}") == [message]
        assert truths(f"start: {{say: [{{text: {word}}}], next: bye}}") == [message]
        assert truths(f'start: {{say: "{word}", next: bye}}') == []

    def test_a_word_that_can_be_meant(self) -> None:
        assert truths("start: {say: No, next: bye}") == []


@pytest.mark.parametrize(
    ("guard", "hint"),
    [
        ("done == no", 'Write "false".'),
        ("done == off", 'Write "false".'),
        ("done == YES", 'Write "true".'),
        ("done == None", 'Write "none".'),
        ("done == NULL", 'Write "none".'),
        ("done == 'no'", 'Use the value itself, or "not" before it.'),
    ],
)
def test_a_word_in_a_guard_gets_ours(guard: str, hint: str) -> None:
    text = f"""
variables: {{done: false}}
states:
  start: {{decide: [{{guard: "{guard}", target: bye}}, bye]}}
"""
    assert any(message.endswith(hint) for message in said(text))
