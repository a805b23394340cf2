"""A file that is no YAML, read all the same as far as it goes: by its lines and how far they are indented.

YAML's parser stops at the first thing that it cannot read, often lines after the mistake, and what follows would only
be told in the next run. Here the file is taken apart by its indentation until the parts can be read, each by itself: a
state, a key of it, one line. What is left is one mistake, told where it is; where its meaning is plain it is put right
in memory and reading goes on, else the key is there with a value that nobody knows.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Mapping_
from itertools import pairwise
from typing import TypeAlias

from msgspec import Struct

from ivr.engine.naming import normal
from ivr.flowfile.finding import Edit
from ivr.flowfile.model import FlowFile
from ivr.flowfile.source import Mapping, Node, Scalar
from ivr.flowfile.source import Sequence as Items
from ivr.flowfile.yaml import mistakes
from ivr.flowfile.yaml.mistakes import Mistake
from ivr.flowfile.yaml.section import Section
from ivr.flowfile.yaml.syntax import KEYS, without_colon

MOST_MENDED = 40
"Slips that are put right in one part; of more, the rest is not told."
LONGEST_MENDED = 10_000
"Characters of a part in which mistakes are put right: each costs another reading of it."
DEEPEST = 40
"Levels of lines, as of nodes."
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
"What YAML refuses wherever it stands."
_HEAD = re.compile(
    r"""[ \t]*(?P<key>"[^"\n]*"|'[^'\n]*'|[^\s"'#\-?{}\[\],&*!|>%@`:][^\n:#{}\[\],]*?) *:(?=[ \t\n]|$)"""
)
"A key at the beginning of a line, with its colon."
_OPENS = re.compile(r"[ \t]*(?:#.*)?$")
"What after a key says that its value stands in the lines below."
_TOP = re.compile(rf"""["']?(?:{"|".join(FlowFile.words())})["']?[ ]*:""")
"A key of the flow itself."
_CONTINUES = re.compile(r"[ \t]*[}\]]")

Parsed: TypeAlias = "Node | Mistake"
Entries: TypeAlias = "dict[str, tuple[Scalar, Node]]"


class _Line(Struct, frozen=True):
    start: int
    end: int
    "With its line end."
    indent: int
    text: str


Parse: TypeAlias = Callable[[Section], Parsed]
"Reads a part by itself; a mistake where it cannot be read, at offsets of the part."


