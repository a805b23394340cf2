"""Further proofs about whole calls: what can be done again and again, declined too late, or lost (LANGUAGE C4, C8).

Like those of `whole_calls`, they follow the transitions between states, never the values of variables.
"""

from collections.abc import Iterator, Sequence

from ivr.engine.expressions.compile import Template
from ivr.engine.handlers import longest
from ivr.flowfile.actions.record import TRANSCRIPTION_ERRORS
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.whole_calls import is_progress, only_a_few_times, rounds, stuck
from ivr.flowfile.document import Document, Handler
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.model_parts import TextPart
from ivr.flowfile.prompts import all_prompts, parts_of
from ivr.flowfile.reachability import shortest
from ivr.flowfile.source import Path
from ivr.flowfile.texts import compiled, reads, uses

UNBOUNDED = Check(
    "unbounded",
    "warning",
    "A caller can have the same done again and again: somebody is told, or a service changes something.",
    group="Proofs",
    bad="""
start:
  menu: {prompt: To be called back press 1. To end press 2., choices: {call_back: {dtmf: "1"}, end: {dtmf: "2"}}}
  on: {call_back: tell_us, end: bye}
tell_us: {notify: {email: desk@example.com, text: Somebody wants a call.}, next: start}
""",
    good="""
start:
  menu: {prompt: To be called back press 1. To end press 2., choices: {call_back: {dtmf: "1"}, end: {dtmf: "2"}}}
  on: {call_back: [{guard: visits.tell_us < 2, target: tell_us}, bye], end: bye}
tell_us: {notify: {email: desk@example.com, text: Somebody wants a call.}, next: start}
""",
)

LOST_RECORDING = Check(
    "lost-recording",
    "warning",
    "If a recording cannot be transcribed, the call goes on as after any error, and the recording is not used.",
    group="Proofs",
    bad="""
start:
  record: {prompt: What is the matter?, transcribe: true, into: matter}
  next: tell_us
tell_us: {notify: {email: desk@example.com, text: A message., attach: matter}, next: bye}
""",
    good="""
start:
  record: {prompt: What is the matter?, transcribe: true, into: matter}
  next: tell_us
  on: {error.transcribe: tell_us}
tell_us: {notify: {email: desk@example.com, text: A message., attach: matter}, next: bye}
""",
)

REJECT = Check(
    "reject",
    "warning",
    "A call is declined after it was answered; it can only be hung up then.",
    group="Proofs",
    bad="""
start: {say: We are closed., next: decline}
decline: {reject: {}}
""",
    good="""
start: {decide: [{guard: call.from, target: bye}, decline]}
decline: {reject: {}}
""",
)

TOO_LONG = Check(
    "too-long",
    "error",
    "A text has no place where it can be divided, and the line takes only so much at once.",
    group="Proofs",
)

LONGEST = 2048
"Characters without a space, of which a line takes no more in one text (LANGUAGE C9)."
_ANSWERS = frozenset({"say", "pause", "menu", "digits", "ask", "record", "consent", "transfer", "answer"})
"Actions before which a call is answered in any case."
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"Methods of requests that change nothing (RFC 9110, 9.2.1)."


@UNBOUNDED.message
def _again_and_again(state: str, round_: Sequence[str], target: str) -> Text:
    message = f'A caller can have "{state}" done again and again: {" → ".join(round_)}.'
    return message, only_a_few_times(target)


@LOST_RECORDING.message
def _handled_as_any_error(variable: str, target: str) -> Text:
    message = f'If "{variable}" cannot be transcribed, the call goes on to "{target}", as after any error.'
    return message, "Add error.transcribe: <state> where it is still used."


@REJECT.message
def _answered_before(state: str) -> Text:
    return f'The call is already answered by "{state}", and can no longer be declined.', 'Use "hangup".'


@TOO_LONG.message
def _cannot_be_divided(length: int) -> Text:
    return f"{length:,} characters without a space cannot be spoken at once.", f"At most {LONGEST:,} are possible."


