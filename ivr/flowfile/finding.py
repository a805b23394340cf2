"""A mistake or a doubt in a flow file: where it is, what it is, and what was probably meant.

An error's text says where, what was found, and what was meant; it is the same for people and for programs.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

from msgspec import Struct, to_builtins

Severity: TypeAlias = Literal["error", "warning"]

EXCERPT_WIDTH = 160
"Characters of a source line that are shown; of longer lines a window around the caret."


class Edit(Struct, frozen=True):
    """A change to the text of a file: what stands between two places is replaced."""

    start: int
    "Offset of the first character that is replaced, counted from 0; a byte order mark is not counted."
    end: int
    "Offset after the last one; the same as `start`: the new text is inserted."
    text: str

    def within(self, text: str) -> str:
        """Return a text with this change made."""
        return f"{text[: self.start]}{self.text}{text[self.end :]}"


Text: TypeAlias = tuple[str, str]
"""What was found, in whole sentences; and what to do or what was meant, which may be empty."""


class Problem(Struct, frozen=True):
    """What is wrong, as data: which check found it, and a text that is filled in with what was found."""

    code: str
    severity: Severity
    text: Callable[[], Text]
    "One of the texts of the check, with its arguments."


class Finding(Struct, frozen=True):
    """One thing that `ivr check` says. An error refuses the flow; a warning can be acknowledged by `allow`."""

    code: str
    severity: Severity
    file: str
    line: int
    "Counted from 1."
    column: int
    "Counted from 1, in characters."
    length: int
    "Characters that the carets underline, within the line."
    message: str
    "What was found: whole sentences."
    suggestion: str = ""
    "What to do or what was meant; may be empty."
    excerpt: str = ""
    "The source line, for the text form."
    fix: Edit | None = None
    "The change that certainly puts it right; None: only the author knows."

    @property
    def is_error(self) -> bool:
        """Return whether the flow is refused for it."""
        return self.severity == "error"

    def as_text(self) -> str:
        """Render for people: place and code, the line with carets, what was found and what to do."""
        kind = "" if self.is_error else "  (warning)"
        words = visible(f"{self.message} {self.suggestion}".strip())
        place = visible(f"{self.file}:{self.line}:{self.column}")
        return "\n".join([f"{place}  {self.code}{kind}", *self._marked(), f"  {words}"])

    def as_json(self) -> dict[str, Any]:
        """Render for programs; `fix` is there only where there is one."""
        rendered = {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "suggestion": self.suggestion,
        }
        return rendered if self.fix is None else {**rendered, "fix": to_builtins(self.fix)}

    def _marked(self) -> list[str]:
        """Return the source line and the line of carets under it; nothing where there is no line to show."""
        if not self.excerpt.strip():
            return []
        first = max(0, min(self.column - 1 - EXCERPT_WIDTH // 2, len(self.excerpt) - EXCERPT_WIDTH))
        shown = self.excerpt[first : first + EXCERPT_WIDTH]
        clean = visible(shown).rstrip()
        at = self.column - 1 - first
        carets = "^" * max(1, min(self.length, len(shown) - at))
        return [f"    {clean}", f"    {' ' * at}{carets}"]


def visible(text: str) -> str:
    """Keep the columns: a file can hold anything, but what reaches a terminal must not move its cursor."""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by place, and say nothing twice."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda found: (found.file, found.line, found.column, found.code, found.message)))


def as_text(findings: Iterable[Finding]) -> str:
    """Render several findings, an empty line between them."""
    return "\n\n".join(found.as_text() for found in findings)
