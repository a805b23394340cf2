"""YAML to nodes with places (LANGUAGE C1): the one door of ruamel.yaml.

Nodes are put together here from the parser's events, not by a composer or a loader: every scalar stays text, aliases
are counted as what they stand for before anything walks them, and depth costs no stack. A file can therefore be as
hostile as it likes: it ends in a finding, in time proportional to its size.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.tokens import ScalarToken

from ivr.engine.naming import normal
from ivr.flowfile import slips
from ivr.flowfile.finding import Finding
from ivr.flowfile.slips import Slip
from ivr.flowfile.source import Mapping, Node, Path, Scalar, Sequence, Source, Tree
from ivr.flowfile.syntax import Stop, of_syntax

MAX_BYTES = 1 << 22
MAX_NODES = 200_000
"Keys, values and lists of the file, aliases counted as what they stand for. 5,000 states have some 110,000."
MAX_DEPTH = 40
MAX_REPAIRS = 10
"Slips of YAML found in one go; each costs another reading."
REPAIRED_BYTES = 100_000
"Larger files are read once, so that the time stays bounded."
MAX_ERRORS = 200
"Errors after which a file is not read further. Warnings do not count: they refuse no flow, however many there are."


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
        return _unreadable(Source(file, "", _NOTHING), Slip("size", message, "Divide it into several flows."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8-sig", errors="replace"))
        slip = Slip("encoding", "The file is not UTF-8.", "Save it as UTF-8.", at, at + 1)
        return _unreadable(Source(file, data.decode("utf-8-sig", errors="replace"), _NOTHING), slip)
    return _read_text(file, text)


_NOTHING = Mapping({}, 0, 0, flow=False)


class _Refused(Exception):
    """The file breaks a limit or a rule of C1, and reading it further is of no use."""

    def __init__(self, slip: Slip) -> None:
        self.slip = slip


class _Slips:
    """What was found in a file so far."""

    def __init__(self, found: Iterable[Slip]) -> None:
        self.found = list(found)
        self._errors = len(self.found)

    def add(self, slip: Slip) -> None:
        """Note one more; raise _Refused if that is one error too many."""
        if slip.severity == "error":
            self._errors += 1
            if self._errors > MAX_ERRORS:
                message = f"There are more than {MAX_ERRORS} mistakes; the file was not read further."
                raise _Refused(Slip("size", message, "Correct these first.", slip.start, slip.end))
        self.found.append(slip)


def _read_text(file: str, text: str) -> Reading:
    source = Source(file, text, _NOTHING)
    found: list[Slip] = []
    patched = text
    for _ in range(MAX_REPAIRS):
        noted = _Slips(found)
        try:
            root = _Builder(patched, source, noted).build()
            return _walked(source.rooted(root), noted, frozenset(slip.start for slip in found))
        except _Refused as refused:
            return _unreadable(source, *noted.found, refused.slip)
        except (YAMLError, ValueError, OverflowError) as error:
            slip = _slip(error, patched)
            found.append(slip)
            if slip.repair is None or len(text) > REPAIRED_BYTES:
                return _unreadable(source, *found)
            # The file is read once more with something harmless in that place, so that the other mistakes show too.
            patched = patched[: slip.start] + slip.repair + patched[slip.start + len(slip.repair) :]
    return _unreadable(source, *found)


def _unreadable(source: Source, *found: Slip) -> Reading:
    return Reading(source, {}, tuple(slip.finding(source) for slip in found), whole=False)


def _walked(source: Source, noted: _Slips, broken: frozenset[int]) -> Reading:
    """Look at every node along its path, which tells what kind of text it should be; raise _Refused."""
    if _is_broken(source.root):
        return _unreadable(source, *noted.found)
    if not isinstance(source.root, Mapping):
        slip = Slip("syntax", "A flow is a list of keys with values.", 'Begin with "flow: <name>".', 0, 1)
        return _unreadable(source, *noted.found, slip)
    root = _Walk(broken, noted).node(source.root, (), source.text)
    source = source.rooted(root)
    return Reading(source, _tree(root), tuple(slip.finding(source) for slip in noted.found))


class _Walk:
    """Goes through the nodes once, notes slips, and marks what is broken."""

    def __init__(self, broken: frozenset[int], noted: _Slips) -> None:
        self.broken = broken
        self.noted = noted

    def node(self, node: Node, path: Path, text: str) -> Node:
        if isinstance(node, Scalar):
            return self._scalar(node, path, text)
        if isinstance(node, Sequence):
            if not node.items:
                self.noted.add(slips.no_items(node))
                return Scalar("", "plain", node.start, node.end, broken=True)
            for slip in slips.in_list(node, path):
                self.noted.add(slip)
            items = tuple(self.node(item, (*path, number), text) for number, item in enumerate(node.items))
            return Sequence(items, node.start, node.end, node.flow)
        if whole := slips.in_single_braces(node, path, text):
            self.noted.add(whole)
            return Scalar("", "plain", node.start, node.end, broken=True)
        entries: dict[str, tuple[Scalar, Node]] = {}
        for name, (key, value) in node.entries.items():
            torn = slips.in_braces(key, value, text)
            if torn is None:
                entries[name] = key, self.node(value, (*path, name), text)
                continue
            self.noted.add(torn)
            if torn.code == "space":  # the key that it was to be is there, with a value that nobody knows
                entries.setdefault(name.partition(":")[0], (key, Scalar("", "plain", key.start, key.end, broken=True)))
        return Mapping(entries, node.start, node.end, node.flow)

    def _scalar(self, node: Scalar, path: Path, text: str) -> Scalar:
        slip = slips.in_scalar(node, path, text) if not node.broken else None
        if slip:
            self.noted.add(slip)
        bad = node.broken or (slip is not None and slip.severity == "error")
        bad = bad or any(node.start <= offset <= node.end for offset in self.broken)
        return Scalar(node.text, node.style, node.start, node.end, bad) if bad else node


def _tree(node: Node) -> Tree:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_tree(item) for item in node.items]  # what is broken keeps its place: paths count items
    return {name: _tree(value) for name, (_, value) in node.entries.items() if not _is_broken(value)}


def _is_broken(node: Node) -> bool:
    return isinstance(node, Scalar) and node.broken


def _slip(error: Exception, text: str) -> Slip:
    if isinstance(error, ReaderError):
        message = f"The file holds a character that nobody can see (U+{error.character:04X})."
        return Slip("syntax", message, "Delete it.", error.position, error.position + 1)
    if not isinstance(error, MarkedYAMLError):
        return slips.no_character(text)  # the scanner hands the number of an escape to chr(), whatever it is
    at = error.problem_mark.index
    context = error.context_mark.index if error.context_mark else at
    return of_syntax(Stop(str(error.context), str(error.problem), context, at, text, _last_quoted(text, at)))


def _last_quoted(text: str, at: int) -> tuple[int, int] | None:
    """Find the last text in quotes that ended before a place."""
    last = None
    if len(text) > REPAIRED_BYTES:
        return None
    with suppress(YAMLError, ValueError, OverflowError):  # what stopped the parser may stop the scanner
        for token in YAML(typ="safe", pure=True).scan(text):
            if token.start_mark.index >= at:
                break
            if isinstance(token, ScalarToken) and token.style in slips.QUOTES:
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

    def __init__(self, text: str, source: Source, noted: _Slips) -> None:
        """`text` is the file's, where slips were repaired; its lines are those of `source`."""
        self.text = text
        self._source = source
        self.noted = noted
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
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
                    at = event.start_mark.index
                    raise _Refused(
                        Slip("syntax", "A file holds one flow.", "Delete this and what follows.", at, at + 3)
                    )
        return self._root if self._root is not None else _NOTHING

    def _events(self) -> Iterator[Any]:  # the parser's events have no types of their own
        yield from YAML(typ="safe", pure=True).parse(self.text)

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        broken = self._is_tagged(event)
        if slips.SURROGATE.search(event.value):
            self.noted.add(slips.no_character(self.text, start))
            broken = True
        node = Scalar(event.value, event.style or "plain", start, end, broken)
        self._anchor(event.anchor, _Anchored(node, 1, 0))
        self._add(node, 1, 0)

    def _open(self, event: Any, *, is_mapping: bool) -> None:
        self._is_tagged(event)
        start = event.start_mark.index
        self._stack.append(_Open(start, bool(event.flow_style), event.anchor, is_mapping, []))
        if len(self._stack) > MAX_DEPTH:
            raise _Refused(Slip("size", f"This is nested more than {MAX_DEPTH} levels deep.", "", start, start + 1))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        end = event.end_mark.index if done.flow else event.start_mark.index
        node = (
            self._mapping(done, end) if done.is_mapping else Sequence(tuple(done.children), done.start, end, done.flow)
        )
        self._anchor(done.anchor, _Anchored(node, done.size, done.height))
        self._add(node, done.size, done.height)

    def _alias(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        known = self._anchors.get(event.anchor)
        if known is None:
            self.noted.add(slips.star(start, end, self.text))
            known = _Anchored(Scalar("", "plain", start, end, broken=True), 1, 0)
        self._count(known.size, start)
        if len(self._stack) + known.height > MAX_DEPTH:
            raise _Refused(Slip("size", f"This is nested more than {MAX_DEPTH} levels deep.", "", start, end))
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
            raise _Refused(Slip("size", message, "Divide it into several flows.", at, at + 1))

    def _mapping(self, done: _Open, end: int) -> Node:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                # `{{ x }}` without quotes is, to YAML, a mapping whose key is a mapping.
                self.noted.add(slips.odd_key(done.start, end, self.text))
                return Scalar("", "plain", done.start, end, broken=True)
            if key.text == "<<":
                self.noted.add(Slip("syntax", "Merge keys (<<) are not part of the language.", "", key.start, key.end))
            elif (name := normal(key.text)) in entries:
                first = self._source.line_at(entries[name][0].start)
                message = f'"{key.text}" stands here twice; the first is in line {first}.'
                self.noted.add(Slip("duplicate-key", message, "Keep one of them.", key.start, key.end))
            else:
                entries[name] = (key, value)
        return Mapping(entries, done.start, end, done.flow)

    def _is_tagged(self, event: Any) -> bool:
        if event.tag is None:
            return False
        start = event.start_mark.index
        self.noted.add(slips.tag(start, self.text))
        return True
