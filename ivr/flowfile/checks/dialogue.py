"""Checks of what the caller hears and can answer (LANGUAGE C5, C6, C9)."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from ivr.engine.utterance import as_heard
from ivr.flowfile.assets import UnplayableAudio, soundness, written
from ivr.flowfile.checks.announced import Announcement, announcement
from ivr.flowfile.document import Document
from ivr.flowfile.events import asking, may_fail_by
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import Asking, Menu, State
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path

MAX_CHOICES = 5
WORDS_A_SECOND = 2.5
"How fast people speak, and the line's voice."
LATE = 10.0
"Seconds after which a caller should have heard the first choice."
MAX_PROMPTS = 3
"Prompts before the first question."


def menus(document: Document) -> Iterator[tuple[Menu, Path]]:
    """Go through all menus, each with its place."""
    for name, state in document.states():
        if state.menu:
            yield state.menu, ("states", name, "menu")


def duplicate_dtmf(document: Document) -> Iterator[Finding]:
    """Find two choices on one key."""
    for menu, path in menus(document):
        first: dict[str, str] = {}
        for name, choice in menu.choices.items():
            if choice.dtmf is None:
                continue
            if choice.dtmf in first:
                message = f'The key {choice.dtmf} belongs to "{first[choice.dtmf]}" already.'
                place = (*path, "choices", name, "dtmf")
                yield document.finding("duplicate-dtmf", place, message, _free_key(menu))
            first.setdefault(choice.dtmf, name)


def _free_key(menu: Menu) -> str:
    used = {choice.dtmf for choice in menu.choices.values()}
    free = next((key for key in "1234567890" if key not in used), None)
    return f"The key {free} is free." if free else ""


def duplicate_speech(document: Document) -> Iterator[Finding]:
    """Find words that stand for two choices, or for one twice, however they are written."""
    for menu, path in menus(document):
        first: dict[str, tuple[str, str]] = {}
        for name, choice in menu.choices.items():
            for number, words in enumerate(choice.speech or ()):
                said = as_heard(words) or words
                if said in first:
                    yield _duplicate(document, (*path, "choices", name, "speech", number), words, *first[said])
                first.setdefault(said, (name, words))


def _duplicate(document: Document, place: Path, words: str, choice: str, written: str) -> Finding:
    message = f'"{words}" stands for "{choice}" already.'
    same = " ".join(words.casefold().split()) == " ".join(written.casefold().split())
    # What looks different was never refused, and a line that matches letter by letter may tell it apart.
    advice = "Each spoken form needs its own words." if same else f'It sounds like "{written}" there.'
    return document.finding("duplicate-speech", place, message, advice, severity="error" if same else "warning")


def no_key(document: Document) -> Iterator[Finding]:
    """Find choices that nobody can make."""
    for menu, path in menus(document):
        for name, choice in menu.choices.items():
            place = (*path, "choices", name)
            if choice.dtmf is None and not choice.speech and document.is_sound(*place):
                message = f'Nobody can choose "{name}": it has no key and no spoken form.'
                yield document.finding("no-key", place, message, 'Give it "dtmf" or "speech".', key=True)


def no_prompt(document: Document) -> Iterator[Finding]:
    """Find questions that are not asked (C4)."""
    for name, state in document.states():
        for action, asked in state.questions():
            has_own = isinstance(asked, Menu) and any(choice.prompt for choice in asked.choices.values())
            if not asked.prompt and not has_own and document.is_sound("states", name, action):
                message = f'"{action}" needs "prompt": the caller hears nothing.'
                yield document.finding("missing", ("states", name, action), message, key=True)


def silent_key(document: Document) -> Iterator[Finding]:
    """Find choices that no prompt tells of, and prompts that name the keys in another order."""
    for menu, path in menus(document):
        spoken = announcement(menu)
        if not spoken.complete or not spoken.text or not document.is_sound(*path):
            continue
        for name in menu.choices:
            if not spoken.tells(name, menu.choices[name]):
                message = f'No prompt tells of "{name}".'
                place = (*path, "choices", name)
                yield document.warning("silent-key", place, message, "Say its key or its word.", key=True)
        yield from _out_of_order(document, menu, path, spoken)


def _out_of_order(document: Document, menu: Menu, path: Path, spoken: Announcement) -> Iterator[Finding]:
    used = {choice.dtmf for choice in menu.choices.values()}
    named = [mention for mention in spoken.keys if mention.key in used and mention.key in "123456789"]
    for before, after in pairwise(named):
        if after.key < before.key:
            message = f"The prompt names the key {after.key} after {before.key}."
            mark = document.source.within((*path, *after.path), after.offset, len(after.words))
            advice = "Callers expect the order of the keys."
            yield document.source.finding("silent-key", "warning", mark, message, advice)
            return


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


def speech_only(document: Document) -> Iterator[Finding]:
    """Find choices without a key, which a noisy line makes impossible."""
    for menu, path in menus(document):
        for name, choice in menu.choices.items():
            if choice.speech and choice.dtmf is None and document.is_sound(*path, "choices", name):
                message = f'"{name}" can only be spoken.'
                yield document.warning(
                    "speech-only", (*path, "choices", name), message, "Give it a key, too.", key=True
                )


def long_menu(document: Document) -> Iterator[Finding]:
    """Find menus that nobody can remember, or whose first choice comes late."""
    for menu, path in menus(document):
        if len(menu.choices) > MAX_CHOICES:
            message = f"The menu has {len(menu.choices)} choices; callers remember {MAX_CHOICES}."
            yield document.warning("long-menu", (*path, "choices"), message, "Divide it.", key=True)
        first = announcement(menu).first_after
        if first is not None and first / WORDS_A_SECOND > LATE:
            message = f"The first choice is heard after some {first / WORDS_A_SECOND:.0f} seconds."
            yield document.warning(
                "long-menu", (*path, "prompt"), message, "Say what comes before it in a state of its own.", key=True
            )


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


def audio_text(document: Document, audio: Mapping[str, bytes | UnplayableAudio]) -> Iterator[Finding]:
    """Find audio files that cannot be played, or whose words are not written down."""
    for part in written(document):
        found = audio.get(part.audio)
        if isinstance(found, UnplayableAudio):
            yield document.finding("audio-text", (*part.path, "audio"), found.message, found.suggestion)
        elif found is not None and not soundness(found).is_whole:
            message = f'"{part.audio}" ends before its sound does.'
            yield document.warning("audio-text", (*part.path, "audio"), message, "It was cut off: copy it again.")
        if not (part.text and part.text.strip()):
            message = "What this file says is not written down."
            yield document.warning("audio-text", (*part.path, "audio"), message, 'Add its "text".', key=True)


CHECKS = (
    duplicate_dtmf,
    duplicate_speech,
    no_key,
    no_prompt,
    silent_key,
    never_heard,
    speech_only,
    long_menu,
    long_way,
)
