"""What authors' slips look like to YAML, said in words of what to do (LANGUAGE, "Reading").

YAML reads `dtmf: *` as an alias, `say: Press 1 # now` as half a sentence and `{{ x }}` as a mapping in a mapping.
Nobody who writes a phone flow wants to know that.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from ivr.flowfile.finding import Finding, Severity
from ivr.flowfile.source import Node, Path, Scalar, Sequence, Source

SPOKEN = frozenset({"say", "text", "prompt", "reprompt", "noInput", "noMatch", "holdPrompt"})
"Keys whose plain text is spoken."
KEYS_OF_A_PHONE = frozenset({"dtmf", "terminators"})
SENTENCE_END = re.compile(r"""[.!?…:;]["')\]]*$|}}$""")
COMMENT = re.compile(r" (#[^\n\r]*)")
NO_CHARACTER = re.compile(r"\\U(?!0000|0010|000[1-9A-Fa-f])\w{8}|\\u[Dd][89A-Fa-f]\w\w|\\U0000[Dd][89A-Fa-f]\w\w")
"An escape beyond the last character, or for half of one."
SURROGATE = re.compile("[\ud800-\udfff]")
LONGEST_QUOTE = 40
"Characters of a text that is shown as it should be written."
LONGEST_COMMENT = 2_000
"Characters of a comment that are looked at; aliases can lead to the same one thousands of times."
LOOK_BACK = 200
"Characters before an empty value among which its key stands, with the comment that it became."


class Slip(Struct, frozen=True):
    """A mistake at two offsets of the file."""

    code: str
    message: str
    suggestion: str = ""
    start: int = 0
    end: int = 1
    severity: Severity = "error"
    repair: str | None = None
    "What to put there, character for character, to read on; none: reading on makes no sense."

    def finding(self, source: Source) -> Finding:
        """Put it in its file."""
        return source.finding(self.code, self.severity, source.at(self.start, self.end), self.message, self.suggestion)


# --- while the file is parsed ----------------------------------------------------------------------------------------

_STARTERS = {"@": "at", "`": "at", "%": "percent"}


def of_syntax(context: str, problem: str, context_at: int, at: int, text: str) -> Slip:
    """Say what the parser stumbled over. The offsets are those of its two marks."""
    char = text[at : at + 1]
    if "scanning an alias" in context:
        return star(context_at, at, text)
    if "cannot start any token" in problem and char == "\t":
        # How far a line with a tab is indented nobody knows; within a line a space does as well.
        repair = " " if text[text.rfind("\n", 0, at) + 1 : at].strip() else None
        return Slip("tab", "There is a tab where YAML wants spaces.", "Use spaces.", at, at + 1, repair=repair)
    if "cannot start any token" in problem and char in _STARTERS:
        message = f'A text that begins with "{char}" must be in quotes.'
        return Slip(_STARTERS[char], message, _quoted(text, at), at, at + 1, repair="x")
    if (bare := _bare_braces(text, at)) is not None:
        message = "A text with {{ }} here must be in quotes."
        return Slip("braces", message, "Put the whole text in quotes, single ones if it holds others.", bare, bare + 2)
    if ("mapping values" in problem or "but got ':'" in problem) and not _begins_a_line(text, at):
        return Slip("colon", 'A text with ": " in it must be in quotes.', _quoted(text, at), at, at + 1, repair="x")
    if "end of stream" in problem or "<stream end>" in problem:
        message = "The file ends inside a text or a list that begins here."
        return Slip("syntax", message, "Is a closing quote, bracket or brace missing?", context_at, context_at + 1)
    return _general(problem, char, at, text)


def no_character(text: str, start: int = 0) -> Slip:
    """Refuse an escape for a character that there is not, the first after a place."""
    found = NO_CHARACTER.search(text, start)
    at, end = found.span() if found else (start, start + 1)
    return Slip("syntax", "There is no such character.", "Correct its number.", at, end)


def _general(problem: str, char: str, at: int, text: str) -> Slip:
    if "found '<scalar>'" not in problem and re.search("block|sequence entries|mapping values", problem):
        start = text.rfind("\n", 0, at) + 1
        start += len(text[start:at]) - len(text[start:at].lstrip())
        message = "This line does not fit the lines above it."
        return Slip("syntax", message, "Lines that belong together begin in the same column.", start, at + 1)
    return Slip("syntax", *_cause(problem, char), at, at + 1)


def _cause(problem: str, char: str) -> tuple[str, str]:
    if "found '<scalar>'" in problem:
        return "Something follows a text that was complete.", "Put the whole text in quotes."
    if "escape" in problem:
        return "In double quotes, a backslash begins an escape.", "Write it twice, or use single quotes."
    if char in tuple("]},"):
        return f'"{char}" does not belong here.', "Do the brackets and braces match?"
    return "This is not valid YAML.", "Put the text in quotes."


def _bare_braces(text: str, at: int) -> int | None:
    """Find `{{` outside of quotes in the line of a place, before it."""
    start = text.rfind("\n", 0, at) + 1
    line = re.sub(r"""(["'])(?:(?!\1).)*\1""", lambda quoted: "." * len(quoted.group()), text[start : at + 2])
    return start + line.index("{{") if "{{" in line else None


