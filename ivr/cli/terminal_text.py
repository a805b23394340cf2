"""Text of others on a terminal: shown, and nothing more.

A bot, a caller or a file can write anything. What it writes is no markup of ours, and moves no cursor, changes no
colour and names no window (a test sees to it that nothing else makes markup of a text).
"""

from rich.markup import escape


def plain(text: str) -> str:
    """Return a text for rich's markup: its line ends stay, what else cannot be printed becomes a blank."""
    return escape(clean(text))


def clean(text: str) -> str:
    """Return the same for a terminal without markup, as errors are printed."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def escaped(text: str) -> str:
    """Return the same in one line, with what cannot be printed written out: a list shows what a platform sent."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
