"""Checks of prompts: each question has one, and each is heard (LANGUAGE C4, C6, C9)."""

import re
from collections.abc import Iterator

from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression
from ivr.flowfile.actions.base import Asking
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.assets import UnplayableAudio, soundness, written
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.file_format import MISSING
from ivr.flowfile.document import Document
from ivr.flowfile.events import asking, may_fail_by
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.model_parts import WordedPart
from ivr.flowfile.prompts import of_action, parts_of
from ivr.flowfile.reachability import reached
from ivr.flowfile.texts import compiled, of_state

NEVER_HEARD = Check(
    "never-heard",
    "both",
    "A text that is never heard.",
    group="Dialogue",
    bad="""
start:
  digits:
    prompt: Key your number.
    maxAttempts: 2
    noInput: [I did not hear you., I still cannot hear you.]
  next: bye
""",
    good="""
start:
  digits:
    prompt: Key your number.
    maxAttempts: 3
    noInput: [I did not hear you., I still cannot hear you.]
  next: bye
""",
)

LONG_WAY = Check(
    "long-way",
    "warning",
    "The caller hears many prompts before the first question.",
    group="Dialogue",
    bad="""
start: {say: Welcome., next: news}
news: {say: We have moved., next: hours}
hours: {say: We are open all day., next: advice}
advice: {say: Calls are recorded., next: ask}
ask:
  digits: {prompt: Key your number.}
  next: bye
""",
    good="""
start: {say: Welcome. Calls are recorded., next: ask}
ask:
  digits: {prompt: Key your number.}
  next: bye
""",
)

AUDIO_TEXT = Check(
    "audio-text",
    "both",
    "An audio file cannot be played, or has no text.",
    group="Dialogue",
    bad="""
start: {say: {audio: no-such-file.wav, text: Welcome.}, next: bye}
""",
    good="""
start: {say: {audio: "https://contoso.example/welcome.wav", text: Welcome.}, next: bye}
""",
)

