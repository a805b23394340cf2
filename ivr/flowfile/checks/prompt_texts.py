"""Checks of prompts: each question has one, and each is heard (LANGUAGE C4, C6, C9)."""

import re
from collections.abc import Iterator

from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression
from ivr.flowfile.assets import UnplayableAudio, soundness, written
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.file_format import MISSING
from ivr.flowfile.document import Document
from ivr.flowfile.events import asking, may_fail_by
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import Asking, AudioPart, Menu, State, TextPart
from ivr.flowfile.prompts import of_action
from ivr.flowfile.reachability import reached
from ivr.flowfile.texts import compiled, of_state

NEVER_HEARD = Check(
    "never-heard",
    "both",
    "A text that no caller can hear.",
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
    "The caller hears much before the first question.",
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
    "An audio file cannot be played, or its words are not written down.",
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
    "A prompt names another number of times than the guards beside it.",
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


MAX_PROMPTS = 3
"Prompts before the first question."


@MISSING.finder
def no_prompt(document: Document) -> Iterator[Finding]:
    """Find questions that are not asked (C4)."""
    for name, state in document.states():
        for action, asked in state.questions():
            has_own = isinstance(asked, Menu) and any(choice.prompt for choice in asked.choices.values())
            if not asked.prompt and not has_own and document.is_sound("states", name, action):
                message = f'"{action}" needs "prompt": the caller hears nothing.'
                yield document.finding("missing", ("states", name, action), message, key=True)


@NEVER_HEARD.finder
def never_heard(document: Document) -> Iterator[Finding]:
    """Find texts that no caller can hear (C6)."""
    for name, state in document.states():
        for action, asked in state.questions():
            for why, texts in (("noInput", asked.no_input), ("noMatch", getattr(asked, "no_match", None))):
                yield from _unheard(document, name, state, (action, why, len(texts or ())), asked)
    yield from _after_hangup(document)


def _unheard(
    document: Document, name: str, state: State, texts: tuple[str, str, int], asked: Asking
) -> Iterator[Finding]:
    action, why, count = texts
    path = ("states", name, action, why)
    attempts = asked.max_attempts or document.model.defaults.max_attempts
    if count and why in state.on:
        message = f'The state leaves on "{why}", so this is never heard.'
        yield document.finding("never-heard", path, message, f'Delete it, or "{why}" under "on".', key=True)
    elif count >= attempts and may_fail_by(state, why) and document.is_sound(*path):
        message = f"Of {count} texts {attempts - 1} can be heard: attempt {attempts} is the last."
        place = (*path, attempts - 1)
        yield document.warning("never-heard", place, message, 'Delete the rest, or raise "maxAttempts".')


def _after_hangup(document: Document) -> Iterator[Finding]:
    """Find `say` states that only callers reach who have left (C13)."""
    live = reached([document.begins], lambda name: _led_to_alive(document, name))
    gone = {
        transition.target
        for transitions in document.transitions.values()
        for transition in transitions
        if transition.event == "hangup"
    }
    for name, state in document.states():
        if state.say is not None and name in gone and name not in live:
            message = "Only calls whose caller has left come here, and nobody hears this."
            yield document.warning(
                "never-heard", ("states", name, "say"), message, "Nothing needs to be said.", key=True
            )


def _led_to_alive(document: Document, name: str) -> Iterator[str]:
    if name in document.loose:
        yield from document.leads[name]
    yield from (transition.target for transition in document.transitions.get(name, ()) if transition.event != "hangup")


@LONG_WAY.finder
def long_way(document: Document) -> Iterator[Finding]:
    """Find flows that speak for long before they ask."""
    distance = {document.begins: 0}
    waiting = [document.begins]
    for name in waiting:  # grows while it is gone through
        state = document.model.states.get(name)
        if state is None or asking(state) or not document.is_known(name):
            continue
        heard = distance[name] + (state.say is not None)
        if heard > MAX_PROMPTS:
            message = f"The caller hears more than {MAX_PROMPTS} prompts before the first question."
            yield document.warning("long-way", ("states", name), message, "Ask earlier, or say less.", key=True)
            return
        for transition in document.transitions[name]:
            if transition.target not in distance and not transition.event.startswith(("error", "hangup")):
                distance[transition.target] = heard
                waiting.append(transition.target)


@AUDIO_TEXT.environment_finder
def audio_text(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find audio files that cannot be played, or whose words are not written down."""
    for part in written(document):
        found = environment.audio.get(part.audio)
        if isinstance(found, UnplayableAudio):
            yield document.finding("audio-text", (*part.path, "audio"), found.message, found.suggestion)
        elif found is not None and not soundness(found).is_whole:
            message = f'"{part.audio}" ends before its sound does.'
            yield document.warning("audio-text", (*part.path, "audio"), message, "It was cut off: copy it again.")
        if not (part.text and part.text.strip()):
            message = "What this file says is not written down."
            yield document.warning("audio-text", (*part.path, "audio"), message, 'Add its "text".', key=True)


_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SPOKEN = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})\s+(?:times|attempts|tries)\b", re.IGNORECASE)


@PROMPT_LIMIT.finder
def prompt_limit(document: Document) -> Iterator[Finding]:
    """Find numbers of times that differ from those in the guards of the same state."""
    for name, state in document.states():
        counted = _counted(document, name)
        for prompt in of_action(name, state) if counted else ():
            for number, part in enumerate(prompt.parts):
                text = part.text if isinstance(part, TextPart | AudioPart) else None
                for found in _SPOKEN.finditer(text or ""):
                    if _number(found[1]) not in counted:
                        path = (*prompt.path, number, "text")
                        mark = document.source.within(path, found.start(), len(found.group()))
                        message = f'The prompt says "{found.group()}", and the guards here count otherwise.'
                        yield document.source.finding("prompt-limit", "warning", mark, message, "Correct one of them.")


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
