"""Commands of the flow beside what can be answered: where both mean the same key, and what is known of them."""

from pathlib import Path

from ivr.flowfile.load import load_flow
from tests.flowfile.reading import codes, load, whole

COMMANDS = """
commands: {operator: {dtmf: "KEY"}}
on: {exhausted: bye, error: bye, operator: bye}
states:
"""


def test_a_command_on_a_key_that_ends_the_choices_of_several_keys_cannot_be_used() -> None:
    menu = """
  start:
    menu: {prompt: "Press 1 or 12.", terminators: "#", choices: {one: {dtmf: "1"}, twelve: {dtmf: "12"}}}
    next: bye
"""
    found = load(whole(COMMANDS.replace("KEY", "#") + menu.lstrip("\n"))).findings
    assert "ends the input" in " ".join(one.message for one in found if one.code == "command")


def test_a_command_whose_key_is_no_answer_of_the_variable_can_be_used() -> None:
    number = """
  start: {digits: {prompt: Your number., maxDigits: 3, into: number}, next: tell}
  tell: {say: "{{ number }}.", next: bye}
"""
    variables = "variables: {number: {type: integer}}\n"
    assert "command" not in codes(variables + COMMANDS.replace("KEY", "*").lstrip("\n") + number.lstrip("\n"))
    assert "command" in codes(variables + COMMANDS.replace("KEY", "7").lstrip("\n") + number.lstrip("\n"))


def test_a_transition_of_a_command_reads_which_command_it_was() -> None:
    menu = """
  start:
    menu: {prompt: Press 1., choices: {one: {dtmf: "1"}}}
    on: {one: bye, operator: {say: "{{ choice }}.", target: bye}}
"""
    assert "undefined" not in codes(COMMANDS.replace("KEY", "0") + menu.lstrip("\n"))


def test_a_key_may_be_that_of_a_command_that_cannot_be_read() -> None:
    menu = """
  start: {menu: {prompt: Press 1. For the operator press 0., choices: {one: {dtmf: "1"}}}, next: bye}
"""
    assert "prompt-key" not in codes(COMMANDS.replace('"KEY"', '"0", dtfm: "0"') + menu.lstrip("\n"))
    broken = 'commands: {operator: {speech: {dtmf: "0"}}}\n' + COMMANDS.split("\n", 2)[2]
    assert "prompt-key" not in codes(broken + menu.lstrip("\n"))


def test_a_sign_that_cannot_be_seen_is_named_in_an_included_file(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text(
        "prompts:\n  hello: {text: Hello., voi\u200bce: female}\n", "utf-8"
    )  # the o is Cyrillic
    file = tmp_path / "desk.yaml"
    file.write_text(
        "flow: desk\ninitial: start\ninclude: [common.yaml]\non: {error: start}\n"
        "states:\n  start: {say: {ref: hello}, final: true}\n",
        "utf-8",
    )
    found = [one for one in load_flow(file).findings if one.file.endswith("common.yaml")]
    assert any("Column" in one.message and one.fix is None for one in found), found
