"""Names (LANGUAGE C1, C5): letters of every alphabet, in one form; and choices that are called as a wire calls them."""

import json
from unicodedata import normalize

import pytest

from ivr.engine.naming import is_name
from ivr.flowfile.chart import chart_of
from ivr.flowfile.diagram import mermaid
from ivr.server.drawing.svg import picture
from tests.callers.bot import Bot, dial
from tests.callers.platform import Report
from tests.flowfile.reading import codes, flow, load, said
from tests.flowfile.test_flow_diagrams import LINE
from tests.flowfile.test_flow_schema import complaints
from tests.flows import flow_of

ODD_NAMES = [
    "1",
    "Technical issues",
    'a "quoted" one',
    "<b>&amp;</b>",
    "--> [*] : x; %% y #35;",
    "1.5",
    "日本",
    "🙂",
    "{{ x }}",
]


def asking(name: str) -> str:
    """Write a flow that compares the name of a choice, and says what came of it."""
    written = json.dumps(name, ensure_ascii=False)
    return f"""
flow: example
initial: ask
on: {{exhausted: bye, error: bye}}
states:
  ask:
    menu: {{prompt: "To go on press 7.", choices: {{{written}: {{dtmf: "7"}}}}, into: wish}}
    on: {{{written}: judge}}
  judge: {{decide: [{{guard: {json.dumps(f"wish == {written}", ensure_ascii=False)}, target: same}}, bye]}}
  same: {{say: The same., final: true}}
  bye: {{say: Goodbye., final: true, outcome: unresolved}}
"""


def chosen(bot: Bot, name: str) -> Bot:
    """Report a choice as the platform does: by the name that it was given."""
    asked = bot.workflow["actions"][-1] if bot.workflow else {}
    outcome = {"completionReason": "dtmfOptionMatched", "choiceName": name}
    result = {"type": "recognizeOutcome", "id": asked["operationId"], "outcome": "success", "choiceOutcome": outcome}
    return bot.post(
        Report(json.dumps({"id": "call-1", "operationOutcome": result, "callState": "established"}).encode())
    )


def called(text: str) -> Bot:
    caller = {"identity": "29:caller", "originator": True}
    call = {"id": "call-1", "participants": [caller], "presentedModalityTypes": ["audio"], "callState": "incoming"}
    return dial(flow_of(text)).post(Report(json.dumps(call).encode()))


@pytest.mark.parametrize("name", ODD_NAMES)
class TestAChoiceOfAnyName:
    def test_is_on_the_wire_as_written_and_compared_as_text(self, name: str) -> None:
        bot = called(asking(name))
        assert bot.workflow is not None
        assert bot.workflow["actions"][-1]["choices"] == [{"name": name, "dtmfVariation": "7"}]
        after = chosen(bot, name)
        assert after.workflow is not None
        assert after.workflow["actions"][0]["prompts"][0]["value"] == "The same."
        assert [taken.event for step in after.trace for taken in step.path if taken.state == "ask"] == [name]

    def test_is_nothing_that_the_check_or_the_schema_minds(self, name: str) -> None:
        assert [str(found) for found in load(asking(name)).findings] == []
        assert complaints(asking(name)) == []

    def test_breaks_no_diagram_and_no_picture(self, name: str) -> None:
        drawn = mermaid(flow_of(asking(name)))
        assert [line for line in drawn.splitlines() if not LINE.fullmatch(line)] == []
        shown = str(picture(chart_of(flow_of(asking(name))), "example"))
        assert "<b>" not in shown
        assert shown.count("<g class=") == 4 + 5  # boxes and arrows


def test_a_name_of_a_choice_needs_its_quotes() -> None:
    assert (
        'name: "go on" is not a valid name. Did you mean "go_on"? In quotes, a choice can have any name: "go on".'
        in said('start:\n  menu: {prompt: To go on press 1., choices: {go on: {dtmf: "1"}}}\n  next: bye\n')
    )


@pytest.mark.parametrize("name", ["", "  ", "\u00a0", "\u200b", "a\\u2028b", "x " * 300, "failed twice", "error"])
def test_what_no_choice_can_be_called(name: str) -> None:
    example = f'start:\n  menu: {{prompt: To go on press 1., choices: {{"{name}": {{dtmf: "1"}}}}}}\n  next: bye\n'
    assert "name" in codes(example)


def test_the_dots_in_the_name_of_a_choice_divide_nothing() -> None:
    example = """
start:
  menu: {prompt: To go on press 1. To stop press 2., choices: {"1": {dtmf: "1"}, "1.5": {dtmf: "2"}}}
  on: {"1": bye}
"""
    assert codes(example) == ["unhandled"]


# --- letters ---------------------------------------------------------------------------------------------------------

COMPOSED, TAKEN_APART = normalize("NFC", "größe"), normalize("NFD", "größe")
WORDS = ["größe", "размер", "μέγεθος", "大きさ", "גודל", "حجم", "आकार", "ขนาด", "크기", "kích_cỡ2"]


@pytest.mark.parametrize("word", WORDS)
def test_letters_of_every_alphabet_are_letters(word: str) -> None:
    text = f"""
flow: {word}-1
initial: {word}
on: {{exhausted: bye, error: bye}}
variables: {{{word}: 1}}
states:
  {word}:
    menu: {{prompt: To go on press 1., choices: {{{word}: {{dtmf: "1"}}}}, into: wish}}
    on: {{{word}: [{{guard: "visits.{word} > 1 or {word} == 2 or wish == '{word}'", target: bye}}, {word}]}}
  bye: {{say: "{{{{ {word} }}}}", final: true, outcome: {word}}}
"""
    assert [str(found) for found in load(text).findings if found.is_error] == []
    assert complaints(text) == []


@pytest.mark.parametrize("word", ["2nd", "_x", "a b", "a.b", "x!", "½", "٣x", "\u0301a", "🙂"])
def test_what_is_no_name(word: str) -> None:
    assert not is_name(word)
    assert "name" in codes(
        f'start: {{say: Hello., set: {{v: 1}}, next: "{word}"}}\n"{word}": {{say: Hello., next: bye}}'
    )


@pytest.mark.parametrize(("written", "meant"), [(COMPOSED, TAKEN_APART), (TAKEN_APART, COMPOSED)])
def test_a_word_is_the_same_name_in_both_of_its_forms(written: str, meant: str) -> None:
    built = flow(f"""
start:
  menu: {{prompt: "To go on press 1.", choices: {{{written}: {{dtmf: "1"}}}}, into: {written}}}
  on: {{{meant}: {written}}}
{meant}:
  set: {{{meant}: "x"}}
  decide: [{{guard: "{meant} == '{written}' and visits.{written} < 3", target: {written}}}, bye]
""")
    assert list(built.states) == ["start", "größe", "bye"]
    assert list(built.variables) == ["größe"]


def test_one_word_in_two_forms_is_one_key_twice() -> None:
    assert "duplicate-key" in codes(
        f"start: {{say: Hello., set: {{{normalize('NFC', 'é')}: 1, {normalize('NFD', 'é')}: 2}}, next: bye}}"
    )


def test_a_mistake_in_an_expression_is_told_where_it_stands_in_either_form() -> None:
    found = [
        f
        for f in load(f"""
flow: example
initial: start
states:
  start: {{say: "{{{{ {normalize("NFD", "größe")}.länge }}}}", final: true}}
""").findings
        if f.code == "undefined"
    ]
    assert [(f.message, f.line) for f in found] == [('Unknown name "größe".', 5)]