@UNBOUNDED.finder
def unbounded(document: Document) -> Iterator[Finding]:
    """Find loops of valid answers in which something is done that counts outside of the call.

    A main menu is meant to be heard again and again, and so is what it tells. A second order is not.
    """
    wayless = set(stuck(document))
    transitions = [
        transition
        for several in document.transitions.values()
        for transition in several
        if transition.state not in wayless and transition.event not in {"hangup", "error.limit"}
    ]
    circling, graph, together = rounds(document, transitions)
    without_answer, _, _ = rounds(document, [one for one in circling if not is_progress(document, one)])
    endless = {together[one.state] for one in without_answer}
    told = set[int]()
    for one in circling:
        number = together[one.state]
        is_done = acts(document.model.states[one.state]) and not one.event.startswith("error")
        if is_done and number not in endless and number not in told:
            told.add(number)
            back = shortest(graph, one.target, one.state) or []
            problem = _again_and_again(one.state, [one.state, *back], one.state)
            yield document.finding(problem, ("states", one.state), key=True)


def acts(state: State) -> bool:
    """Return whether somebody is told something in a state, or a service is asked to change something."""
    if state.invoke and state.invoke.invoked:
        return state.invoke.invoked.acts
    return state.notify is not None or (state.http is not None and state.http.method not in _SAFE)


@LOST_RECORDING.finder
def lost_recording(document: Document) -> Iterator[Finding]:
    """Find recordings that are used later, but not if a speech engine fails: the audio is kept in any case (C8)."""
    read = frozenset[str]().union(*(reads(use) for use in uses(document)))
    for name, state in document.states():
        record = state.record
        if record is None or not record.transcribe or record.into not in read or name in document.loose:
            continue
        recorded = {one.target for one in document.transitions[name] if one.event == "recorded"}
        for event in TRANSCRIPTION_ERRORS:
            found = _by_a_shorter_name(document, name, event)
            lost = [branch.target for branch in found.branches if branch.target not in recorded] if found else []
            if lost:
                problem = _handled_as_any_error(record.into or "", lost[0])
                yield document.finding(problem, ("states", name, "record", "transcribe"), key=True)
                break


def _by_a_shorter_name(document: Document, state: str, event: str) -> Handler | None:
    """Return the handler of a failed transcription, if it is one for every error."""
    name = longest(document.handlers[state], event) or longest(document.shared, event) or ""
    return None if name.startswith("error.transcribe") else document.handler(state, event)


@REJECT.finder
def reject(document: Document) -> Iterator[Finding]:
    """Find calls that are declined after they were answered: they are hung up, and the other side sees an answer."""
    answered: dict[str, str] = {}
    for name, state in document.states():
        answers = any(action.word in _ANSWERS for action in state.actions)
        for one in document.transitions[name]:
            if answers or one.branch.say:
                answered.setdefault(one.target, name)
    waiting = list(answered)
    for name in waiting:  # grows while it is gone through
        for one in document.transitions.get(name, ()):
            if one.target not in answered:
                answered[one.target] = answered[name]
                waiting.append(one.target)
    for name, state in document.states():
        if state.reject is not None and name in answered:
            yield document.finding(_answered_before(answered[name]), ("states", name, "reject"), key=True)


@TOO_LONG.finder
def too_long(document: Document) -> Iterator[Finding]:
    """Find texts that cannot be divided at a space."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            if isinstance(placed.part, TextPart):
                yield from _of_text(document, placed.part.text, (*placed.path, "text"))


def _of_text(document: Document, text: str, path: Path) -> Iterator[Finding]:
    template = compiled(text, bare=False)
    pieces = template.parts if isinstance(template, Template) else ()
    words = [word for piece in pieces if isinstance(piece, str) for word in piece.split()]
    longest_word = max(map(len, words), default=0)
    if longest_word > LONGEST:
        yield document.finding(_cannot_be_divided(longest_word), path)
