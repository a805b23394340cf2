"""Checks of flows that invoke others: each is there, and none comes back to itself (LANGUAGE C4)."""

from collections.abc import Iterator, Mapping, Sequence

from ivr.engine.language_choice import among
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.text_languages import LANGUAGE
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.invoked_flows import Invoked, invoked_names
from ivr.flowfile.reachability import Graph, components, reached, shortest
from ivr.flowfile.source import Path
from ivr.nearest import did_you_mean

UNKNOWN_FLOW = Check(
    "unknown-flow",
    "error",
    "No flow in the folder has the name that is invoked.",
    group="Shape",
    bad="""
start:
  invoke: ask-customer-number
  next: bye
""",
    good="""
start:
  digits: {prompt: Key your customer number.}
  next: bye
""",
)

RECURSION = Check(
    "recursion",
    "error",
    "Flows invoke each other in a circle, or too deep.",
    group="Proofs",
    bad="""
start:
  menu: {prompt: To begin again press 1., choices: {again: {dtmf: "1"}}}
  on: {again: once_more}
once_more: {invoke: example, next: bye}
""",
    good="""
start:
  menu: {prompt: To begin again press 1., choices: {again: {dtmf: "1"}}}
  on: {again: start}
""",
)

DEEPEST = 8
"Flows that invoke each other, one inside the other."
MOST_STATES = 20_000
"Of a flow with all that it invokes: each is built in once for each state that invokes it."


@UNKNOWN_FLOW.message
def _no_such_flow(name: str, names: Sequence[str]) -> Text:
    return f'No flow in this folder is called "{name}".', did_you_mean(name, names)


@RECURSION.message
def _circle(flows: Sequence[str]) -> Text:
    return f"Flows invoke each other in a circle: {' → '.join(flows)}.", "Use a transition instead."


@RECURSION.message
def _too_deep(flows: Sequence[str]) -> Text:
    return f"Flows invoke each other more than {DEEPEST} deep: {' → '.join(flows)}.", ""


@RECURSION.message
def _too_many_states(flow: str, states: int) -> Text:
    message = f'With all that "{flow}" invokes, this flow has {states:,} states; {MOST_STATES:,} are possible.'
    return message, "Invoke it from fewer states."


@LANGUAGE.message
def _not_in(flow: str, missing: Sequence[str], own: Sequence[str]) -> Text:
    message = f'The flow "{flow}" does not speak {", ".join(missing)}, and shares the language of the call.'
    return message, f"Write its texts in {'these languages' if len(missing) > 1 else 'it'}; it has {', '.join(own)}."


@LANGUAGE.environment_finder
def languages(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find flows that are invoked in a language that they do not have."""
    for name, state in document.states():
        flow = environment.invoked.flows.get(state.invoke.flow) if state.invoke else None
        if state.invoke is None or flow is None or flow.document is None:
            continue
        own = flow.document.model.all_languages
        if missing := [tag for tag in document.model.all_languages if among(tag, own) is None]:
            yield document.finding(_not_in(state.invoke.flow, missing, own), _flow_of(name))


@UNKNOWN_FLOW.environment_finder
def unknown_flow(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find names of flows that are not there."""
    invoked = environment.invoked
    for name, state in document.states():
        if state.invoke and state.invoke.flow not in {document.model.flow, *invoked.flows}:
            problem = _no_such_flow(state.invoke.flow, invoked.known())
            yield document.finding(problem, ("states", name, "invoke", "flow"))


@RECURSION.environment_finder
def recursion(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find where flows invoke each other for ever, or so that too much comes of it."""
    graph = environment.invoked.graph
    together = components(graph)
    states = [(name, state.invoke.flow) for name, state in document.states() if state.invoke]
    wrong = False
    for name, flow in states if document.model.flow in graph else ():
        circle = _circle_from(flow, graph, together)
        deep = _deepest(document.model.flow, flow, graph) if not circle else ()
        if circle or deep:
            wrong = True
            yield document.finding(_circle(circle) if circle else _too_deep(deep), _flow_of(name))
    size = 0 if wrong else _size(document, environment.invoked)
    if size > MOST_STATES:
        yield document.finding(_too_many_states(states[0][1], size), _flow_of(states[0][0]))


def _flow_of(state: str) -> Path:
    return "states", state, "invoke", "flow"


def _circle_from(flow: str, graph: Graph, together: Mapping[str, int]) -> Sequence[str]:
    """Return a circle that a flow leads into, its first flow named again at the end; empty: there is none."""
    for name in sorted(reached([flow], graph.__getitem__)):
        for following in graph[name]:
            if together[name] == together[following]:
                return [name, *(shortest(graph, following, name) or ())]
    return ()


def _deepest(own: str, flow: str, graph: Graph) -> Sequence[str]:
    """Return a chain of flows that is too long and begins with these two; empty: there is none."""
    chains = {flow: [own, flow]}
    for _ in range(DEEPEST):
        chains = {after: [*chain, after] for name, chain in chains.items() for after in graph[name]}
    return next(iter(chains.values()), ())


def _size(document: Document, invoked: Invoked) -> int:
    """Return how many states a flow has with all that it invokes, none of them in a circle."""
    documents = {name: one.document for name, one in invoked.flows.items() if one.document}
    total, times = 0, {document: 1}
    while times:
        total += sum(len(one.names) * often for one, often in times.items())
        inside: dict[Document, int] = {}
        for one, often in times.items():
            for name in invoked_names(one):
                if name in documents:
                    inside[documents[name]] = inside.get(documents[name], 0) + often
        times = inside
    return total
