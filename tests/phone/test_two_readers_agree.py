"""The phone and the bot's side each have a reader and a list of the rules: on any workflow they come to the same.

Neither knows the other, so what one of them has wrong shows here; only in the wire's types could both be wrong.
"""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.channels.skype import reading as theirs
from ivr.channels.skype import wire
from ivr.phone.wire import decoding as ours
from ivr.phone.wire import rulebook
from tests.phone.any_workflow import EACH_ACTION, EVERY_VALUE, EVERYTHING, JUNK, WORKFLOW, Tree, damaged, places
from tests.skype.wire_rules import refusals


def read_by_the_phone(tree: Any, *, offered: bool) -> tuple[wire.Workflow | None, list[str]]:
    try:
        workflow = ours.read(ours.parse(json.dumps(tree).encode()), transfer=offered, questions=offered)
    except ours.Unreadable as error:
        return None, [str(error)]
    return workflow, list(rulebook.problems(workflow))


def check(tree: Any) -> None:
    """The same verdict; and where it is a good one, the same workflow. With and without what can be offered."""
    for offered in (False, True):
        workflow, problems = read_by_the_phone(tree, offered=offered)
        refused = refusals(wire.Workflow, tree, transfer=offered, questions=offered)
        assert bool(problems) == bool(refused), (problems, refused)
        if not problems:
            assert workflow == theirs.read(wire.Workflow, tree)


def changed() -> Iterator[Tree]:
    """Return workflows that have everything, with one member replaced by one value, each by each."""
    for whole in EVERYTHING:
        for number in range(len(places(whole))):
            for value in EVERY_VALUE:
                tree = json.loads(json.dumps(whole))  # no part stands in two places
                holder, name = places(tree)[number]
                holder[name] = value
                yield tree


def test_the_two_sides_agree_on_every_member_with_every_value() -> None:
    for tree in changed():
        check(tree)


def test_the_two_sides_agree_on_all_lists_of_actions() -> None:
    for count in range(6):
        for names in product(EACH_ACTION, repeat=count):
            check({"actions": [EACH_ACTION[name] for name in names]})


@settings(max_examples=300)
@given(WORKFLOW)
def test_the_two_sides_agree_on_workflows(tree: Tree) -> None:
    check(tree)


@settings(max_examples=500)
@given(damaged())
def test_the_two_sides_agree_on_damaged_workflows(tree: Tree) -> None:
    check(tree)


@given(st.recursive(JUNK, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["actions", "x"]), inner)))
def test_the_two_sides_agree_on_what_is_no_workflow_at_all(tree: Any) -> None:
    check(tree)
