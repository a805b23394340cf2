"""What authors' mistakes look like to YAML, said in words of what to do (LANGUAGE, "Reading").

YAML reads `dtmf: *` as an alias, `say: Press 1 # now` as half a sentence and `{{ x }}` as a mapping in a mapping.
Nobody who writes a phone flow wants to know that.
"""

import re
from typing import Literal

from msgspec import Struct

from ivr.flowfile.finding import Edit, Finding, Severity
from ivr.flowfile.source import Scalar, Source

QUOTES = frozenset({"'", '"'})
KEY_LINE = re.compile(r"^[ \t]*(?:- +)?[\w.]+:(?=\s|$)", re.MULTILINE)
COLON_ALONE = re.compile(r"(?:- +)?([A-Za-z][\w.]*):([^\s:/].*)")
"A key, its colon, no space, and a word; `https://` is no key."
NO_CHARACTER = re.compile(r"\\U(?!0000|0010|000[1-9A-Fa-f])\w{8}|\\u[Dd][89A-Fa-f]\w\w|\\U0000[Dd][89A-Fa-f]\w\w")
"An escape beyond the last character, or for half of one."
SURROGATE = re.compile("[\ud800-\udfff]")
LONGEST_QUOTE = 40
"Characters of a text that is shown as it should be written."
LONGEST_LOOK = 2_000
"Characters of a text in quotes among which the keys of further lines are looked for; the same with aliases."
LOOK_BACK = 200
"Characters before an empty value among which its key stands, with the comment that it became."

MAX_ERRORS = 200
"Errors after which a file is not read further. Warnings do not count: they refuse no flow, however many there are."


class Mistake(Struct, frozen=True):
    """A mistake at two offsets of the file."""

    code: str
    message: str
    suggestion: str = ""
    start: int = 0
    end: int = 1
    severity: Severity = "error"
    mend: Edit | None = None
    "What to put there to read on, in memory alone: perhaps a placeholder. None: reading on makes no sense."
    fix: Edit | None = None
    "What was certainly meant, for the file itself."

    def finding(self, source: Source) -> Finding:
        """Put it in its file."""
        mark = source.at(self.start, self.end)
        return source.finding(self.code, self.severity, mark, self.message, self.suggestion, fix=self.fix)


class Refused(Exception):
    """The file breaks a limit or a rule of C1, and reading it further is of no use."""

    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake


class MistakeLog:
    """What was found in a file so far."""

    def __init__(self, *found: Mistake) -> None:
        self.found = list(found)
        self._errors = len(found)

    def add(self, mistake: Mistake) -> None:
        """Note one more; raise Refused if that is one error too many."""
        if mistake.severity == "error":
            self._errors += 1
            if self._errors > MAX_ERRORS:
                message = f"There are more than {MAX_ERRORS} mistakes; the file was not read further."
                raise Refused(Mistake("size", message, "Correct these first.", mistake.start, mistake.end))
        self.found.append(mistake)


def no_character(text: str, start: int = 0) -> Mistake:
    """Refuse an escape for a character that there is not, the first after a place."""
    found = NO_CHARACTER.search(text, start)
    at, end = found.span() if found else (start, start + 1)
    return Mistake("syntax", "This character does not exist.", "Correct its number.", at, end, mend=Edit(at, end, "x"))


def runs_on(start: int, end: int, text: str, line: int = 1) -> Mistake | None:
    """Find a text in quotes that holds the keys of further lines: its own closing quote is missing."""
    end = min(end, start + LONGEST_LOOK)
    first_line = text.find("\n", start, end)
    if first_line < 0 or not KEY_LINE.search(text, first_line + 1, end):
        return None
    return unclosed(start, text, line)


def unclosed(start: int, text: str, line: int = 1) -> Mistake:
    """Refuse a quote without its other half; the text begins in `line` of the file."""
    number = text.count("\n", 0, start) + line
    message = f"The quote opened in line {number} is never closed."
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    # In brackets nobody knows where it was to end.
    stands_alone = re.search(r"(?:^|\n)[ \t]*(?:- +)*(?:[\w.]+: +)?$", text[:start][-LOOK_BACK:])
    mend = Edit(end, end, text[start]) if stands_alone else None
    last = start + len(text[start:end].rstrip())
    fix = Edit(last, last, text[start]) if stands_alone and " #" not in text[start:end] else None
    return Mistake("quote", message, f"Write {text[start]} at the end of the text.", start, end, mend=mend, fix=fix)


