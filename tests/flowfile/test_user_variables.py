"""Variables of the caller where flows meet: what they share, what one invokes, what an editor is told."""

import json
import re
from pathlib import Path

import pytest

from ivr.engine.flow import Variable
from ivr.flowfile.load import load_flow, load_text
from ivr.flowfile.schema import schema_text
from tests.flowfile.reading import NOWHERE
from tests.flows import flow_among, flow_of

CALLING = """
flow: calling
initial: ask
on: {error: bye, exhausted: bye}
variables:
  user.name: {type: text, keep: 90d}
states:
  ask: {invoke: asking, on: {asked: bye, hangup: bye}}
  bye: {say: "Bye {{ user.name or '' }}", final: true}
"""
ASKING = """
flow: asking
initial: who
on: {error: back, exhausted: back}
variables:
  user.name: {type: text, keep: 90d}
  user.town: {type: text, default: Linz, keep: 8w}
states:
  who: {digits: {prompt: "{{ user.town }} {{ user.name or '' }}"}, next: back}
  back: {return: asked}
"""


def codes(text: str) -> list[str]:
    return [found.code for found in load_text(text.lstrip("\n").encode(), file="test.yaml", folder=NOWHERE).findings]


def test_flows_that_invoke_each_other_share_them(tmp_path: Path) -> None:
    flow = flow_among(tmp_path, CALLING, ASKING)
    assert flow.user == {"user.name": None}
    assert flow.parts["ask/"].user == {"user.name": None, "user.town": "Linz"}
    assert flow.remembered == {"user.name", "user.town"}
    assert not any("/user." in name for name in flow.variables)
    assert flow.variables["user.town"].keep == 8 * 7 * 86_400.0


@pytest.mark.parametrize(
    "other", ["{type: text, keep: 91d}", "{type: integer, keep: 90d}", "{default: Ann, keep: 90d}"]
)
def test_one_that_an_invoked_flow_declares_otherwise_is_found(tmp_path: Path, other: str) -> None:
    for name, text in (("calling", CALLING), ("asking", ASKING.replace("{type: text, keep: 90d}", other))):
        (tmp_path / f"{name}.yaml").write_text(text.lstrip("\n"))
    found = [one for one in load_flow(tmp_path / "calling.yaml").findings if one.code == "user-variable"]
    assert [(one.line, one.message) for one in found] == [
        (5, 'The flow "asking" declares "user.name" otherwise, and both mean the same value.')
    ]


def test_nothing_is_given_to_one_of_an_invoked_flow(tmp_path: Path) -> None:
    text = CALLING.replace("{invoke: asking,", "{invoke: {flow: asking, with: {user.town: Graz}},")
    for name, one in (("calling", text), ("asking", ASKING)):
        (tmp_path / f"{name}.yaml").write_text(one.lstrip("\n"))
    findings = load_flow(tmp_path / "calling.yaml").findings
    assert any(one.message == 'The flow "asking" has no variable "user.town".' for one in findings)


def test_a_flow_that_cannot_be_read_agrees_with_anything(tmp_path: Path) -> None:
    (tmp_path / "calling.yaml").write_text(CALLING.lstrip("\n"))
    (tmp_path / "asking.yaml").write_text("flow: asking\n")
    assert "user-variable" not in {one.code for one in load_flow(tmp_path / "calling.yaml").findings}


ONE = """
flow: one
initial: begin
on: {error: bye, exhausted: bye}
variables: {user.name: DECLARED}
states:
  begin: {say: "Hello.", set: SET, next: bye}
  bye: {say: "SAID", final: true}
"""


def one(declared: str, said: str, put: str = "{}") -> str:
    return ONE.replace("DECLARED", declared).replace("SAID", said).replace("SET", put)


@pytest.mark.parametrize(
    ("declared", "variable"),
    [
        ("{keep: 90d}", ("text", True, None)),
        ("{type: integer, keep: 12h}", ("integer", True, None)),
        ("{values: [a, b], keep: 90d}", ("text", True, None)),
        ("{type: text, default: none, keep: 90d}", ("text", True, None)),
        ("{default: Ann, keep: 90d}", ("text", False, "Ann")),
        ("{default: 3, keep: 1y}", ("integer", False, 3)),
    ],
)
def test_without_a_default_it_may_be_none(declared: str, variable: tuple[str, bool, object]) -> None:
    found: Variable = flow_of(one(declared, "{{ user.name or '' }}")).variables["user.name"]
    assert (found.type.name, found.type.optional, found.default) == variable
    assert found.has_default


def test_what_may_be_none_is_guarded_and_what_is_never_set_here_may_be_set_elsewhere() -> None:
    assert codes(one("{keep: 90d}", "{{ user.name }}")) == ["may-be-null"]
    assert codes(one("{keep: 90d}", "{{ user.name or 'you' }}")) == []
    assert codes(one("{keep: 90d}", "Bye.", "{user.name: Ann}")) == [], "it may be read elsewhere"
    assert codes(one("{keep: 90d}", "Bye.")) == ["unused"]
    assert codes(one("{default: Ann, keep: 90d}", "{{ 'a' if user.name == 'Ann' else 'b' }}")) == [], "not decided"
    assert codes(one("{default: 0, keep: 90d}", "{{ user['name'] }}")) == []


def test_a_word_alone_or_an_index_is_no_variable_of_the_caller() -> None:
    assert codes(one("{keep: 90d}", "{{ user or '' }} {{ user.name or '' }}")) == ["undefined"]
    assert codes(one("{keep: 90d}", "{{ user[0] or '' }} {{ user.name or '' }}")) == ["undefined"]


def test_a_field_of_one_is_proved_by_a_guard_and_required_only_if_proved() -> None:
    text = """
flow: person
initial: begin
on: {error: bye, exhausted: bye}
variables: {user.who: {type: {name: text, age?: integer}, keep: 90d}, user.known: {default: true, keep: 90d}}
states:
  begin: {decide: [{guard: user.who.age is not none, target: old}, {guard: user.known, target: known}, bye]}
  old: {say: "{{ user.who.name }}, {{ user.who.age }}", next: bye}
  known: {say: "Hello.", requires: [user.known], next: again}
  again: {say: "Again.", requires: REQUIRED, next: bye}
  bye: {say: "Bye.", final: true}
"""
    assert codes(text.replace("REQUIRED", "[user.known]")) == []
    assert "requires" in codes(text.replace("REQUIRED", "[user.who]"))
    begin = text.replace('"Bye."', '"Bye.", requires: [user.known]').replace("REQUIRED", "[user.known]")
    assert "requires" in codes(begin), "a default is no proof: what is kept may be another value"


def test_an_editor_knows_how_they_are_called_and_how_long_is_written() -> None:
    parts = json.loads(schema_text())["$defs"]
    assert "keep" in parts["Variable"]["properties"]
    keep = re.compile(parts["Variable"]["properties"]["keep"]["pattern"])
    assert [bool(keep.search(text)) for text in ("90d", "12 h", "1y", "5m", "d")] == [True, True, True, False, False]
    names = [
        key for part in parts.values() for key in part.get("properties", {}).get("set", {}).get("patternProperties", {})
    ]
    for pattern in names:
        assert [bool(re.search(pattern, name)) for name in ("user.name", "name", "call.name")] == [True, True, False]