PROMPT_LIMIT = Check(
    "prompt-limit",
    "warning",
    "A prompt says another number of times than the guards in its state.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: You can hear this three times. To hear it again press 1. To end press 2.
    choices: {again: {dtmf: "1", guard: visits.start <= 5}, end: {dtmf: "2"}}
  on: {again: start, end: bye}
""",
    good="""
start:
  menu:
    prompt: You can hear this five times. To hear it again press 1. To end press 2.
    choices: {again: {dtmf: "1", guard: visits.start <= 5}, end: {dtmf: "2"}}
  on: {again: start, end: bye}
""",
)


@MISSING.message
def _no_prompt(action: str) -> Text:
    return f'"{action}" needs "prompt".', "Without it, the caller hears nothing."


@NEVER_HEARD.error
def _event_handled(event: str) -> Text:
    return f'The state handles "{event}", so this is never heard.', f'Delete it, or "{event}" under "on".'


@NEVER_HEARD.warning
def _too_many_texts(count: int, attempts: int) -> Text:
    message = f"Only {attempts - 1} of {count} texts can be heard: attempt {attempts} is the last."
    return message, 'Delete the rest, or increase "maxAttempts".'


@NEVER_HEARD.warning
def _after_hangup() -> Text:
    return "This is never heard: calls come here only after the caller has hung up.", "No prompt is needed here."


@LONG_WAY.message
def _many_prompts() -> Text:
    return f"The caller hears more than {MAX_PROMPTS} prompts before the first question.", "Ask earlier, or say less."


@AUDIO_TEXT.error
def _unplayable(message: str, suggestion: str) -> Text:
    return message, suggestion


@AUDIO_TEXT.warning
def _cut_off(audio: str) -> Text:
    return f'The audio file "{audio}" is incomplete.', "Copy it again."


@AUDIO_TEXT.warning
def _no_text() -> Text:
    return "This audio file has no text.", 'Add "text" with the words that are spoken in it.'


@PROMPT_LIMIT.message
def _counted_otherwise(words: str) -> Text:
    return f'The prompt says "{words}", but the guards here allow another number.', "Correct one of them."


MAX_PROMPTS = 3
"Prompts before the first question."


@MISSING.finder
def no_prompt(document: Document) -> Iterator[Finding]:
    """Find questions without a prompt (C4)."""
    for name, state in document.states():
        for action, asked in state.questions():
            has_own = isinstance(asked, Menu) and any(choice.prompt for choice in asked.choices.values())
            if not asked.prompt and not has_own and document.is_sound("states", name, action):
                yield document.finding(_no_prompt(action), ("states", name, action), key=True)


@NEVER_HEARD.finder
def never_heard(document: Document) -> Iterator[Finding]:
    """Find texts that are never heard (C6)."""
    for name, state in document.states():
        for action, asked in state.questions():
            for why, texts in (("noInput", asked.no_input), ("noMatch", getattr(asked, "no_match", None))):
                yield from _unheard(document, name, state, (action, why, len(texts or ())), asked)
    yield from _unheard_after_hangup(document)


def _unheard(
    document: Document, name: str, state: State, texts: tuple[str, str, int], asked: Asking
) -> Iterator[Finding]:
    action, why, count = texts
    path = ("states", name, action, why)
    attempts = asked.max_attempts or document.model.defaults.max_attempts
    if count and why in state.on:
        yield document.finding(_event_handled(why), path, key=True)
    elif count >= attempts and may_fail_by(state, why) and document.is_sound(*path):
        yield document.finding(_too_many_texts(count, attempts), (*path, attempts - 1))


def _unheard_after_hangup(document: Document) -> Iterator[Finding]:
    """Find `say` states that calls reach only after the caller has hung up (C13)."""
    live = reached([document.begins], lambda name: _led_to_alive(document, name))
    gone = {
        transition.target
        for transitions in document.transitions.values()
        for transition in transitions
        if transition.event == "hangup"
    }
    for name, state in document.states():
        if state.say is not None and name in gone and name not in live:
            yield document.finding(_after_hangup(), ("states", name, "say"), key=True)


def _led_to_alive(document: Document, name: str) -> Iterator[str]:
    if name in document.loose:
        yield from document.leads[name]
    yield from (transition.target for transition in document.transitions.get(name, ()) if transition.event != "hangup")


@LONG_WAY.finder
def long_way(document: Document) -> Iterator[Finding]:
    """Find flows with many prompts before the first question."""
    distance = {document.begins: 0}
    waiting = [document.begins]
    for name in waiting:  # grows while it is gone through
        state = document.model.states.get(name)
        if state is None or asking(state) or not document.is_known(name):
            continue
        heard = distance[name] + (state.say is not None)
        if heard > MAX_PROMPTS:
            yield document.finding(_many_prompts(), ("states", name), key=True)
            return
        for transition in document.transitions[name]:
            if transition.target not in distance and not transition.event.startswith(("error", "hangup")):
                distance[transition.target] = heard
                waiting.append(transition.target)


@AUDIO_TEXT.environment_finder
def audio_text(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find audio files that cannot be played, or that have no text."""
    for part in written(document):
        found = environment.audio.get(part.audio)
        if isinstance(found, UnplayableAudio):
            yield document.finding(_unplayable(found.message, found.suggestion), (*part.path, "audio"))
        elif found is not None and not soundness(found).is_whole:
            yield document.finding(_cut_off(part.audio), (*part.path, "audio"))
        if not (part.text and part.text.strip()):
            yield document.finding(_no_text(), (*part.path, "audio"), key=True)


_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SPOKEN = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})\s+(?:times|attempts|tries)\b", re.IGNORECASE)


@PROMPT_LIMIT.finder
def prompt_limit(document: Document) -> Iterator[Finding]:
    """Find numbers of times that differ from those in the guards of the same state."""
    for name, state in document.states():
        counted = _counted(document, name)
        for prompt in of_action(name, state) if counted else ():
            for placed in parts_of(document, prompt):
                text = placed.part.text if isinstance(placed.part, WordedPart) else None
                for found in _SPOKEN.finditer(text or ""):
                    if _number(found[1]) not in counted:
                        problem, path = _counted_otherwise(found.group()), (*placed.path, "text")
                        yield document.finding_within(problem, path, *found.span())


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS.index(word.lower())


def _counted(document: Document, name: str) -> frozenset[int]:
    """List the numbers of times that the guards of a state allow; `visits.x < 3` allows two more, or three in all."""
    found: set[int] = set()
    for use in of_state(document, name, document.model.states[name]):
        what = compiled(use.text, bare=True) if use.role == "guard" else None
        if isinstance(what, Expression):
            found.update(_limits(what.node))
    return frozenset(found)


def _limits(node: tree.Node) -> Iterator[int]:
    match node:
        case tree.Negation(of=of):
            yield from _limits(of)
        case tree.Both(left=left, right=right) | tree.Either(left=left, right=right):
            yield from _limits(left)
            yield from _limits(right)
        case tree.Comparison(first=first, rest=(tree.Compared(value=tree.Constant(value=int() as limit)),)):
            if (tree.path(first) or "").startswith("visits."):
                yield from (limit - 1, limit)
