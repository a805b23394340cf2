"""From a flow file to a flow that can be served: the whole way in one place.

    bytes -> reader (nodes) -> validate (model) -> checks (findings) -> assets, zones -> Bundle -> build (Flow)

A file with errors gives findings and no flow. What was served once is rebuilt from its bundle without the folder, and
without the checks: it was sound when its calls began.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ivr.capabilities import Capabilities
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.flow import Flow
from ivr.errors import FlowError
from ivr.flowfile import assets
from ivr.flowfile.build import FlowSource, build
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.checks import Environment, Missing, Phrases, Provided, check, unacknowledged
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, as_text, in_order
from ivr.flowfile.holidays_data import holiday_names
from ivr.flowfile.included_files import beside, from_bundle
from ivr.flowfile.invoked_flows import FlowsBeside, ReadFlow, read_invoked
from ivr.flowfile.returned_values import LinkedFlow
from ivr.flowfile.spoken_texts import FlowText, flow_texts
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.yaml.lookalikes import with_lookalike
from ivr.flowfile.yaml.reader import MAX_BYTES
from ivr.flowfile.zones import zone_data
from ivr.smallfiles import read_head

CLOCK = frozenset({"now", "today", "call.startedAt", "calendar"})
"The facts that are another time in every call."


class LoadedFlow(Struct, frozen=True):
    """What became of a flow file."""

    flow: Flow | None
    "None: the findings hold an error."
    bundle: Bundle | None
    assets: Mapping[str, bytes]
    "Audio files by their SHA-256, as prompts name them."
    findings: tuple[Finding, ...]
    beside: tuple[str, ...] = ()
    """The files beside it that it needs: audio, what it includes, and the flows that it invokes, with all that these
    need. Audio and included files are named that are not there, too."""
    name: str | None = None
    "What the flow is called, also where it must not be served; None: it does not say."

    def served(self) -> Flow:
        """Return the flow; raise FlowError, with the findings as text, if it must not be served."""
        if self.flow is None:
            errors = [found for found in self.findings if found.is_error]
            raise FlowError(as_text(errors), [found.as_json() for found in errors])
        return self.flow


def load_flow(
    path: Path,
    *,
    default_zone: str = "UTC",
    lines: Mapping[str, Capabilities] | None = None,
    missing: Missing | None = None,
    phrases: Phrases | None = None,
    provided: Provided | None = None,
    named: str | None = None,
) -> LoadedFlow:
    """Load a flow from its file; raise OSError if it cannot be read at all.

    `default_zone` is the time zone of flows that name none; `lines` says what each line can do, `missing` what a speech
    engine cannot, `phrases` what it makes of them, and `provided` what the settings provide, if that is to be checked
    too; `named` is how findings call the file.
    """
    text, file = _text_of(path), named or str(path)
    return load_text(
        text,
        file=file,
        folder=path.parent,
        default_zone=default_zone,
        lines=lines,
        missing=missing,
        phrases=phrases,
        provided=provided,
    )


def _text_of(path: Path) -> bytes:
    """Read no more of a file than the reader takes; a pipe or a device, which might never end, is none."""
    return read_head(path, MAX_BYTES + 1)


def load_text(
    text: bytes,
    *,
    file: str,
    folder: Path,
    default_zone: str = "UTC",
    lines: Mapping[str, Capabilities] | None = None,
    missing: Missing | None = None,
    phrases: Phrases | None = None,
    provided: Provided | None = None,
) -> LoadedFlow:
    """Load a flow from the bytes of its file; its audio files, what it includes and invokes, is in `folder`."""
    first = ReadFlow(file, text, beside(folder))
    if first.document is None:
        ordered = in_order(with_lookalike(first.reading.source, found) for found in first.findings)
        return LoadedFlow(None, None, {}, ordered, tuple(first.included_names))
    flows = FlowsBeside(folder, lambda other: str(Path(file).parent / other.name))
    invoked = read_invoked(first.document, flows.find, LinkedFlow, flows.names)
    everything = (first, *invoked.flows.values())
    audio = {one: assets.collect(one.document, folder) if one.document else {} for one in everything}
    others = (
        Environment(audio[one], lines or {}, missing, phrases, invoked, provided or Provided()) for one in everything
    )
    findings = [
        found if one is first else replace(found, fix=None)  # its place is in another file
        for one, environment in zip(everything, others, strict=True)
        for found in _checked(one, environment)
    ]
    ordered, model = in_order(findings), first.document.model
    files = [*(name for one in everything for name in (*audio[one], *one.included_names)), *flows.files]
    if any(found.is_error for found in ordered):
        name = model.flow if first.document.is_sound("flow") else None
        return LoadedFlow(None, None, {}, ordered, tuple(files), name)
    zone = model.time_zone or default_zone
    bundles = {name: _bundle(one, zone, audio[one]) for name, one in invoked.flows.items()}
    bundle = _bundle(first, zone, audio[first], bundles)
    return _built(first, bundle, invoked.flows, ordered, tuple(files))


def _checked(one: ReadFlow, environment: Environment) -> Iterator[Finding]:
    """Go through what is found in one file; a state acknowledges the warnings of its own."""
    findings: Iterable[Finding] = one.findings
    if one.document is not None:
        findings = unacknowledged(one.document, [*findings, *check(one.document, environment)])
    yield from (with_lookalike(one.reading.source, found) for found in findings)


def _bundle(
    one: ReadFlow, zone: str, audio: Mapping[str, object], invoked: Mapping[str, Bundle] | None = None
) -> Bundle:
    """Make the bundle of a sound flow; one that names no time zone has that of the flow that is called."""
    document = _sound(one)
    own = document.model.time_zone or zone
    rules = zone_data(own)
    if rules is None:
        raise FlowError(f'unknown time zone "{own}"')
    files = {name: data for name, data in audio.items() if isinstance(data, bytes)}  # all: a refusal is an error
    bundle = Bundle(
        *(one.file, one.text, files, own, rules),
        included=one.included,
        invoked=invoked or {},
        holidays=_holidays(document),
        zones=_zones(document),
    )
    needs_more = bundle.included or bundle.invoked or bundle.holidays or bundle.zones
    return replace(bundle, format=2) if needs_more else bundle


def _zones(document: Document) -> Mapping[str, bytes]:
    """Return the rules of the time zones that calendars name; a check has looked for each."""
    named = {written.time_zone for written in document.model.calendars.values() if written.time_zone}
    return {zone: zone_data(zone) or b"" for zone in sorted(named)}


def _holidays(document: Document) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the holidays of calendars, by their names; a check has looked for country and region."""
    languages = document.model.all_languages
    return {
        name: holiday_names(written.holidays.country, written.holidays.region, languages)
        for name, written in document.model.calendars.items()
        if written.holidays
    }


