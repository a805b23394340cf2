"""`requires`: what a state needs to be true is proved on every way there (LANGUAGE C3)."""

import pytest

from tests.flowfile.reading import codes, said

HEAD = """
variables:
  known: false
  ready: true
  plan: {type: text, values: [gold, tin], default: none}
  words: {type: text, default: none}
  age: {type: integer, default: none}
"""


def flow(way: str, required: str, more: str = "") -> str:
    """Make a flow in which `way` is the branch that leads to what is required."""
    return f"""{HEAD}states:
  start: {{decide: [{way}, bye], set: {{age: "{{{{ age }}}}", plan: "{{{{ plan }}}}", words: "{{{{ words }}}}"}}}}
  there:
    say: "Hello {{{{ words or 'you' }}}} {{{{ plan or 'none' }}}} {{{{ age or 0 }}}} {{{{ ready }}}}."
    requires: [{required}]
    next: bye
{more}"""


def found(way: str, required: str, more: str = "") -> bool:
    return "requires" in codes(flow(way, required, more))


@pytest.mark.parametrize(
    ("way", "required"),
    [
        ("{guard: known, target: there}", "known"),
        ("{guard: not (not known), target: there}", "known"),
        ("{guard: known == true, target: there}", "known"),
        ("{guard: known and call.from, target: there}", "known"),
        ("{guard: (known and call.from) or (known and call.to), target: there}", "known"),
        ("{guard: not known, target: bye}, {guard: call.from, target: there}", "known"),
        ("{guard: not known or not call.from, target: bye}, {guard: call.from, target: there}", "known"),
        ("{guard: call.from, set: {known: true}, target: there}", "known"),
        ('{guard: call.from, set: {known: "{{ ready }}"}, target: there}', "known"),
        ('{guard: call.from, set: {known: "{{ true }}"}, target: there}', "known"),
        ("{guard: call.from, target: there}", "ready"),
        ("{guard: plan == 'gold', target: there}", "plan"),
        ("{guard: \"plan in ['gold', 'tin']\", target: there}", "plan"),
        ("{guard: words, target: there}", "words"),
        ("{guard: call.from, set: {words: some}, target: there}", "words"),
        ("{guard: age is not none, target: there}", "age"),
        ("{guard: age is not none and known, target: there}", "age, known"),
    ],
)
def test_a_way_proves_what_is_true_on_it(way: str, required: str) -> None:
    assert not found(way, required)


@pytest.mark.parametrize(
    ("way", "required"),
    [
        ("{guard: call.from, target: there}", "known"),
        ("{guard: not known, target: there}", "known"),
        ("{guard: known or call.from, target: there}", "known"),
        ("{guard: known == false, target: there}", "known"),
        ("{guard: known != false, target: there}", "known"),
        ("{guard: known, set: {known: false}, target: there}", "known"),
        ('{guard: known, set: {known: "{{ call.from == call.to }}"}, target: there}', "known"),
        ("{guard: words is not none, target: there}", "words"),
        ("{guard: plan != 'gold', target: there}", "plan"),
        ("{guard: \"plan not in ['gold', 'tin']\", target: there}", "plan"),
        ("{guard: call.from, set: {words: \"{{ call.from or '' }}\"}, target: there}", "words"),
        ('{guard: call.from, set: {words: "to {{ call.to }}"}, target: there}', "words"),
        ("{guard: call.from, target: there}", "age"),
        ("{guard: call.from if call.to else call.id, target: there}", "known"),
        ("{guard: visits.start < 3, target: there}", "known"),
    ],
)
def test_what_a_way_leaves_open_is_refused(way: str, required: str) -> None:
    assert found(way, required)


def test_every_way_counts() -> None:
    more = "  side: {say: Side., next: there}\n"
    way = "{guard: known, target: there}, {guard: call.from, target: side}"
    found = [each for each in said(flow(way, "known", more)) if each.startswith("requires")]
    assert len(found) == 1
    assert "It may be false or none on the path start → side → there." in found[0]


def test_a_state_keeps_what_is_true_as_long_as_nothing_changes_it() -> None:
    more = "  side: {say: Side., next: {set: {known: false}, target: last}}\n"
    more += "  last: {say: Last., requires: known, next: bye}\n  on: {say: On., requires: known, next: bye}\n"
    assert found("{guard: known, target: there}, {guard: known, target: side}", "known", more)


def test_an_answer_is_true_once_it_is_kept() -> None:
    text = """
states:
  start: {digits: {prompt: Key your number., minDigits: MIN, into: number}, next: there, on: {exhausted: OUT}}
  there: {say: "{{ number }}", requires: number, next: bye}
"""
    assert codes(text.replace("MIN", "1").replace("OUT", "bye")) == []
    assert "requires" in codes(text.replace("MIN", "0").replace("OUT", "bye"))
    assert "requires" in codes(text.replace("MIN", "1").replace("OUT", "there"))


def test_of_a_variable_that_stands_in_what_cannot_be_read_nothing_is_said() -> None:
    assert "requires" not in codes(flow("{guard: call.from, target: there}", "known", "  odd: {sya: is it known}\n"))
    assert "requires" in codes(flow("{guard: call.from, target: there}", "known", "  odd: {sya: Hello.}\n"))


def test_nothing_follows_from_an_expression_that_cannot_be_read() -> None:
    assert "requires" not in codes(flow("{guard: known ==, target: there}", "known"))
    assert "requires" not in codes(flow('{guard: call.from, set: {known: "{{ call. }}"}, target: there}', "known"))


def test_a_state_that_no_call_comes_to_requires_nothing() -> None:
    assert "requires" not in codes(flow("{guard: known, target: bye}", "known"))


def test_a_variable_that_is_only_required_is_used() -> None:
    text = """
variables: {known: false}
states:
  start: {decide: [{guard: call.from, set: {known: true}, target: there}, bye]}
  there: {say: Hello., requires: known, next: bye}
"""
    assert codes(text) == []
