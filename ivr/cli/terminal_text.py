"""Text of others on a terminal: shown, and nothing more.

A bot, a caller or a file can write anything. What it writes is no markup of ours, and moves no cursor, changes no
colour and names no window (a test sees to it that nothing else makes markup of a text).
"""

import json
import re

from rich.markup import escape

_PERHAPS_UNPRINTABLE = re.compile(r"[^\n -~]")


def plain(text: str) -> str:
    """Return a text for rich's markup: its line ends stay, what else cannot be printed becomes a blank."""
    return escape(clean(text))


def clean(text: str) -> str:
    """Return the same for a terminal without markup, as errors are printed."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def escaped(text: str) -> str:
    """Return the same in one line, with what cannot be printed written out: a list shows what a platform sent."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return a value as JSON that is safe on a terminal, too: a program reads the same, whatever is written out."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _PERHAPS_UNPRINTABLE.sub(lambda found: _in_json(found[0]), text)


def _in_json(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]