def rebuild(bundle: Bundle) -> LoadedFlow:
    """Make the same flow again; raise FlowError where this release cannot read what an earlier one could."""
    first, invoked = _read_again(bundle)
    findings = in_order(found for one in (first, *invoked.values()) for found in one.findings)
    if any(found.is_error for found in findings):
        raise FlowError(as_text(findings))
    return _built(first, bundle, invoked, findings, (*bundle.audio, *bundle.included))


def _read_again(bundle: Bundle) -> tuple[ReadFlow, Mapping[str, ReadFlow]]:
    """Read a bundle's flow, and those that it invokes."""
    first, *others = (
        ReadFlow(one.file, one.text, from_bundle(one.included)) for one in (bundle, *bundle.invoked.values())
    )
    invoked = dict(zip(bundle.invoked, others, strict=True))
    if first.document is not None:  # pragma: no branch  # a bundle is of a sound file
        read_invoked(first.document, invoked.get, LinkedFlow)
    return first, invoked


def texts_of(bundle: Bundle) -> tuple[FlowText, ...]:
    """Return every text that a flow speaks, in the order of its file."""
    first, _ = _read_again(bundle)
    return flow_texts(first.document) if first.document else ()  # a bundle is of a sound file


def _built(
    first: ReadFlow,
    bundle: Bundle,
    invoked: Mapping[str, ReadFlow],
    findings: tuple[Finding, ...],
    files: tuple[str, ...],
) -> LoadedFlow:
    sources = {name: FlowSource(_sound(one), bundle.invoked[name]) for name, one in invoked.items()}
    flow = build(FlowSource(_sound(first), bundle), sources)
    audio = [data for one in (bundle, *bundle.invoked.values()) for data in one.audio.values()]
    return LoadedFlow(flow, bundle, {assets.asset_id(data): data for data in audio}, findings, files, flow.name)


def _sound(one: ReadFlow) -> Document:
    """Return the document of a file in which no error was found."""
    if one.document is None:  # pragma: no cover  # what cannot be read has errors
        raise FlowError(as_text(one.findings))
    return one.document


def asks_the_clock(file: str, text: bytes) -> bool:
    """Return whether any expression of a flow reads the time, or of what it invokes; if not sound, what can be told."""
    folder = Path(file).parent
    first = ReadFlow(file, text, beside(folder))
    if first.document is None:
        return False
    invoked = read_invoked(first.document, FlowsBeside(folder).find, LinkedFlow).flows.values()
    documents = [one.document for one in (first, *invoked) if one.document]
    return any(_reads_time(use.text, bare=use.is_bare) for document in documents for use in uses(document))


def _reads_time(text: str, *, bare: bool) -> bool:
    what = compiled(text, bare=bare)
    if isinstance(what, ExpressionError):
        return False
    return any(name == fact or name.startswith(f"{fact}.") for name in what.names for fact in CLOCK)