class Recovery:
    """Reads one file."""

    def __init__(self, parse: Parse, tell: Callable[[Mistake], None], line_at: Callable[[int], int]) -> None:
        """`tell` takes what was found, `line_at` numbers the lines of the file by offset."""
        self._parse = parse
        self._tell = tell
        self._line_at = line_at
        self._usual: Mapping_[int, int] = {}
        "How many lines are indented so far."
        self._step = 2
        "How much more than a key the lines are indented that belong to it, mostly."

    def mapping(self, section: Section) -> Mapping:
        """Read a whole file as the keys of a flow."""
        section = self._without_tabs(section)
        lines = list(_lines(section.text))
        self._usual = Counter(line.indent for line in lines)
        steps = Counter(after.indent - line.indent for line, after in pairwise(lines) if after.indent > line.indent)
        self._step = max(steps, key=lambda step: steps[step], default=2)
        return Mapping(self._block(section, 0), 0, section.origin[-1], flow=False)

    # --- by lines ----------------------------------------------------------------------------------------------------

    def _content(self, section: Section, depth: int) -> Node:
        """Read the value of a key, or an item of a list, that stands in lines of its own."""
        parsed = self._parse(section)
        lines = list(_lines(section.text))
        if not isinstance(parsed, Mistake) or not lines or depth > DEEPEST:
            return parsed if not isinstance(parsed, Mistake) else self._given_up(section, parsed)
        if lines[0].text.startswith("-") and (len(lines) > 1 or lines[0].text[1:2] not in {"", " "}):
            return self._list(section, lines, depth)
        if lines[0].text.startswith("- "):
            start = lines[0].start + lines[0].indent
            item = self._content(section.replaced(Edit(start, start + 1, " ")), depth + 1)
            return Items((item,), *_span(section), flow=False)
        if any(_HEAD.match(line.text) for line in lines):
            return Mapping(self._block(section, depth), *_span(section), flow=False)
        return self._given_up(section, parsed)

    def _list(self, section: Section, lines: Sequence[_Line], depth: int) -> Node:
        """Read a list whose items begin with dashes."""
        level = lines[0].indent
        starts = [line for before, line in zip([None, *lines], lines, strict=False) if _is_item(line, before, level)]
        items = []
        for line, end in zip(starts, [*(line.start for line in starts[1:]), len(section.text)], strict=True):
            if line.indent != level:
                self._tell(self._askew(section, line, level, lines[0]))
            item = section.part(line.start, end)
            if line.text[1:2] not in {" ", "\n", ""}:
                self._tell(item.placed(mistakes.no_space_after_dash(line.indent)))
            items.append(self._content(item.replaced(Edit(line.indent, line.indent + 1, " ")), depth + 1))
        return Items(tuple(items), *_span(section), flow=False)

    def _block(self, section: Section, depth: int) -> Entries:
        """Read keys that stand below each other."""
        entries: Entries = {}
        for child in self._children(section, depth):
            self._entry(child, entries, depth, MOST_MENDED)
        return entries

    def _children(self, section: Section, depth: int) -> Iterator[Section]:
        """Divide lines at those that begin with a key of this level, however that is indented."""
        lines = list(_lines(section.text))
        level = self._level(lines)
        first = next((line for line in lines if line.indent == level), None)
        starts: list[_Line] = []
        inner = 0  # how far the lines are indented that belong to the last key
        for number, line in enumerate(lines):
            goes_on = starts and (_CONTINUES.match(line.text) or (line.text.startswith("-") and line.indent == level))
            is_askew = _is_askew(lines, number, level, inner)
            is_state = depth == 0 and starts and starts[-1].text.startswith("states:") and not _TOP.match(line.text)
            if goes_on or is_state or (line.indent > level and starts and not is_askew):
                inner = inner or line.indent
                continue
            if line.indent != level and first is not None:
                other = starts[-1] if starts and starts[-1].indent == level else first
                self._tell(self._askew(section, line, level, other))
            starts.append(line)
            inner = 0
        if not starts:
            return
        for line, end in zip(starts, [*(line.start for line in starts[1:]), len(section.text)], strict=True):
            yield section.part(line.start, end)

    def _level(self, lines: Sequence[_Line]) -> int:
        """Return how far the keys of a block are indented: as most of them are, else as most lines of the file."""
        if not lines:
            return 0
        counted = Counter(line.indent for line in lines if line.indent <= lines[0].indent)
        return max(counted, key=lambda indent: (counted[indent], *self._likely(indent), indent))

    def _likely(self, indent: int) -> tuple[bool, int, bool]:
        """Rank how far lines can be indented by how much that fits this file."""
        return indent == 0, self._usual.get(indent, 0), indent % self._step == 0

    def _askew(self, section: Section, line: _Line, level: int, other: _Line) -> Mistake:
        """Return how far a line is indented, and how far it should be."""
        number = self._line_at(section.origin[other.start])
        message = (
            f"This line begins in column {line.indent + 1}, but line {number} beside it begins in column {level + 1}."
        )
        start = line.start + line.indent
        return section.placed(
            Mistake("syntax", message, f"Begin it in column {level + 1}.", start, start + len(line.text.rstrip()))
        )

    # --- one key -----------------------------------------------------------------------------------------------------

    def _entry(self, child: Section, entries: Entries, depth: int, left: int, *, told: str = "") -> None:
        """Read a key with its value; `left`: how many mistakes may still be put right; `told`: the code of the last."""
        parsed = self._parse(child)
        if isinstance(parsed, Mapping) and not parsed.flow:
            for key, value in parsed.entries.values():
                self._put(entries, key, value)
            return
        head, lines = _HEAD.match(child.text), list(_lines(child.text))
        first_end = lines[0].end if lines else 0
        opens = head is not None and _OPENS.match(child.text[head.end() : first_end]) is not None
        if opens and len(lines) > 1 and depth < DEEPEST:
            self._put(entries, _key(child, head), self._content(child.part(first_end, len(child.text)), depth + 1))
            return
        stray = self._stray(child, head, lines)
        if stray is not None:
            one, other = lines[0], stray
            if self._likely(one.indent) >= self._likely(other.indent):
                one, other = other, one
            self._tell(self._askew(child, one, other.indent, other))
            self._entry(child.part(0, stray.start), entries, depth, left)
            for key, value in self._block(child.part(stray.start, len(child.text)), depth + 1).values():
                self._put(entries, key, value)
            return
        mistake = parsed if isinstance(parsed, Mistake) else without_colon(child.text)
        # Most of what comes then follows from what was told, and not quite put right.
        if told not in {"quote", "syntax"} or mistake.code in {"star", "at", "percent"}:
            self._tell(child.placed(mistake))
        if mistake.mend is not None and left and len(child.text) <= LONGEST_MENDED:
            self._entry(child.replaced(mistake.mend), entries, depth, left - 1, told=mistake.code)
        else:
            self._put(entries, _key(child, head), Scalar("", "plain", *_span(child), broken=True))

    def _stray(self, child: Section, head: re.Match[str] | None, lines: Sequence[_Line]) -> _Line | None:
        """Find a key that is indented as if it belonged to the value before it, which is whole."""
        inner = _HEAD.match(lines[1].text) if head is not None and len(lines) > 1 else None
        if head is None or inner is None or (inner["key"] not in KEYS and lines[1].text[inner.end() :].strip()):
            return None
        value = child.text[head.end() : lines[0].end].strip()
        is_whole = value and value[0] not in "|>" and not isinstance(self._parse(child.part(0, lines[0].end)), Mistake)
        return lines[1] if is_whole else None

    def _put(self, entries: Entries, key: Scalar, value: Node) -> None:
        name = normal(key.text)
        if name not in entries:
            entries[name] = key, value
            return
        first = self._line_at(entries[name][0].start)
        self._tell(mistakes.twice(key, first))

    def _given_up(self, section: Section, mistake: Mistake) -> Scalar:
        self._tell(section.placed(mistake))
        return Scalar("", "plain", *_span(section), broken=True)

    # --- tabs --------------------------------------------------------------------------------------------------------

    def _without_tabs(self, section: Section) -> Section:
        """Put spaces for the tabs that lines are indented with: as many as the lines around them have."""
        edits: list[Edit] = []
        before, tabs_before, width = "", 0, 0
        for line in _lines(section.text, tabs=True):
            white = section.text[line.start : line.start + line.indent]
            tabs = white.count("\t")
            if not tabs:
                width = line.indent
            elif tabs_before:
                width = max(0, width + 2 * (tabs - tabs_before))
            else:
                width += 2 * before.rstrip().endswith(":")
            if tabs:
                edits.append(Edit(line.start, line.start + line.indent, " " * width))
            before, tabs_before = line.text, tabs
        if edits:
            start = edits[0].start + section.text[edits[0].start : edits[0].end].index("\t")
            more = f", and in {len(edits) - 1} more lines" if len(edits) > 1 else ""
            message = f"There is a tab where YAML needs spaces{more}."
            first, last = edits[0].start, edits[-1].end
            spaces = section.replaced(*edits).part(first, last + sum(map(_growth, edits))).text
            fix = Edit(first, last, spaces)
            self._tell(section.placed(Mistake("tab", message, "Use spaces.", start, start + 1, fix=fix)))
        return section.replaced(*edits)


