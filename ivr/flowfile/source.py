"""A flow file as it was written: its nodes, each with its place, found again by path.

A path is what one would say: `("states", "main", "menu", "choices")`. Everything that finds a mistake later, in the
model or in an expression, finds its line and column here. This module does not know how YAML is parsed.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.flowfile.finding import Edit, Finding, Problem, Severity
from ivr.nearest import only_near

Path: TypeAlias = tuple[str | int, ...]
Tree: TypeAlias = "str | dict[str, Tree] | list[Tree]"
"A file as plain data: every scalar is text (LANGUAGE C1)."
Offsets: TypeAlias = "array[int]"

_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)", re.DOTALL)
"An escape in a text in double quotes."
_JOINED_LINES = re.compile(r"(?:\\\r?\n\s*)+")
"A line end that stands for nothing, in double quotes."


class Mark(Struct, frozen=True):
    """A place in a file, counted from 1."""

    line: int
    column: int
    length: int


class FileLine(Struct, frozen=True):
    """A line of one of the files that a flow is made of."""

    file: str
    line: int
    "Counted from 1."


class Scalar(Struct, frozen=True):
    """A text of the file."""

    text: str
    style: str
    "`plain`, or the character that opens it: `'`, `\"`, `|`, `>`."
    start: int
    "Offset of its first character in the file; `end` is the one after its last."
    end: int
    broken: bool = False
    "True: a finding was made here, and its value means nothing."


class Mapping(Struct, frozen=True):
    """Keys with values, in file order."""

    entries: "dict[str, tuple[Scalar, Node]]"
    start: int
    end: int
    flow: bool
    "True: written in braces."


class Sequence(Struct, frozen=True):
    """A list."""

    items: "tuple[Node, ...]"
    start: int
    end: int
    flow: bool
    "True: written in brackets."


Node: TypeAlias = Scalar | Mapping | Sequence


class Entry(Struct, frozen=True):
    """A value, and the key it stands under; lists have no keys."""

    key: Scalar | None
    value: Node


class _Lines:
    """The lines of a text, looked for once: a hostile file has a million of them, or thousands of findings in one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._cut: dict[int, tuple[str, int]] = {}
        "By number: a line, and how long it is without white space at its end."

    @cached_property
    def starts(self) -> Offsets:
        return array("I", [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self._text))])

    def number(self, offset: int) -> int:
        return bisect_right(self.starts, offset)

    def cut(self, number: int) -> tuple[str, int]:
        if number not in self._cut:
            first = self.starts[number - 1]
            last = self.starts[number] if number < len(self.starts) else len(self._text)
            line = self._text[first:last].rstrip("\r\n")
            self._cut[number] = line, len(line.rstrip())
        return self._cut[number]