def twice(key: Scalar, first: int) -> Mistake:
    """Refuse a key that stands in one place twice; `first` is the line of the other."""
    message = f'"{key.text}" is written twice; the first is in line {first}.'
    return Mistake("duplicate-key", message, "Keep one of them.", key.start, key.end)


def no_space(key: re.Match[str]) -> tuple[Literal["space"], str, str]:
    """Return the words for what `COLON_ALONE` found: `next:thanks` is one word."""
    value = key[2] if len(key[2]) <= LONGEST_QUOTE else "…"
    advice = f"Write {key[1]}: {value}." if '"' in value else f'Write "{key[1]}: {value}".'
    return "space", "A space is missing after the colon.", advice


def space_after_colon(key: re.Match[str], at: int) -> Edit:
    """Return the edit that puts the space there; `at` is where in the file the text begins that was matched."""
    colon = at + key.end(1) + 1
    return Edit(colon, colon, " ")


def no_space_after_dash(at: int) -> Mistake:
    """Refuse `-thanks`."""
    edit = Edit(at + 1, at + 1, " ")
    message, advice = "A space is missing after the dash.", 'Write "- " before each item.'
    return Mistake("space", message, advice, at, at + 1, mend=edit, fix=edit)


def star(start: int, end: int, text: str) -> Mistake:
    """Refuse `dtmf: *`."""
    message = 'A text that begins with "*" must be in quotes.'
    is_key = end - start <= 1
    advice = 'Write "*".' if is_key else quoted(text, start)
    fix = Edit(start, start + 1, '"*"') if is_key else in_quotes(text, start)
    return Mistake("star", message, advice, start, max(end, start + 1), mend=Edit(start, start + 1, "x"), fix=fix)


def braces(start: int, end: int, text: str) -> Mistake:
    """Refuse `{tries: {{ tries + 1 }}}`."""
    fix = _quoting(start, end, text) if text[start:end].endswith("}}") else None
    return Mistake("braces", "A value with {{ }} must be in quotes.", 'Write "{{ … }}".', start, end, fix=fix)


def odd_key(start: int, end: int, text: str) -> Mistake:
    """Refuse something in braces or brackets where a key should be."""
    if text.startswith("{", start) and "{" in text[start + 1 : start + 3]:
        return braces(start, end, text)
    return Mistake("syntax", "A key must be a plain word.", "", start, end)


def tag(start: int, text: str) -> Mistake:
    """Refuse `say: !Hello`."""
    end = start + len(re.match(r"\S*", text[start:]).group())  # type: ignore[union-attr]  # it matches nothing, too
    message = 'A text that begins with "!" must be in quotes.'
    return Mistake("tag", message, quoted(text, start), start, end, fix=in_quotes(text, start))


def quoted(text: str, at: int) -> str:
    """Show how the value around a place is written in quotes, if that is one line of its own."""
    start, end = _value_around(text, at)
    value = text[start:end]
    if start > at or len(value) > LONGEST_QUOTE or '"' in value or value[:1] in ("[", "{", "'"):
        return "Put the whole text in quotes."
    return f'Write "{value}".'


def in_quotes(text: str, at: int) -> Edit | None:
    """Return the edit that puts the value around a place in quotes; None: it is not one line of its own, or has some.

    A value in brackets or braces has parts of its own; two braces are an expression.
    """
    start, end = _value_around(text, at)
    has_parts = text[start : start + 1] in "[{|>" and not text.startswith("{{", start)
    return None if start > at or has_parts else _quoting(start, end, text)


def _value_around(text: str, at: int) -> tuple[int, int]:
    """Return where the value begins and ends that stands alone in the line of a place; without a comment after it."""
    first = text.rfind("\n", 0, at) + 1
    line = re.match(r"[^\r\n]*", text[first:]).group()  # type: ignore[union-attr]  # it matches nothing, too
    begin = re.match(r"\s*(?:- +)*(?:[\w.]+: +)?", line).end()  # type: ignore[union-attr]  # as above
    value = re.sub(r"\s+#.*", "", line[begin:]).rstrip()
    return first + begin, first + begin + len(value)


def _quoting(start: int, end: int, text: str) -> Edit | None:
    """Return the edit that puts a stretch in the quotes that it does not hold itself."""
    value = text[start:end]
    if "\n" in value or "\r" in value or value[:1] in QUOTES:
        return None
    if '"' not in value and "\\" not in value:
        return Edit(start, end, f'"{value}"')
    return Edit(start, end, f"'{value}'") if "'" not in value else None