def _growth(edit: Edit) -> int:
    return len(edit.text) - (edit.end - edit.start)


def _lines(text: str, *, tabs: bool = False) -> Iterator[_Line]:
    """Go through the lines that say something: not those that are empty, comments, or the mark of a document."""
    at = 0
    for line in text.splitlines(keepends=True) if "\r" in text else re.findall(r"[^\n]*\n|[^\n]+$", text):
        inside = line.lstrip(" \t" if tabs else " ")
        if inside.strip() and not inside.lstrip().startswith("#") and line.rstrip() != "---":
            yield _Line(at, at + len(line), len(line) - len(inside), inside)
        at += len(line)


def _is_item(line: _Line, before: _Line | None, level: int) -> bool:
    """Return whether a line begins an item of a list, and not one of a list inside of an item."""
    if not line.text.startswith("-"):
        return False
    return line.indent <= level or (before is not None and before.text.rstrip()[-1:] not in {":", "-"})


def _is_askew(lines: Sequence[_Line], number: int, level: int, inner: int) -> bool:
    """Return whether a line is a key of this level, though it is indented a little more: less than what is inside."""
    line = lines[number]
    is_between = level < line.indent < inner
    follows = number + 1 < len(lines) and lines[number + 1].indent > line.indent
    head = _HEAD.match(line.text)
    return is_between and follows and head is not None and not line.text[head.end() :].strip()


def _key(child: Section, head: re.Match[str] | None) -> Scalar:
    """Take what stands for a key."""
    if head is None:
        words = child.text.strip().split("\n", 1)[0][:40].rstrip()
        start = len(child.text) - len(child.text.lstrip())
        return Scalar(words, "plain", child.origin[start], child.origin[start] + len(words))
    start, end = head.span("key")
    text = head["key"]
    style = text[0] if text[0] in mistakes.QUOTES else "plain"
    return Scalar(text.strip("\"'") if style != "plain" else text, style, child.origin[start], child.origin[end])


def _span(section: Section) -> tuple[int, int]:
    """Return where a part begins and ends in the file, without the white space around it."""
    inside = section.text.strip()
    start = section.text.find(inside[:1]) if inside else 0
    return section.origin[start], section.origin[len(section.text.rstrip()) if inside else 0]
