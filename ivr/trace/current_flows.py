"""The flow files as they are now, by the name of their flow: what cases are replayed against."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ivr.errors import FlowError, IvrError
from ivr.flowfile.flow_folder import flow_files, same_name, twin_of
from ivr.flowfile.load import load_flow
from ivr.flowfile.yaml.reader import MAX_BYTES
from ivr.nearest import did_you_mean
from ivr.smallfiles import read_head
from ivr.trace.case import Case
from ivr.trace.flow_places import FlowPlaces, FlowWithPlaces


class NoSuchFlow(IvrError):
    """No file holds the flow that a case belongs to."""


class CurrentFlows:
    """Flow files, each read once for each time zone that is wanted where it names none."""

    def __init__(self, files: Iterable[Path], folder: Path | None = None) -> None:
        """Read `files`, which are those of `folder` if it is given."""
        self._files = tuple(files)
        self._folder = folder
        self._loaded: dict[tuple[Path, str], FlowWithPlaces] = {}
        self._by_name: Mapping[str, Path] | None = None
        self._same_names: dict[str, str] = {}
        "By the name that several files say: what is wrong with that."

    @classmethod
    def of(cls, folder: Path) -> "CurrentFlows":
        """Take all flow files of a folder."""
        return cls(flow_files([folder]), folder)

    def get(self, recorded: Case) -> FlowWithPlaces:
        """Return the flow of a case's name; raise NoSuchFlow, or FlowError if the file has mistakes or a twin."""
        names = self.names()
        wanted = recorded.header.flow
        if wanted in self._same_names:
            raise FlowError(self._same_names[wanted])
        if wanted not in names:
            where = self._folder if self._folder is not None else ", ".join(map(str, self._files))
            place = "this folder" if where == Path() else where
            raise NoSuchFlow(f'no flow in {place} is called "{wanted}". {did_you_mean(wanted, names)}'.rstrip(" ."))
        return self.load(names[wanted], recorded.header.zone)

    def load(self, file: Path, zone: str) -> FlowWithPlaces:
        """Load a file; `zone` is where it tells the time if it does not say so itself."""
        known = self._loaded.get((file, zone))
        if known is None:
            known = self._loaded[file, zone] = read_current_flow(file, zone)
        return known

    def names(self) -> Mapping[str, Path]:
        """Return the flows. A file with mistakes goes by the name that it says: they are told when it is asked for."""
        if self._by_name is None:
            named: dict[Path, str] = {}
            for file in self._files:
                try:
                    name = self.load(file, "UTC").flow.name
                except FlowError:
                    name = _name_said(file)
                if (twin := twin_of(file, name, named)) is not None:
                    self._same_names[name] = same_name(file, twin, name)
                named[file] = name
            self._by_name = {name: file for file, name in named.items()}
        return self._by_name


def read_current_flow(file: Path, zone: str) -> FlowWithPlaces:
    """Load a flow as its file stands now, both parts from the same bytes; raise FlowError where it cannot be used."""
    name = _shown(file)
    try:
        loaded = load_flow(file, default_zone=zone, named=name)
    except FileNotFoundError as error:
        raise FlowError(f"{name} no longer exists") from error
    except OSError as error:
        raise FlowError(f"{name} cannot be read: {error.strerror}") from error
    flow, bundle = loaded.served(), loaded.bundle
    if bundle is None:
        raise FlowError(f"{name} cannot be stored")
    return FlowWithPlaces(flow, FlowPlaces.of(bundle, name))


def _name_said(file: Path) -> str:
    """Return the name that a file says its flow has, mistakes or not; of one that says none, its own."""
    try:
        said = FlowPlaces(str(file), read_head(file, MAX_BYTES)).flow
    except OSError:
        said = ""
    return said or file.stem


def _shown(file: Path) -> str:
    """Return a file's path as one would type it here."""
    whole = file.absolute()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else file)