def _begins_a_line(text: str, at: int) -> bool:
    """Tell whether only a key stands before a place, in its line."""
    return re.fullmatch(r"\s*[\w.]+", text[text.rfind("\n", 0, at) + 1 : at]) is not None


def star(start: int, end: int, text: str) -> Slip:
    """Refuse `dtmf: *`."""
    message = 'A text that begins with "*" must be in quotes.'
    advice = 'Write "*".' if end - start <= 1 else _quoted(text, start)
    return Slip("star", message, advice, start, max(end, start + 1), repair="x")


def braces(start: int, end: int) -> Slip:
    """Refuse `{tries: {{ tries + 1 }}}`."""
    return Slip("braces", "A value with {{ }} must be in quotes.", 'Write "{{ … }}".', start, end)


def odd_key(start: int, end: int, text: str) -> Slip:
    """Refuse something in braces or brackets where a key should be."""
    if text.startswith("{", start) and "{" in text[start + 1 : start + 3]:
        return braces(start, end)
    return Slip("syntax", "A key is a plain word.", "", start, end)


def tag(start: int, text: str) -> Slip:
    """Refuse `say: !Hello`."""
    end = start + len(re.match(r"\S*", text[start:]).group())  # type: ignore[union-attr]  # it matches nothing, too
    return Slip("tag", 'A text that begins with "!" must be in quotes.', _quoted(text, start), start, end)


def _quoted(text: str, at: int) -> str:
    """Show how the value around a place is written in quotes, if that is one line of its own."""
    line_start = text.rfind("\n", 0, at) + 1
    line = re.match(r"[^\r\n]*", text[line_start:]).group()  # type: ignore[union-attr]  # as above
    begin = re.match(r"\s*(?:- +)*(?:[\w.]+: +)?", line).end()  # type: ignore[union-attr]  # as above
    value = re.sub(r"\s+#.*", "", line[begin:]).rstrip()
    if line_start + begin > at or len(value) > LONGEST_QUOTE or '"' in value or value[:1] in ("[", "{", "'"):
        return "Put the whole text in quotes."
    return f'Write "{value}".'


# --- in what was parsed ----------------------------------------------------------------------------------------------


def in_scalar(node: Scalar, path: Path, text: str) -> Slip | None:
    """Look for half a text, and for none."""
    if node.style != "plain":
        return None
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    spoken = bool(node.text) and key in SPOKEN
    comment = COMMENT.match(text, node.end, node.end + LONGEST_COMMENT) if spoken else None
    if comment:
        said = comment[1].rstrip()
        message = f'"{said}" was taken for a comment.'
        return Slip("hash", message, "Quote the text if it belongs to it.", comment.start(1), comment.end(1), "warning")
    if node.text:
        return None
    first = max(0, node.end - LOOK_BACK)
    taken = re.search(rf"{key}: *#", text[first : node.end + 2]) if key in KEYS_OF_A_PHONE else None
    if taken:
        at = first + taken.end() - 1
        return Slip("hash", '"#" without quotes begins a comment.', 'Write "#".', at, at + 1)
    start = node.end if node.end < len(text) else max(0, len(text) - 1)
    what = f'"{key}" has no value.' if key and path[-1] == key else "An item of the list has no value."
    return Slip("empty", what, 'Write one, or "" for an empty text.', *_before(text, start))


def _before(text: str, at: int) -> tuple[int, int]:
    """Give the word before a place: where nothing stands, there is nothing to underline."""
    first = max(0, at - LOOK_BACK)
    end = first + len(text[first:at].rstrip(" \t\r\n:"))
    word = re.search(r"[^\s\[{,]*$", text[first:end])
    start = first + word.start() if word else at
    return start, max(end, start + 1)


def no_items(node: Sequence) -> Slip:
    """Refuse `[]`."""
    return Slip("empty", "The list is empty.", "Write an item, or leave the key out.", node.start, node.end)


def in_list(node: Sequence, path: Path) -> Iterator[Slip]:
    """Look for a sentence that a comma has cut in two."""
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if not node.flow or key not in SPOKEN:
        return
    for item in node.items[:-1]:
        if isinstance(item, Scalar) and item.style == "plain" and item.text and not SENTENCE_END.search(item.text):
            message = f'In [ ] a comma ends a text: "{item.text}" is one, and what follows is the next.'
            yield Slip("comma", message, "Put each text in quotes.", item.start, item.end)


def in_braces(key: Scalar, value: Node, text: str) -> Slip | None:
    """Look for a text that a comma has cut, so that its rest looks like a key: `{text: Hello, you}`."""
    is_alone = isinstance(value, Scalar) and not value.text and ":" not in text[key.end : value.end + 1]
    if not is_alone or not isinstance(value, Scalar) or value.style != "plain" or value.start < key.end:
        return None
    message = f'In {{ }} a comma ends a text, so "{key.text}" stands alone.'
    return Slip("comma", message, "Put the text before the comma in quotes.", key.start, key.end)
