"""YAML to nodes with places (LANGUAGE C1): the one door of ruamel.yaml.

Nodes are put together here from the parser's events, not by a composer or a loader: every scalar stays text, aliases
are counted as what they stand for before anything walks them, and depth costs no stack. A file can therefore be as
hostile as it likes: it ends in a finding, in time proportional to its size.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from collections.abc import Sequence as Ordered
from contextlib import suppress
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import ScalarToken

from ivr.engine.naming import normal
from ivr.flowfile import mistakes
from ivr.flowfile.finding import Edit, Finding
from ivr.flowfile.lookalikes import in_structure
from ivr.flowfile.mistakes import Mistake
from ivr.flowfile.recovery import UNPRINTABLE, Piece, Recovery
from ivr.flowfile.source import Mapping, Node, Path, Scalar, Sequence, Source, Tree
from ivr.flowfile.syntax import LONGEST_SCANNED, Stop, of_syntax

MAX_BYTES = 1 << 22
MAX_NODES = 200_000
"Keys, values and lists of the file, aliases counted as what they stand for. 5,000 states have some 110,000."
MAX_DEPTH = 40
MAX_ERRORS = 200
"Errors after which a file is not read further. Warnings do not count: they refuse no flow, however many there are."


EXAMPLE = (
    'The least flow is {flow: hello, initial: start, states: {start: {say: Hello., final: true}}}; "ivr new hello" '
    "makes one to start from."
)


class Reading(Struct, frozen=True):
    """What a file turned out to be."""

    source: Source
    tree: Tree
    "Without what is broken; empty if nothing could be read."
    findings: tuple[Finding, ...]
    whole: bool = True
    "False: something could not be read as YAML, so what is missing from the tree may be there."


def read(file: str, data: bytes) -> Reading:
    """Read a flow file. Never raises; whatever is wrong is a finding."""
    if len(data) > MAX_BYTES:
        message = f"The file has more than the {MAX_BYTES:,} bytes that a flow may have."  # how many, nobody has read
        return _unreadable(Source(file, "", _NOTHING), Mistake("size", message, "Divide it into several flows."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8-sig", errors="replace"))
        mistake = Mistake("encoding", "The file is not UTF-8.", "Save it as UTF-8.", at, at + 1)
        text = data.decode("utf-8-sig", errors="replace")
        if b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16
            return _unreadable(Source(file, text, _NOTHING), mistake)
        return _read_text(file, text, mistake)
    return _read_text(file, text)


_NOTHING = Mapping({}, 0, 0, flow=False)


class _Refused(Exception):
    """The file breaks a limit or a rule of C1, and reading it further is of no use."""

    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake


class _TooDeep(_Refused):
    """A part of the file is nested too deep."""

    def mistake_of(self, piece: Piece) -> Mistake:
        """Return the mistake at offsets of a part."""
        start = bisect_left(piece.origin, self.mistake.start)
        return Mistake(self.mistake.code, self.mistake.message, self.mistake.suggestion, start, start + 1)


class _Mistakes:
    """What was found in a file so far."""

    def __init__(self, *found: Mistake) -> None:
        self.found = list(found)
        self._errors = len(found)

    def add(self, mistake: Mistake) -> None:
        """Note one more; raise _Refused if that is one error too many."""
        if mistake.severity == "error":
            self._errors += 1
            if self._errors > MAX_ERRORS:
                message = f"There are more than {MAX_ERRORS} mistakes; the file was not read further."
                raise _Refused(Mistake("size", message, "Correct these first.", mistake.start, mistake.end))
        self.found.append(mistake)


def _read_text(file: str, text: str, *mistakes_of_bytes: Mistake) -> Reading:
    source = Source(file, text, _NOTHING)
    noted = _Mistakes(*mistakes_of_bytes)
    try:
        try:
            root = _Builder(Piece.whole(text), source, noted, {}).build()
        except (YAMLError, ValueError, OverflowError, _TooDeep):
            noted = _Mistakes(*mistakes_of_bytes)
            root = _Rescue(source, noted).root()
        return _walked(source.rooted(root), noted)
    except _Refused as refused:
        return _unreadable(source, *noted.found, refused.mistake)


class _Rescue:
    """Reads a file that is no YAML, part by part."""

    def __init__(self, source: Source, noted: "_Mistakes") -> None:
        self._source = source
        self._noted = noted
        self._anchors: dict[str, _Anchored] = {}

    def root(self) -> Node:
        """Read the whole file; raise _Refused where that is of no use."""
        whole = Piece.whole(self._source.text)
        odd = list(UNPRINTABLE.finditer(whole.text))
        for found in odd:
            message = f"The file holds a character that nobody can see (U+{ord(found[0][0]):04X})."
            self._noted.add(Mistake("syntax", message, "Delete it.", *found.span()))
        whole = whole.replaced(*(Edit(*found.span(), " " * len(found[0])) for found in odd))
        odd_ones = list(in_structure(whole.text))
        for odd_one, _ in odd_ones:
            self._noted.add(whole.placed(odd_one))
        whole = whole.replaced(*(mend for _, mend in odd_ones))
        root = Recovery(self._parse, self._noted.add, self._source.line_at).mapping(whole)
        if not self._noted.found:  # what is no mistake in any part is one of the whole
            mistake = self._parse(whole)
            self._noted.add(mistake if isinstance(mistake, Mistake) else Mistake("syntax", "This is not valid YAML."))
        return root

    def _parse(self, piece: Piece) -> Node | Mistake:
        noted = _Mistakes()
        builder = _Builder(piece, self._source, noted, self._anchors)
        try:
            node = builder.build()
        except _TooDeep as refused:
            return refused.mistake_of(piece)
        except (YAMLError, ValueError, OverflowError) as error:
            first = self._source.line_at(piece.origin[0])
            return _mistake(error, piece.text, first, is_end=piece.origin[-1] == len(self._source.text))
        for mistake in noted.found:
            self._noted.add(mistake)
        return node


def _unreadable(source: Source, *found: Mistake) -> Reading:
    return Reading(source, {}, tuple(mistake.finding(source) for mistake in found), whole=False)


def _walked(source: Source, noted: _Mistakes) -> Reading:
    """Look at every node along its path, which tells what kind of text it should be; raise _Refused."""
    if _is_broken(source.root):
        return _unreadable(source, *noted.found)
    if source.root is _NOTHING and not noted.found:
        return _unreadable(source, Mistake("empty", "There is no flow in this file.", EXAMPLE))
    if not isinstance(source.root, Mapping):
        mistake = Mistake("syntax", "A flow is a list of keys with values.", 'Begin with "flow: <name>".', 0, 1)
        return _unreadable(source, *noted.found, mistake)
    broken = sorted(mistake.start for mistake in noted.found)
    root = _Walk(broken, noted).node(source.root, (), source.text)
    source = source.rooted(root)
    return Reading(source, _tree(root), tuple(mistake.finding(source) for mistake in noted.found))


class _Walk:
    """Goes through the nodes once, notes mistakes, and marks what is broken."""

    def __init__(self, broken: Ordered[int], noted: _Mistakes) -> None:
        self.broken = broken
        self.noted = noted

    def node(self, node: Node, path: Path, text: str) -> Node:
        if isinstance(node, Scalar):
            return self._scalar(node, path, text)
        if isinstance(node, Sequence):
            if not node.items:
                self.noted.add(mistakes.no_items(node))
                return Scalar("", "plain", node.start, node.end, broken=True)
            for mistake in mistakes.in_list(node, path):
                if not self._is_broken(mistake.start, mistake.end):
                    self.noted.add(mistake)
            items = tuple(self.node(item, (*path, number), text) for number, item in enumerate(node.items))
            return Sequence(items, node.start, node.end, node.flow)
        if whole := mistakes.in_single_braces(node, path, text):
            self.noted.add(whole)
            return Scalar("", "plain", node.start, node.end, broken=True)
        entries: dict[str, tuple[Scalar, Node]] = {}
        for name, (key, value) in node.entries.items():
            torn = mistakes.in_braces(key, value, text)
            if torn is None:
                entries[name] = key, self.node(value, (*path, name), text)
                continue
            self.noted.add(torn)
            if torn.code == "space":  # the key that it was to be is there, with a value that nobody knows
                entries.setdefault(name.partition(":")[0], (key, Scalar("", "plain", key.start, key.end, broken=True)))
        return Mapping(entries, node.start, node.end, node.flow)

    def _scalar(self, node: Scalar, path: Path, text: str) -> Scalar:
        mistake = mistakes.in_scalar(node, path, text) if not node.broken else None
        if mistake:
            self.noted.add(mistake)
        bad = node.broken or (mistake is not None and mistake.severity == "error")
        bad = bad or self._is_broken(node.start, node.end)
        return Scalar(node.text, node.style, node.start, node.end, bad) if bad else node

    def _is_broken(self, start: int, end: int) -> bool:
        return bisect_left(self.broken, start) < bisect_right(self.broken, end)


def _tree(node: Node) -> Tree:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_tree(item) for item in node.items]  # what is broken keeps its place: paths count items
    return {name: _tree(value) for name, (_, value) in node.entries.items() if not _is_broken(value)}


def _is_broken(node: Node) -> bool:
    return isinstance(node, Scalar) and node.broken


def _mistake(error: Exception, text: str, first: int, *, is_end: bool) -> Mistake:
    if not isinstance(error, MarkedYAMLError):
        return mistakes.no_character(text)  # the scanner hands the number of an escape to chr(), whatever it is
    mark = error.problem_mark or error.context_mark  # ruamel marks a "*" on a line of its own by its context alone
    at = mark.index if mark else 0
    context = error.context_mark.index if error.context_mark else at
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


class _Open(Struct):
    """A list or mapping that is not closed yet."""

    start: int
    flow: bool
    anchor: str | None
    is_mapping: bool
    children: list[Node]
    size: int = 1
    "Nodes, aliases counted as what they stand for."
    height: int = 1


class _Anchored(Struct, frozen=True):
    """What an alias stands for."""

    node: Node
    size: int
    height: int


class _Builder:
    """Puts nodes together from the parser's events."""

    def __init__(self, piece: Piece, source: Source, noted: _Mistakes, anchors: dict[str, _Anchored]) -> None:
        """Read a part of a file, where mistakes may have been put right; the places are those of `source`."""
        self._piece = piece
        self._source = source
        self.noted = noted
        self._stack: list[_Open] = []
        self._anchors = anchors
        self._root: Node | None = None
        self._nodes = 0

    def build(self) -> Node:
        """Read one document; raise YAMLError or _Refused."""
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
                    self.noted.add(
                        Mistake("syntax", "A file holds one flow.", "Delete this and what follows.", at, at + 3)
                    )
                    break
        return self._root if self._root is not None else _NOTHING

    def _events(self) -> Iterator[Any]:  # the parser's events have no types of their own
        yield from YAML(typ="safe", pure=True).parse(self._piece.text)

    def _places(self, event: Any) -> tuple[int, int]:
        """Return where in the file an event begins and ends."""
        return self._piece.origin[event.start_mark.index], self._piece.origin[event.end_mark.index]

    def _scalar(self, event: Any) -> None:
        start, end = self._places(event)
        broken = self._is_tagged(event)
        if mistakes.SURROGATE.search(event.value):
            self.noted.add(mistakes.no_character(self._source.text, start))
            broken = True
        node = Scalar(event.value, event.style or "plain", start, end, broken)
        self._anchor(event.anchor, _Anchored(node, 1, 0))
        self._add(node, 1, 0)

    def _open(self, event: Any, *, is_mapping: bool) -> None:
        self._is_tagged(event)
        start, _ = self._places(event)
        self._stack.append(_Open(start, bool(event.flow_style), event.anchor, is_mapping, []))
        if len(self._stack) > MAX_DEPTH:
            raise _TooDeep(Mistake("size", f"This is nested more than {MAX_DEPTH} levels deep.", "", start, start + 1))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        start, end = self._places(event)
        end = end if done.flow else start
        node = (
            self._mapping(done, end) if done.is_mapping else Sequence(tuple(done.children), done.start, end, done.flow)
        )
        self._anchor(done.anchor, _Anchored(node, done.size, done.height))
        self._add(node, done.size, done.height)

    def _alias(self, event: Any) -> None:
        start, end = self._places(event)
        known = self._anchors.get(event.anchor)
        if known is None:
            self.noted.add(mistakes.star(start, end, self._source.text))
            known = _Anchored(Scalar("", "plain", start, end, broken=True), 1, 0)
        self._count(known.size, start)
        if len(self._stack) + known.height > MAX_DEPTH:
            raise _TooDeep(Mistake("size", f"This is nested more than {MAX_DEPTH} levels deep.", "", start, end))
        self._add(known.node, known.size, known.height, counted=True)

    def _anchor(self, name: str | None, what: _Anchored) -> None:
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
            raise _Refused(Mistake("size", message, "Divide it into several flows.", at, at + 1))

    def _mapping(self, done: _Open, end: int) -> Node:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                # `{{ x }}` without quotes is, to YAML, a mapping whose key is a mapping.
                self.noted.add(mistakes.odd_key(done.start, end, self._source.text))
                return Scalar("", "plain", done.start, end, broken=True)
            if key.text == "<<":
                self.noted.add(
                    Mistake("syntax", "Merge keys (<<) are not part of the language.", "", key.start, key.end)
                )
            elif (name := normal(key.text)) in entries:
                first = self._source.line_at(entries[name][0].start)
                self.noted.add(mistakes.twice(key, first))
            else:
                entries[name] = (key, value)
        return Mapping(entries, done.start, end, done.flow)

    def _is_tagged(self, event: Any) -> bool:
        if event.tag is None:
            return False
        start, _ = self._places(event)
        self.noted.add(mistakes.tag(start, self._source.text))
        return True
