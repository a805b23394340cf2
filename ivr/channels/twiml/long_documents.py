"""What is said in one reply, in as many documents as a carrier's limit of their size needs.

Each but the last ends with a redirection to an address of ours, at which the next one is to be had. Nothing is left
out, and keys interrupt as ever. Where two documents of a question meet, the carrier listens for as long as it must at
least. The answer of a service that the call has waited for is told as soon as the next document is asked for.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import LineCommand, Play, Recognize, Record, Segment


class Rest(Struct, frozen=True):
    """What has still to be said."""

    part: int
    "The number of the document that follows, from 1: the first one has none."
    commands: tuple[LineCommand, ...]


def beginning_and_rest(
    commands: Sequence[LineCommand], fits: Callable[[Sequence[LineCommand]], bool]
) -> tuple[Sequence[LineCommand], Sequence[LineCommand]]:
    """Return the commands that say as much as fits, one segment at least, and those for what is left."""
    low, high = 1, sum(len(prompt_of(command)) for command in commands)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(_cut(commands, middle)[0]) else (low, middle - 1)
    return _cut(commands, low)


def prompt_of(command: LineCommand) -> tuple[Segment, ...]:
    """Return what a command says."""
    return command.prompt if isinstance(command, Play | Recognize | Record) else ()


def with_prompt(command: LineCommand, prompt: tuple[Segment, ...]) -> LineCommand:
    """Return a command that says something else, as far as it says anything."""
    return replace(command, prompt=prompt) if isinstance(command, Play | Recognize | Record) else command


def _cut(commands: Sequence[LineCommand], segments: int) -> tuple[Sequence[LineCommand], Sequence[LineCommand]]:
    """Cut behind so many segments; the last command is never done with the first part."""
    whole, left = 0, segments
    while whole < len(commands) - 1 and left >= len(prompt_of(commands[whole])):
        left -= len(prompt_of(commands[whole]))
        whole += 1
    cut, prompt = commands[whole], prompt_of(commands[whole])
    begun = [_saying(cut, prompt[:left])] if prompt[:left] else []
    return (*commands[:whole], *begun), (with_prompt(cut, prompt[left:]), *commands[whole + 1 :])


def _saying(command: LineCommand, prompt: tuple[Segment, ...]) -> LineCommand:
    """Return what says the beginning of a command's prompt: nobody is recorded before its end."""
    return Play(command.op, prompt) if isinstance(command, Record) else with_prompt(command, prompt)
