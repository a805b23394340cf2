"""The files that a flow includes, read into one whole with it (LANGUAGE C16).

What they hold goes into the flow's own sections, each node with its place in its own file, so that whoever looks at the
flow later sees one file, and every finding names the file in which its mistake stands.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Named
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.flowfile import source
from ivr.flowfile.finding import Finding
from ivr.flowfile.source import Mapping, Node, Scalar, Source, Tree
from ivr.flowfile.yaml.reader import MAX_BYTES, Reading, read
from ivr.smallfiles import read_head

SHARED = ("calendars", "commands", "destinations", "prompts", "variables")
"The sections that an included file can have."
COMMENT = "description"
MOST = 50
"Files that one flow includes."


class NotIncluded(Struct, frozen=True):
    """Why a file cannot be included."""

    message: str
    suggestion: str = ""


Finder: TypeAlias = Callable[[str], bytes | NotIncluded]
"Returns the bytes of a file by the name that a flow gives it."
Entry: TypeAlias = tuple[Scalar, Node]


class WithIncluded(Struct, frozen=True):
    """A flow file with all that it includes."""

    reading: Reading
    included: Named[str, bytes]
    "The files that could be read, by the names that the flow gives them."
    included_names: Sequence[str] = ()
    "All that it includes; those too that are not there."


def read_with_included(file: str, text: bytes, find: Finder) -> WithIncluded:
    """Read a flow file, and what it includes. Never raises; whatever is wrong is a finding."""
    reading = read(file, text)
    names = _names(reading.tree)
    if not names or not reading.whole:
        return WithIncluded(reading, {})
    merging = _Merging(reading)
    for number, name in enumerate(names):
        merging.include(name, ("include", number), find(name))
    return WithIncluded(merging.whole(), merging.included, names)


def beside(folder: Path) -> Finder:
    """Find the files of a flow's folder. Links must not lead out of it."""
    return lambda name: _read(folder, name)


def from_bundle(included: Named[str, bytes]) -> Finder:
    """Find the files that were kept with a flow."""
    return lambda name: included.get(name, NotIncluded(f'There is no file "{name}".'))


def _read(folder: Path, name: str) -> bytes | NotIncluded:
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        if not path.is_relative_to(root):
            return NotIncluded(f'"{name}" is outside of the flow\'s folder.', "Put it beside the flow.")
        return read_head(path, MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError):  # not there, no regular file, a name with NUL, links in a circle
        return NotIncluded(f'There is no file "{name}".', "It must be in the flow's folder.")


def _names(tree: Tree) -> Sequence[str]:
    written = tree.get("include") if isinstance(tree, dict) else None
    return [name for name in (written if isinstance(written, list) else [written]) if isinstance(name, str)]


class _Merging:
    """A flow that takes in one file after the other."""

    def __init__(self, reading: Reading) -> None:
        self.included: dict[str, bytes] = {}
        self._source = reading.source
        self._findings = list(reading.findings)
        self._tree = dict(reading.tree) if isinstance(reading.tree, dict) else {}
        self._is_whole = True

    def whole(self) -> Reading:
        return Reading(self._source, self._tree, tuple(self._findings), self._is_whole)

    def include(self, name: str, place: source.Path, data: bytes | NotIncluded) -> None:
        problem = data if isinstance(data, NotIncluded) else self._refused(name)
        if problem is None and isinstance(data, bytes):
            self.included[name] = data
            problem = self._read(name, data)
        if problem is not None:
            mark = self._source.mark(*place)
            self._findings.append(self._source.finding("include", "error", mark, problem.message, problem.suggestion))
            self._is_whole = False

    def _read(self, name: str, data: bytes) -> NotIncluded | None:
        reading = read(str(Path(self._source.file).parent / name), data)
        if not reading.whole and {found.code for found in reading.findings} == {"empty"}:
            return NotIncluded(f'"{name}" is empty.', f"It can have {', '.join(SHARED)}.")
        self._is_whole = self._is_whole and reading.whole
        self._findings += [replace(found, fix=None) for found in reading.findings]  # its place is in another file
        self._findings += _strangers(reading)
        self._take(reading)
        return None

    def _refused(self, name: str) -> NotIncluded | None:
        if name in self.included:
            return NotIncluded(f'"{name}" is included twice.', "Delete one of them.")
        return NotIncluded(f"More than {MOST} files are included.", "") if len(self.included) == MOST else None

    def _take(self, reading: Reading) -> None:
        """Put the sections of a file beside those that are there."""
        joined = self._source.joined(reading.source)
        root, added, tree = joined.source.root, joined.added, reading.tree
        if not isinstance(root, Mapping) or not isinstance(added, Mapping) or not isinstance(tree, dict):
            return  # it cannot be read, and that has been said
        sections = dict(root.entries)
        for section in SHARED:
            if section in added.entries and section in tree:
                new = added.entries[section]
                sections[section] = self._merged(joined.source, section, sections.get(section, new), new)
                ours, theirs = self._tree.setdefault(section, tree[section]), tree[section]
                if isinstance(ours, dict) and isinstance(theirs, dict):
                    self._tree[section] = {**theirs, **ours}
        self._source = joined.source.rooted(replace(root, entries=sections))

    def _merged(self, joined: Source, section: str, ours: Entry, theirs: Entry) -> Entry:
        """Return a section with the entries of another one; a name that is there already keeps its meaning."""
        (key, there), (_, new) = ours, theirs
        if there is new or not isinstance(there, Mapping) or not isinstance(new, Mapping):
            return ours
        for name, (word, _) in new.entries.items():
            if name in there.entries:
                first = there.entries[name][0]
                place = joined.place(joined.line_at(first.start))
                message = f'"{name}" is already in the {section} of {place.file}, line {place.line}.'
                mark = joined.at(word.start, word.end)
                self._findings.append(joined.finding("include", "error", mark, message, "Rename one of them."))
        return key, replace(there, entries={**new.entries, **there.entries})


def _strangers(reading: Reading) -> Iterator[Finding]:
    """Find what does not belong into an included file."""
    here = reading.source
    for key in here.keys(()):
        if key in SHARED or key == COMMENT:
            continue
        is_flow = key in {"states", "initial", "flow"}
        advice = 'A flow is not included; use "invoke".' if is_flow else f"It can have {', '.join(SHARED)}."
        message = f'"{key}" is not possible in a file that is included.'
        yield here.finding("include", "error", here.mark(key, key=True), message, advice)