class Source:
    """One flow file."""

    def __init__(self, file: str, text: str, root: Node) -> None:
        self.file = file
        self.text = text
        self.root = root
        self._lines = _Lines(text)
        self._places: dict[int, Offsets] = {}
        "What `_positions` said of each text that was asked for, by where it begins."
        self._joined: tuple[FileLine, ...] = ()
        "The files behind the first one, each with the line at which it begins."

    def rooted(self, root: Node) -> "Source":
        """Return the same file with the nodes that it turned out to hold."""
        source = Source(self.file, self.text, root)
        source._lines = self._lines
        source._joined = self._joined
        return source

    def joined(self, other: "Source") -> "JoinedSource":
        """Return this file with another one behind it."""
        text = self.text if self.text.endswith("\n") else self.text + "\n"
        source = Source(self.file, text + other.text, self.root)
        source._joined = (*self._joined, FileLine(other.file, source.line_at(len(text))))
        return JoinedSource(source, _moved(other.root, len(text)))

    def place(self, line: int) -> FileLine:
        """Return which line of which file a line of the whole is."""
        begins = next((joined for joined in reversed(self._joined) if joined.line <= line), FileLine(self.file, 1))
        return FileLine(begins.file, line - begins.line + 1)

    def line_at(self, offset: int) -> int:
        """Return the number of the line, counted from 1, in which an offset is."""
        return self._lines.number(offset)

    def at(self, start: int, end: int) -> Mark:
        """Return the place of a stretch of the file; of several lines, what is on the first."""
        line = self.line_at(start)
        column = start - self.offset(line)
        return Mark(line, column + 1, max(1, min(end - start, self._lines.cut(line)[1] - column)))

    def offset(self, number: int) -> int:
        """Return the offset at which a line begins."""
        return self._lines.starts[number - 1]

    def line(self, number: int) -> str:
        """Return a line, counted from 1, without its end."""
        return self._lines.cut(number)[0]

    @cached_property
    def broken(self) -> frozenset[Path]:
        """List the places where a finding was made while reading."""
        return frozenset(_broken(self.root, ()))

    def find(self, path: Path) -> Entry:
        """Go along a path as far as it leads.

        A step that is not there stays where it is: `0` into a text that may also be a list, the name of an alternative
        in the model, a key that is missing and had to be written here.
        """
        place = Entry(None, self.root)
        for step in path:
            match place.value:
                case Mapping() as mapping if isinstance(step, str) and (entry := mapping.entries.get(step)):
                    place = Entry(*entry)
                case Sequence(items) if isinstance(step, int) and step < len(items):
                    place = Entry(None, items[step])
                case _:
                    continue
        return place

    def has(self, path: Path) -> bool:
        """Return whether exactly this was written."""
        return self._exact(path) is not None

    def keys(self, path: Path) -> tuple[str, ...]:
        """Return the keys that were written at a path."""
        node = self._exact(path)
        return tuple(node.entries) if isinstance(node, Mapping) else ()

    def is_plain(self, path: Path) -> bool:
        """Return whether a text stands there without quotes."""
        node = self.find(path).value
        return isinstance(node, Scalar) and node.style == "plain"

    def is_broken(self, path: Path) -> bool:
        """Return whether a finding was made at the end of a path, or on the way."""
        value = self.find(path).value
        return isinstance(value, Scalar) and value.broken

    def _exact(self, path: Path) -> Node | None:
        node = self.root
        for step in path:
            match node:
                case Mapping() if isinstance(step, str) and (entry := node.entries.get(step)):
                    node = entry[1]
                case Sequence(items) if isinstance(step, int) and step < len(items):
                    node = items[step]
                case _:
                    return None
        return node

    def mark(self, *path: str | int, key: bool = False) -> Mark:
        """Return the place of the value at a path, or of its key."""
        place = self.find(path)
        node: Node = place.value
        # Of what begins on the next line, the key says better where it is.
        if place.key and (key or not _is_inline(node)):
            node = place.key
        return self.at(node.start, node.end)

    def within(self, path: Path, offset: int, length: int) -> Mark:
        """Return the place of a part of a text, like a name in an expression; `offset` counts in the text's value."""
        node = self.find(path).value
        if not isinstance(node, Scalar) or not node.text:
            return self.mark(*path)
        places = self._places_of(node)
        first = places[min(offset, len(places) - 1)]
        last = places[min(offset + max(length, 1), len(places)) - 1]
        return self.at(node.start + first, node.start + max(first, last) + 1)

    def _places_of(self, node: Scalar) -> Offsets:
        if node.start not in self._places:  # no two texts that are not empty begin at one place
            self._places[node.start] = _positions(self.text[node.start : node.end], node)
        return self._places[node.start]

    def replacing(self, path: Path, text: str, *, old: str, key: bool = False) -> Edit | None:
        """Return the edit that writes another word at a path, or for its key; None: `old` does not stand there so."""
        place = self.find(path)
        node = place.key if key else place.value
        if not isinstance(node, Scalar) or node.text != old:
            return None
        start, end = (node.start, node.end) if node.style == "plain" else (node.start + 1, node.end - 1)
        return Edit(start, end, text) if self.text[start:end] == old else None

    def renaming(self, path: Path, old: str, known: Collection[str], *, key: bool = False) -> Edit | None:
        """Return the edit that writes the known name for one that is not; None: no name is near, or several are."""
        meant = only_near(old, known)
        return self.replacing(path, meant, old=old, key=key) if meant is not None else None

    def replacing_within(self, path: Path, offset: int, old: str, text: str) -> Edit | None:
        """Return the edit that writes another word in a text, as `within` finds it; None: it is written otherwise."""
        node = self.find(path).value
        if not isinstance(node, Scalar) or not old or node.text[offset : offset + len(old)] != old:
            return None
        start = node.start + self._places_of(node)[offset]
        end = start + len(old)
        return Edit(start, end, text) if self.text[start:end] == old else None

    def found(self, problem: Problem, mark: Mark, *, fix: Edit | None = None) -> Finding:
        """Make a finding of what is wrong at a place of this file."""
        return self.finding(problem.code, problem.severity, mark, *problem.text(), fix=fix)

    def finding(
        self,
        code: str,
        severity: Severity,
        mark: Mark,
        message: str,
        suggestion: str = "",
        *,
        fix: Edit | None = None,
    ) -> Finding:
        """Make a finding at a place of this file; one that was joined to it is not changed by its fixes."""
        place = self.place(mark.line)
        return Finding(
            code,
            severity,
            place.file,
            place.line,
            mark.column,
            mark.length,
            message,
            suggestion,
            excerpt=self.line(mark.line),
            fix=fix if place.file == self.file else None,
        )


