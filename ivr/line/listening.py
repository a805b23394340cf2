"""What an answer is: keys and words against the choices that are offered, keys against the digits that are wanted."""

from msgspec.structs import replace

from ivr.engine.commands import Choice, DigitInput, Recognize
from ivr.engine.utterance import as_heard
from ivr.line.signals import KeyDown, KeyUp, Outcome, Result, Signal, WordsUnderstood
from ivr.line.state import Choosing, Collecting


def by_voice(command: Recognize) -> bool:
    """Return whether any of the choices can be spoken."""
    return any(choice.speech for choice in command.choices)


def by_key(command: Recognize) -> bool:
    """Return whether keys mean anything here; in a menu of words alone they do not (protocol 7)."""
    return command.digits is not None or any(choice.key for choice in command.choices)


def wanted(command: Recognize, signal: KeyDown | WordsUnderstood) -> bool:
    """Return whether a signal is an answer, right or wrong, that may interrupt the prompt."""
    if isinstance(signal, KeyDown):
        return by_key(command)
    return spoken(command, signal.words) is not None


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
            return replace(phase, held=key, held_until=now + pause) if phase.held is None else _key(command, phase.held)
        case KeyUp() if phase.held is not None:
            return _key(command, phase.held)
    return phase


def _key(command: Recognize, key: str) -> Outcome:
    for choice in command.choices:
        if choice.key == key:
            return Outcome(command.op, ok=True, result="key", choice=choice.name)
    return Outcome(command.op, ok=False, result="wrong key")


def choice_expired(held: str | None) -> Result:
    """Return how waiting for a choice ended."""
    return "silence" if held is None else "pause"


def collecting(command: Recognize, phase: Collecting, signal: Signal, now: float) -> Collecting | Outcome:
    """Take a signal while keys are collected."""
    wanted_digits = _digits(command)
    match signal:
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
    return Collecting(now + digits.inter_digit, keys)


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
