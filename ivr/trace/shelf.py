"""The flows of today, by name: what cases are replayed against."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from ivr.engine.flow import Flow
from ivr.errors import FlowError, IvrError
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.load import flow_files, load_flow, rebuild
from ivr.nearest import did_you_mean
from ivr.trace.case import Case
from ivr.trace.places import Places


class NoSuchFlow(IvrError):
    """No file holds the flow that a case belongs to."""


class FlowOfToday(Struct, frozen=True):
    """One flow, and where everything in it stands."""

    flow: Flow
    places: Places


class Shelf:
    """Flow files, each read once for each time zone that is wanted where it names none."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._loaded: dict[tuple[Path, str], FlowOfToday] = {}
        self._by_name: Mapping[str, Path] | None = None

    @classmethod
    def of(cls, folder: Path) -> "Shelf":
        """Take all flow files of a folder."""
        return cls(flow_files([folder]))

    def get(self, recorded: Case) -> FlowOfToday:
        """Give the flow of a case's name; raise NoSuchFlow, or FlowError if the file has mistakes."""
        names = self.names()
        wanted = recorded.header.flow
        if wanted not in names:
            where = self._files[0].parent if self._files else "the folder"
            nearest = did_you_mean(wanted, names)
            raise NoSuchFlow(f'no flow in {where} is called "{wanted}"{f". {nearest}" if nearest else ""}')
        return self.load(names[wanted], recorded.header.zone)

    def load(self, file: Path, zone: str) -> FlowOfToday:
        """Load a file; `zone` is where it tells the time if it does not say so itself."""
        known = self._loaded.get((file, zone))
        if known is None:
            known = _load(file, zone)
            self._loaded[file, zone] = known
        return known

    def names(self) -> Mapping[str, Path]:
        """Name the flows. A file with mistakes goes by its own name: they are told when it is asked for."""
        if self._by_name is None:
            named = {}
            for file in self._files:
                try:
                    name = self.load(file, "UTC").flow.name
                except FlowError:
                    name = file.stem
                named[name] = file
            self._by_name = named
        return self._by_name


def _load(file: Path, zone: str) -> FlowOfToday:
    name = _shown(file)
    try:
        loaded = load_flow(file, default_zone=zone, named=name)
        text = file.read_bytes()
    except OSError as error:
        raise FlowError(f"{file} cannot be read: {error.strerror}") from error
    return FlowOfToday(loaded.served(), Places(name, text))


def _shown(file: Path) -> str:
    """Name a file as one would type it here."""
    whole = file.absolute()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else file)


def flow_of_that_day(source: bytes) -> FlowOfToday:
    """Give a flow that took calls, from what the store keeps of it; raise FlowError if it cannot be read any more."""
    bundle = Bundle.decode(source)
    return FlowOfToday(rebuild(bundle).served(), Places(bundle.file, bundle.text))
