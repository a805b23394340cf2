"""What a flow returns, and what it can be given: what others know of it that invoke it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.types import ANY, Type, join
from ivr.engine.flow import Variable
from ivr.engine.naming import is_of_user
from ivr.flowfile.actions.invoke import Returned
from ivr.flowfile.checks.call_proofs import acts
from ivr.flowfile.checks.known_variables import known_of
from ivr.flowfile.checks.whole_calls import is_progress
from ivr.flowfile.document import Document
from ivr.flowfile.events import ends
from ivr.flowfile.reachability import reached
from ivr.flowfile.texts import Use, compiled, reads, uses
from ivr.flowfile.variables import private, variables


class LinkedFlow:
    """A flow as those know it that invoke it; worked out when it is asked for."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Its variables by name; those of the caller are nobody's to give."""
        own = {name for name in self.document.model.variables if not is_of_user(name)}
        return {name: one for name, one in variables(self.document).items() if name in own}

    @cached_property
    def milestones(self) -> frozenset[str]:
        """What a call can have reached in it, or in a flow that it invokes."""
        states = [state for _, state in self.document.states()]
        inside = [state.invoke.invoked.milestones for state in states if state.invoke and state.invoke.invoked]
        return frozenset(state.milestone for state in states if state.milestone).union(*inside)

    @cached_property
    def without_answer(self) -> frozenset[str]:
        """What it can return to a caller who gives no valid answer."""

        def following(name: str) -> Iterator[str]:
            several = self.document.transitions.get(name, ())
            return (one.target for one in several if one.event != "hangup" and not is_progress(self.document, one))

        states = self.document.model.states
        come_to = (states[name].return_ for name in reached([self.document.begins], following) if name in states)
        return frozenset(state.event for state in come_to if state)

    @cached_property
    def acts(self) -> bool:
        """Whether somebody is told something in it, or a service is asked to change something."""
        return any(acts(state) for _, state in self.document.states())

    @cached_property
    def asks_consent(self) -> bool:
        """Whether the caller is asked for consent in it, or in a flow that it invokes."""
        states = [state for _, state in self.document.states()]
        inside = [state.invoke.invoked.asks_consent for state in states if state.invoke and state.invoke.invoked]
        return any(inside) or any(state.consent is not None for state in states)

    @cached_property
    def can_end(self) -> bool:
        """Whether a call can end in it, or in a flow that it invokes."""
        inside = [state.invoke.invoked for _, state in self.document.states() if state.invoke]
        ends_here = any(ends(state) and not state.return_ for _, state in self.document.states())
        return ends_here or any(flow is None or flow.can_end for flow in inside)

    @cached_property
    def returns(self) -> Mapping[str, Returned]:
        """What it returns, by name, in file order; of one name that stands twice, what both have in common."""
        found: dict[str, Returned] = {}
        for name, state in self.document.states():
            if state.return_ is None:
                continue
            event, given = state.return_.event, self._given(name)
            before = found.get(event)
            if before is None:
                found[event] = given
            else:
                joined = (join(before.type, given.type) or ANY) if before.type and given.type else None
                found[event] = Returned(joined, before.is_private or given.is_private)
        return found

    def _given(self, state: str) -> Returned:
        """Return what a state of it returns."""
        use = next((use for use in self._uses if use.state == state), None)
        if use is None:
            return Returned(None, is_private=False)
        template = compiled(use.text, bare=False)
        is_private = bool(reads(use) & private(self.document))
        return Returned(self._type(use, template) if isinstance(template, Template) else ANY, is_private)

    def _type(self, use: Use, template: Template) -> Type:
        return infer(template, known_of(self.document).scene(use).env)[0]

    @cached_property
    def _uses(self) -> Sequence[Use]:
        return [use for use in uses(self.document) if use.path[2:3] == ("return",)]
