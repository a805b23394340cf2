"""The flows that a flow invokes: found beside it by their names, and each read once (LANGUAGE C4, C16).

Each is a flow of its own: it is checked by itself, and can be called. What the one that invokes it needs to know of it
is what it returns and what it can be given (`InvokedFlow`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from msgspec import Struct

from ivr.engine.naming import normal
from ivr.flowfile.actions.invoke import InvokedFlow
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.flow_folder import find_flows
from ivr.flowfile.included_files import Finder, beside, read_with_included
from ivr.flowfile.reachability import Graph, components
from ivr.flowfile.source import Scalar
from ivr.flowfile.validate import Validated, validate
from ivr.flowfile.yaml.reader import MAX_BYTES, Reading, read
from ivr.smallfiles import read_head


class ReadFlow:
    """A flow file as it was read, sound or not."""

    def __init__(self, file: str, text: bytes, find: Finder) -> None:
        """Read a file, and what it includes, which `find` finds."""
        self.file = file
        self.text = text
        whole = read_with_included(file, text, find)
        self.reading: Reading = whole.reading
        self.included = whole.included
        self.included_names = whole.included_names
        "All that it includes; those too that are not there."
        self._validated: Validated = validate(self.reading)
        model = self._validated.model
        self.document = Document(self.reading.source, model, self._validated.damaged) if model else None
        "None: not enough of it is sound."

    @property
    def findings(self) -> Sequence[Finding]:
        """What is wrong with its text."""
        return [*self.reading.findings, *self._validated.findings]


Find = Callable[[str], "ReadFlow | None"]
"Returns the flow of a name; None: there is none."


class Invoked(Struct, frozen=True):
    """All flows that a flow invokes, and that those invoke."""

    flows: Mapping[str, ReadFlow] = {}
    "By name, in the order in which they are come to."
    graph: Graph = {}
    "Which flow invokes which, those included that are not there."
    known: Callable[[], Sequence[str]] = tuple
    "Says which flows there are, by name."


def invoked_names(document: Document) -> Iterator[str]:
    """Go through the names of the flows that the states of a flow invoke."""
    for _, state in document.states():
        if state.invoke:
            yield state.invoke.flow


def read_invoked(
    first: Document, find: Find, link: Callable[[Document], InvokedFlow], known: Callable[[], Sequence[str]] = tuple
) -> Invoked:
    """Read all flows that a flow invokes, and tell each state of the flow that it invokes, as `link` makes it."""
    name = first.model.flow
    documents = {name: first}
    flows: dict[str, ReadFlow] = {}
    graph: dict[str, list[str]] = {}
    waiting = [name]
    for invoking in waiting:  # grows while it is gone through
        graph[invoking] = list(dict.fromkeys(invoked_names(documents[invoking])) if invoking in documents else ())
        for wanted in graph[invoking]:
            if wanted not in graph and wanted not in waiting:
                waiting.append(wanted)
                found = find(wanted)
                if found is not None:
                    flows[wanted] = found
                if found is not None and found.document is not None:
                    documents[wanted] = found.document
    together = components(graph)
    for invoking, document in documents.items():
        for _, state in document.states():
            wanted = state.invoke.flow if state.invoke else ""
            # In a circle nothing is known: what one flow returns would be known by what the other does.
            if state.invoke and wanted in documents and together[wanted] != together[invoking]:
                state.invoke.found(link(documents[wanted]))
                documents[wanted].given.update(state.invoke.with_)
    return Invoked(flows, graph, known)


# --- the files -------------------------------------------------------------------------------------------------------


class FlowsBeside:
    """The flow files of one folder, by the names of their flows."""

    def __init__(self, folder: Path, named: Callable[[Path], str] = str) -> None:
        """Look into `folder`; `named` says how findings call a file."""
        self._folder = folder
        self._named = named
        self.files: list[str] = []
        "Those of the flows that were found."

    def find(self, name: str) -> ReadFlow | None:
        """Return the flow of a name: mostly it stands in a file that is called so."""
        likely = [self._folder / f"{name}{suffix}" for suffix in (".yaml", ".yml")]
        file = next((file for file in likely if _name_in(file) == name), None) or self._all.get(name)
        if file is None:
            return None
        self.files.append(file.name)
        return ReadFlow(self._named(file), read_head(file, MAX_BYTES + 1), beside(self._folder))

    def names(self) -> Sequence[str]:
        """Return the names of all flows of the folder."""
        return list(self._all)

    @cached_property
    def _all(self) -> Mapping[str, Path]:
        named = [(_name_in(file), file) for file in find_flows([self._folder]).flows]
        return {name: file for name, file in reversed(named) if name}


def _name_in(file: Path) -> str:
    """Return the name that a flow file says; empty: none, or it cannot be read."""
    try:
        state = file.stat()
        return _name_said(file, state.st_mtime_ns, state.st_size) if file.is_file() else ""
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=1024)
def _name_said(file: Path, changed: int, size: int) -> str:  # changed, it may say another
    source = read(str(file), read_head(file, MAX_BYTES + 1)).source
    said = source.find(("flow",)).value if source.has(("flow",)) else None
    return normal(said.text) if isinstance(said, Scalar) else ""
