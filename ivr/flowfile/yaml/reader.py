"""The bytes of a flow file to nodes and plain data (LANGUAGE C1).

Nodes are put together from the parser's events, not by a composer or a loader. A file can therefore be as hostile as
it likes: it ends in a finding, in time proportional to its size.
"""

from msgspec import Struct

from ivr.flowfile.finding import Edit, Finding
from ivr.flowfile.source import Mapping, Node, Scalar, Sequence, Source, Tree
from ivr.flowfile.yaml.builder import NOTHING, Anchored, NodeBuilder, NotReadable
from ivr.flowfile.yaml.inspection import NodeInspector
from ivr.flowfile.yaml.lookalikes import in_structure
from ivr.flowfile.yaml.mistakes import Mistake, MistakeLog, Refused
from ivr.flowfile.yaml.recovery import UNPRINTABLE, Recovery
from ivr.flowfile.yaml.section import Section

MAX_BYTES = 1 << 22


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
        message = f"The file is larger than {MAX_BYTES:,} bytes, the limit for a flow."  # how many, nobody has read
        return _unreadable(Source(file, "", NOTHING), Mistake("size", message, "Divide it into several flows."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8-sig", errors="replace"))
        mistake = Mistake("encoding", "The file is not UTF-8.", "Save it as UTF-8.", at, at + 1)
        text = data.decode("utf-8-sig", errors="replace")
        if b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16
            return _unreadable(Source(file, text, NOTHING), mistake)
        return _read_text(file, text, mistake)
    return _read_text(file, text)


def _read_text(file: str, text: str, *mistakes_of_bytes: Mistake) -> Reading:
    source = Source(file, text, NOTHING)
    log = MistakeLog(*mistakes_of_bytes)
    try:
        try:
            root = NodeBuilder(Section.whole(text), source, log, {}).build()
        except NotReadable:
            log = MistakeLog(*mistakes_of_bytes)
            root = BrokenFileReader(source, log).root()
        return _walked(source.rooted(root), log)
    except Refused as refused:
        return _unreadable(source, *log.found, refused.mistake)


class BrokenFileReader:
    """Reads a file that is no YAML, part by part."""

    def __init__(self, source: Source, log: MistakeLog) -> None:
        self._source = source
        self._log = log
        self._anchors: dict[str, Anchored] = {}

    def root(self) -> Node:
        """Read the whole file; raise Refused where that is of no use."""
        whole = Section.whole(self._source.text)
        odd = list(UNPRINTABLE.finditer(whole.text))
        for found in odd:
            message = f"The file contains an invisible character (U+{ord(found[0][0]):04X})."
            self._log.add(Mistake("syntax", message, "Delete it.", *found.span(), fix=Edit(*found.span(), "")))
        whole = whole.replaced(*(Edit(*found.span(), " " * len(found[0])) for found in odd))
        odd_ones = list(in_structure(whole.text))
        for odd_one, _ in odd_ones:
            self._log.add(whole.placed(odd_one))
        whole = whole.replaced(*(mend for _, mend in odd_ones))
        root = Recovery(self._parse, self._log.add, self._source.line_at).mapping(whole)
        if not self._log.found:  # what is no mistake in any part is one of the whole
            mistake = self._parse(whole)
            self._log.add(mistake if isinstance(mistake, Mistake) else Mistake("syntax", "This is not valid YAML."))
        return root

    def _parse(self, section: Section) -> Node | Mistake:
        log = MistakeLog()
        builder = NodeBuilder(section, self._source, log, self._anchors)
        try:
            node = builder.build()
        except NotReadable as error:
            return error.why()
        for mistake in log.found:
            self._log.add(mistake)
        return node


def _unreadable(source: Source, *found: Mistake) -> Reading:
    return Reading(source, {}, tuple(mistake.finding(source) for mistake in found), whole=False)


def _walked(source: Source, log: MistakeLog) -> Reading:
    """Look at every node along its path, which tells what kind of text it should be; raise Refused."""
    if _is_broken(source.root):
        return _unreadable(source, *log.found)
    if source.root is NOTHING and not log.found:
        return _unreadable(source, Mistake("empty", "The file does not contain a flow.", EXAMPLE))
    if not isinstance(source.root, Mapping):
        mistake = Mistake("syntax", "A flow is a mapping (key: value).", 'Begin with "flow: <name>".', 0, 1)
        return _unreadable(source, *log.found, mistake)
    broken = sorted(mistake.start for mistake in log.found)
    root = NodeInspector(broken, log).inspected(source.root, (), source.text)
    source = source.rooted(root)
    return Reading(source, _tree(root), tuple(mistake.finding(source) for mistake in log.found))


def _tree(node: Node) -> Tree:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_tree(item) for item in node.items]  # what is broken keeps its place: paths count items
    return {name: _tree(value) for name, (_, value) in node.entries.items() if not _is_broken(value)}


def _is_broken(node: Node) -> bool:
    return isinstance(node, Scalar) and node.broken
