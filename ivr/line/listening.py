"""What an answer is: keys and words against the choices that are offered, keys against the digits that are wanted."""

from msgspec.structs import replace

from ivr.engine.commands import Choice, DigitInput, Recognize
from ivr.engine.utterance import as_heard
from ivr.line.signals import KeyDown, KeyUp, Outcome, Signal, WordsUnderstood
from ivr.line.state import Choosing, Collecting


def by_voice(command: Recognize) -> bool:
    """Return whether any of the choices can be spoken, or the value that is asked for."""
    return command.free is not None or any(choice.speech for choice in command.choices)


def interrupts_by_voice(command: Recognize) -> bool:
    """Return whether words interrupt the prompt (protocol 25)."""
    return command.barge_in if command.barge_in_speech is None else command.barge_in_speech


def is_interruptible(command: Recognize) -> bool:
    """Return whether anything can interrupt the prompt."""
    return command.barge_in or interrupts_by_voice(command)


def by_key(command: Recognize) -> bool:
    """Return whether keys mean anything here; in a menu of words alone they do not (protocol 7)."""
    return command.digits is not None or any(choice.key for choice in command.choices)


def wanted(command: Recognize, signal: KeyDown | WordsUnderstood) -> bool:
    """Return whether a signal is an answer, right or wrong, that may interrupt the prompt."""
    if isinstance(signal, KeyDown):
        return command.barge_in and by_key(command)
    return interrupts_by_voice(command) and _means_something(command, signal.words)


def _means_something(command: Recognize, words: str) -> bool:
    return bool(words.strip()) if command.free else spoken(command, words) is not None


def spoken(command: Recognize, words: str) -> Choice | None:
    """Find the choice for what was said: letter by letter first, since `Yes` and `yes` may both be offered."""
    for choice in command.choices:
        if words in choice.speech:
            return choice
    plain = as_heard(words)
    if not plain:
        return None
    for choice in command.choices:
        if any(as_heard(phrase) == plain for phrase in choice.speech):
            return choice
    return None


def choosing(command: Recognize, phase: Choosing, signal: Signal, now: float, pause: float) -> Choosing | Outcome:
    """Take a signal while a choice is awaited."""
    match signal:
        case WordsUnderstood(words=words):
            choice = spoken(command, words)
            return phase if choice is None else Outcome(command.op, ok=True, result="speech", choice=choice.name)
        case KeyDown(key=key) if by_key(command):
            # Two keys at once are two keys: the first is let go by the second.
            taken = phase if phase.held is None else _key(command, phase, now)
            if isinstance(taken, Outcome) or (phase.held is not None and command.inter_digit is None):
                return taken
            return replace(taken, held=key, held_until=now + pause)
        case KeyUp() if phase.held is not None:
            return _key(command, phase, now)
    return phase


def _key(command: Recognize, phase: Choosing, now: float) -> Choosing | Outcome:
    """Count the key that was held; choices of several keys wait for the next one (protocol 25)."""
    key = phase.held or ""
    if command.inter_digit is not None and key in command.terminators:
        return _chosen(command, phase.keys)
    keys = phase.keys + key
    if any(choice.key != keys and (choice.key or "").startswith(keys) for choice in command.choices):
        return replace(phase, keys=keys, held=None, held_until=now + (command.inter_digit or 0.0))
    return _chosen(command, keys)


def _chosen(command: Recognize, keys: str) -> Outcome:
    for choice in command.choices:
        if choice.key == keys:
            return Outcome(command.op, ok=True, result="key", choice=choice.name)
    return Outcome(command.op, ok=False, result="wrong key")


def choice_expired(command: Recognize, phase: Choosing, now: float) -> Outcome:
    """Return how waiting for a choice ended."""
    if phase.held is None and phase.keys:
        return _chosen(command, phase.keys)
    return Outcome(command.op, ok=False, result="silence" if phase.held is None else "pause")


def collecting(command: Recognize, phase: Collecting, signal: Signal, now: float) -> Collecting | Outcome:
    """Take a signal while keys are collected."""
    wanted_digits = _digits(command)
    match signal:
        case WordsUnderstood(words=words) if command.free and not phase.keys and words.strip():
            return Outcome(command.op, ok=True, result="speech", words=words)
        case KeyDown(key=key):
            taken = phase if phase.held is None else _take(command, phase, now)
            if isinstance(taken, Outcome):
                return taken
            return replace(taken, held=key, deadline=now + wanted_digits.inter_digit)
        case KeyUp() if phase.held is not None:
            return _take(command, phase, now)
    return phase


def _take(command: Recognize, phase: Collecting, now: float) -> Collecting | Outcome:
    """Count the key that was held."""
    digits, key = _digits(command), phase.held or ""
    if key in digits.terminators:
        # Alone it ends the input too, but without digits that is a failure (protocol 6, 7).
        return Outcome(command.op, ok=bool(phase.keys), result="terminator", keys=phase.keys)
    keys = phase.keys + key
    if len(keys) >= digits.maximum:
        return Outcome(command.op, ok=True, result="count", keys=keys)
    return Collecting(now + digits.inter_digit, keys, is_spoken=phase.is_spoken)


def digits_expired(command: Recognize, phase: Collecting) -> Outcome:
    """Return how collecting ended when no more keys came."""
    if phase.held is not None:
        taken = _take(command, phase, phase.deadline)
        if isinstance(taken, Outcome):
            return taken
        phase = taken
    if phase.keys:
        return Outcome(command.op, ok=True, result="pause", keys=phase.keys)
    return Outcome(command.op, ok=False, result="silence")


def _digits(command: Recognize) -> DigitInput:
    if command.digits is None:  # only a command with digits is ever `Collecting`
        raise TypeError("a menu collects no digits")
    return command.digits
