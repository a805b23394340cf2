"""Diagrams: every state and way is there, and nothing that an author writes can break Mermaid."""

import re
from pathlib import Path

import pytest

from ivr.flowfile.chart import ANY, box_of, chart_of, drawn_from, is_drawn
from ivr.flowfile.diagram import mermaid
from ivr.flowfile.load import load_flow
from tests.flowfile.reading import HERE, flow, load

LINE = re.compile(
    r'stateDiagram-v2|  %% [\w -]*|  state "[^":;<>{}%#&]*(#\d+;[^":;<>{}%#&]*)*" as (s\d+|any)'
    r"|  (\[\*\]|s\d+|any) --> (\[\*\]|s\d+|any)( : [^:;<>{}%#&\"]*(#\d+;[^:;<>{}%#&\"]*)*)?"
)
"Every line that we write, with nothing in a label that Mermaid could take for its own."


def test_a_small_flow_as_a_diagram() -> None:
    built = flow("""
start:
  menu: {prompt: For sales press 1. To hear it again press 2., choices: {sales: {dtmf: "1"}, again: {dtmf: "2"}}}
  on: {sales: [{guard: call.from, target: known}, bye], again: self, hangup: bye}
known: {say: Hello., next: bye}
""")
    assert (
        mermaid(built)
        == """\
stateDiagram-v2
  %% example
  state "start (menu)" as s0
  state "known (say)" as s1
  state "bye (say)" as s2
  [*] --> s0
  s0 --> s1 : sales [call.from]
  s0 --> s2 : sales, hangup
  s0 --> s0 : again
  s1 --> s2
  s2 --> [*] : unresolved
  state "any state" as any
  any --> s2 : exhausted, error
"""
    )


def test_a_transition_that_a_call_took_is_found_on_the_diagram() -> None:
    built = flow("""
start:
  menu: {prompt: For sales press 1., choices: {sales: {dtmf: "1"}}}
  on: {sales: bye}
""")
    assert drawn_from(built, "start", "sales") == "start"
    assert drawn_from(built, "start", "exhausted") == ANY
    assert drawn_from(built, "gone", "sales") == "gone"
    assert box_of("start") == box_of("start/inner") == "start"
    assert is_drawn("start")
    assert not is_drawn("start/inner")


def test_a_flow_without_handlers_of_its_own_has_no_box_for_them() -> None:
    built = load("flow: x\ninitial: a\nstates: {a: {say: Hello., final: true}}").served()
    assert "any" not in mermaid(built)
    assert mermaid(built).endswith("  s0 --> [*]\n")


@pytest.mark.parametrize(
    "guard",
    [
        "call.to == '\"'",
        "call.to == ':::x; %% note'",
        "call.to == '--> [*] <b>bold</b> {'",
        "call.to == '#35; &quot;'",
        "call.to == 'a' and call.from == 'b' and call.channel == 'c' and call.id == 'd' and call.language == 'e'",
        "call.to == 'Grüße ﬂ°°58¶ß'",
    ],
)
def test_no_guard_breaks_a_diagram(guard: str) -> None:
    quoted = guard.replace("\\", "\\\\").replace('"', '\\"')
    text = f'start: {{decide: [{{guard: "{quoted}", target: bye}}, bye]}}'
    drawn = mermaid(flow(text))
    assert [line for line in drawn.splitlines() if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("word", ["end", "state", "note", "direction", "as"])
def test_no_state_is_called_like_a_word_of_mermaid(word: str) -> None:
    drawn = mermaid(flow(f"start: {{say: Hello., next: {word}}}\n{word}: {{say: Hello., next: bye}}"))
    assert f'  state "{word} (say)" as s1\n' in drawn


@pytest.mark.parametrize("file", sorted((HERE.parents[1] / "flows").glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_flows_can_be_drawn_whole(file: Path) -> None:
    built = load_flow(file).served()
    drawn = mermaid(built)
    assert [line for line in drawn.splitlines() if not LINE.fullmatch(line)] == []
    assert drawn.count('state "') == len(built.states) + bool(built.on)


def test_an_arrow_of_a_split_shows_the_percent_of_its_share() -> None:
    built = flow("""
start: {split: {name: trial, shares: {old: 87.5, new: 12.5}}, on: {old: bye, new: hello}}
hello: {say: Hello., next: bye}
""")
    labels = {arrow.target: arrow.labels for arrow in chart_of(built).arrows if arrow.source == "start"}
    assert labels == {"bye": ("old 87.5\N{NO-BREAK SPACE}%",), "hello": ("new 12.5\N{NO-BREAK SPACE}%",)}
