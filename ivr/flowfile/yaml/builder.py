"""Nodes with places, put together from the events of YAML's parser: the one door of ruamel.yaml.

Every scalar stays text, aliases are counted as what they stand for before anything walks them, and depth costs no
stack.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import ScalarToken

from ivr.engine.naming import normal
from ivr.flowfile.source import Mapping, Node, Scalar, Sequence, Source
from ivr.flowfile.yaml import mistakes
from ivr.flowfile.yaml.mistakes import Mistake, MistakeLog, Refused
from ivr.flowfile.yaml.section import Section
from ivr.flowfile.yaml.syntax import LONGEST_SCANNED, Stop, of_syntax

MAX_NODES = 200_000
"Keys, values and lists of the file, aliases counted as what they stand for. 5,000 states have some 110,000."
MAX_DEPTH = 40

NOTHING = Mapping({}, 0, 0, flow=False)
"What is in an empty file."


class NotReadable(Exception):
    """A part of a file cannot be read by itself. Why is found out only on request: it costs, and may not be asked."""

    def __init__(self, why: Callable[[], Mistake]) -> None:
        self.why = why


class _OpenNode(Struct):
    """A list or mapping that is not closed yet."""

    start: int
    flow: bool
    anchor: str | None
    is_mapping: bool
    children: list[Node]
    size: int = 1
    "Nodes, aliases counted as what they stand for."
    height: int = 1


class Anchored(Struct, frozen=True):
    """What an alias stands for."""

    node: Node
    size: int
    height: int


class NodeBuilder:
    """Puts nodes together from the parser's events."""

    def __init__(self, section: Section, source: Source, log: MistakeLog, anchors: dict[str, Anchored]) -> None:
        """Read a part of a file, where mistakes may have been put right; the places are those of `source`."""
        self._section = section
        self._source = source
        self._log = log
        self._stack: list[_OpenNode] = []
        self._anchors = anchors
        self._root: Node | None = None
        self._nodes = 0

    def build(self) -> Node:
        """Read one document; raise NotReadable or Refused."""
        try:
            return self._built()
        except (YAMLError, ValueError, OverflowError, AssertionError) as error:
            raise NotReadable(partial(self._stopped, error)) from error

    def _built(self) -> Node:
        for event in self._events():
            name = type(event).__name__
            match name:
                case "AliasEvent":
                    self._alias(event)
                case "ScalarEvent":
                    self._scalar(event)
                case "SequenceStartEvent" | "MappingStartEvent":
                    self._open(event, is_mapping=name == "MappingStartEvent")
                case "SequenceEndEvent" | "MappingEndEvent":
                    self._close(event)
                case "DocumentStartEvent" if self._root is not None:
                    at, _ = self._places(event)
                    self._log.add(
                        Mistake("syntax", "A file contains one flow.", "Delete this and what follows.", at, at + 3)
                    )
                    break
        return self._root if self._root is not None else NOTHING

    def _events(self) -> Iterator[Any]:  # the parser's events have no types of their own
        yield from YAML(typ="safe", pure=True).parse(self._section.text)

    def _places(self, event: Any) -> tuple[int, int]:
        """Return where in the file an event begins and ends."""
        return self._section.origin[event.start_mark.index], self._section.origin[event.end_mark.index]

    def _scalar(self, event: Any) -> None:
        start, end = self._places(event)
        broken = self._is_tagged(event)
        if mistakes.SURROGATE.search(event.value):
            self._log.add(mistakes.no_character(self._source.text, start))
            broken = True
        node = Scalar(event.value, event.style or "plain", start, end, broken)
        self._anchor(event.anchor, Anchored(node, 1, 0))
        self._add(node, 1, 0)

    def _open(self, event: Any, *, is_mapping: bool) -> None:
        self._is_tagged(event)
        start, _ = self._places(event)
        self._stack.append(_OpenNode(start, bool(event.flow_style), event.anchor, is_mapping, []))
        if len(self._stack) > MAX_DEPTH:
            raise self._too_deep(event)

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        start, end = self._places(event)
        end = end if done.flow else start
        node = (
            self._mapping(done, end) if done.is_mapping else Sequence(tuple(done.children), done.start, end, done.flow)
        )
        self._anchor(done.anchor, Anchored(node, done.size, done.height))
        self._add(node, done.size, done.height)

    def _alias(self, event: Any) -> None:
        start, end = self._places(event)
        known = self._anchors.get(event.anchor)
        if known is None:
            self._log.add(mistakes.star(start, end, self._source.text))
            known = Anchored(Scalar("", "plain", start, end, broken=True), 1, 0)
        self._count(known.size, start)
        if len(self._stack) + known.height > MAX_DEPTH:
            raise self._too_deep(event)
        self._add(known.node, known.size, known.height, counted=True)

    def _anchor(self, name: str | None, what: Anchored) -> None:
        if name is not None:
            self._anchors[name] = what

    def _add(self, node: Node, size: int, height: int, *, counted: bool = False) -> None:
        if not counted:
            self._count(1, node.start)
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        parent.children.append(node)
        parent.size += size
        parent.height = max(parent.height, height + 1)

    def _count(self, nodes: int, at: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"The file has more than {MAX_NODES:,} keys and values, aliases (*name) written out."
            raise Refused(Mistake("size", message, "Divide it into several flows.", at, at + 1))

    def _mapping(self, done: _OpenNode, end: int) -> Node:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                # `{{ x }}` without quotes is, to YAML, a mapping whose key is a mapping.
                self._log.add(mistakes.odd_key(done.start, end, self._source.text))
                return Scalar("", "plain", done.start, end, broken=True)
            if key.text == "<<":
                self._log.add(
                    Mistake("syntax", "Merge keys (<<) are not part of the language.", "", key.start, key.end)
                )
            elif (name := normal(key.text)) in entries:
                first = self._source.line_at(entries[name][0].start)
                self._log.add(mistakes.twice(key, first))
            else:
                entries[name] = (key, value)
        return Mapping(entries, done.start, end, done.flow)

    def _is_tagged(self, event: Any) -> bool:
        if event.tag is None:
            return False
        start, _ = self._places(event)
        self._log.add(mistakes.tag(start, self._source.text))
        return True

    # --- where a part cannot be read, at offsets of it ---------------------------------------------------------------

    def _too_deep(self, event: Any) -> "NotReadable":
        at = event.start_mark.index
        message = f"This is nested more than {MAX_DEPTH} levels deep."
        return NotReadable(lambda: Mistake("size", message, "", at, at + 1))

    def _stopped(self, error: Exception) -> Mistake:
        text = self._section.text
        if isinstance(error, AssertionError):  # ruamel asserts what it knows of the version after "%YAML"
            at = max(0, text.find("%YAML"))
            return Mistake("syntax", "This version of YAML is unknown.", "Delete the line.", at, at + len("%YAML"))
        if not isinstance(error, MarkedYAMLError):
            return mistakes.no_character(text)  # the scanner hands the number of an escape to chr(), whatever it is
        mark = error.problem_mark or error.context_mark  # ruamel marks a "*" on a line of its own by its context alone
        at = mark.index if mark else 0
        context = error.context_mark.index if error.context_mark else at
        first = self._source.line_at(self._section.origin[0])
        is_end = self._section.origin[-1] == len(self._source.text)
        quoted = _last_quoted(text, at)
        return of_syntax(Stop(str(error.context), str(error.problem), context, at, text, quoted, first, is_end))


def _last_quoted(text: str, at: int) -> tuple[int, int] | None:
    """Find the last text in quotes that ended before a place."""
    last = None
    if len(text) > LONGEST_SCANNED:
        return None
    with suppress(YAMLError, ValueError, OverflowError):  # what stopped the parser may stop the scanner
        for token in YAML(typ="safe", pure=True).scan(text):
            if token.start_mark.index >= at:
                break
            if isinstance(token, ScalarToken) and token.style in mistakes.QUOTES:
                last = token.start_mark.index, token.end_mark.index
    return last