class JoinedSource(Struct, frozen=True):
    """A file with another one behind it."""

    source: Source
    added: Node
    "The nodes of the other one, with their places in the whole."


def _moved(node: Node, by: int) -> Node:
    """Return a node that stands further on."""
    if isinstance(node, Sequence):
        return Sequence(tuple(_moved(item, by) for item in node.items), node.start + by, node.end + by, node.flow)
    if isinstance(node, Mapping):
        entries = {name: (_moved_key(key, by), _moved(value, by)) for name, (key, value) in node.entries.items()}
        return Mapping(entries, node.start + by, node.end + by, node.flow)
    return _moved_key(node, by)


def _moved_key(key: Scalar, by: int) -> Scalar:
    return replace(key, start=key.start + by, end=key.end + by)


def _broken(node: Node, path: Path) -> Iterator[Path]:
    match node:
        case Scalar(broken=True):
            yield path
        case Sequence(items):
            for number, item in enumerate(items):
                yield from _broken(item, (*path, number))
        case Mapping(entries):
            for name, (_, value) in entries.items():
                yield from _broken(value, (*path, name))


def _is_inline(node: Node) -> bool:
    return (isinstance(node, Scalar) and node.style not in ("|", ">")) or (not isinstance(node, Scalar) and node.flow)


def _positions(raw: str, node: Scalar) -> Offsets:
    """Return for each character of a text's value where in `raw`, the text as written, it stands.

    Folding turns line ends and indentation into single spaces, quotes hide escapes; a word is found by looking for its
    next letter past white space, which is right wherever a caret is worth anything: at words.
    """
    at = raw.find("\n") + 1 if node.style in ("|", ">") else 0 if node.style == "plain" else 1
    places = array("I")
    for char in node.text:
        if node.style == '"' and (joined := _JOINED_LINES.match(raw, at)):
            at = joined.end()
        while at < len(raw) and raw[at].isspace() and not char.isspace():
            at += 1
        places.append(min(at, len(raw) - 1))
        at += _written_length(raw, at, node.style)
    return places


def _written_length(raw: str, at: int, style: str) -> int:
    if style == '"' and (escape := _ESCAPE.match(raw, at)):
        return len(escape.group())
    return 2 if style == "'" and raw.startswith("''", at) else 1
