"""What a check is called, how bad it is, and what it looks like."""

import re
from typing import Literal

from msgspec import Struct

_TOP = re.compile(
    r"^(flow|description|language|voice|timeZone|initial|defaults|on|variables|limits|states)\b *:", re.MULTILINE
)


class Rule(Struct, frozen=True):
    """A check, as the documentation shows it and as the tests try it."""

    code: str
    severity: Literal["error", "warning", "both"]
    title: str
    "One sentence: what is found."
    bad: str = ""
    "States of a flow, or a whole flow, in which it is found, and nothing else; empty where no text can show it."
    good: str = ""
    "The same, put right."

    @property
    def can_warn(self) -> bool:
        """Whether it can be acknowledged by `allow`."""
        return self.severity != "error"


def whole(example: str) -> str:
    """Make a flow of an example: what goes without saying is added.

    States alone get a flow around them; a call begins in `start`, failures lead to `bye`.
    """
    text = example.strip("\n") + "\n"
    if not _TOP.search(text):
        text = "states:\n" + "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())
    keys = set(_TOP.findall(text))
    head = {"flow": "example", "initial": "start", "on": "{exhausted: bye, error: bye}"}
    before = "".join(f"{key}: {value}\n" for key, value in head.items() if key not in keys)
    after = (
        ""
        if re.search(r"^  bye:", text, re.MULTILINE)
        else "  bye: {say: Goodbye., final: true, outcome: unresolved}\n"
    )
    return before + text + after
