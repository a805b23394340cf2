"""From a flow file to a flow that can be served: the whole way in one place.

    bytes -> reader (nodes) -> validate (model) -> checks (findings) -> assets, zones -> Bundle -> build (Flow)

A file with errors gives findings and no flow. What was served once is rebuilt from its bundle without the folder, and
without the checks: it was sound when its calls began.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.flow import Flow
from ivr.errors import FlowError
from ivr.flowfile import assets
from ivr.flowfile.build import build
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.checks import Environment, Missing, Phrases, check, unacknowledged
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, as_text, in_order
from ivr.flowfile.holidays_data import holiday_names
from ivr.flowfile.included_files import beside, from_bundle, read_whole
from ivr.flowfile.spoken_texts import FlowText, flow_texts
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.validate import validate
from ivr.flowfile.yaml.lookalikes import named
from ivr.flowfile.yaml.reader import MAX_BYTES, Reading
from ivr.flowfile.zones import zone_data
from ivr.ports import Capabilities
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
    "The files beside it that it needs, audio and what it includes; those too that are not there."
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
    channel: Capabilities | None = None,
    missing: Missing | None = None,
    phrases: Phrases | None = None,
    named: str | None = None,
) -> LoadedFlow:
    """Load a flow from its file; raise OSError if it cannot be read at all.

    `default_zone` is the time zone of flows that name none; `channel` says what a line can do, `missing` what a speech
    engine cannot, `phrases` what it makes of them, if that is to be checked too; `named` is how findings call the file.
    """
    text, file = _text_of(path), named or str(path)
    return load_text(
        text,
        file=file,
        folder=path.parent,
        default_zone=default_zone,
        channel=channel,
        missing=missing,
        phrases=phrases,
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
    channel: Capabilities | None = None,
    missing: Missing | None = None,
    phrases: Phrases | None = None,
) -> LoadedFlow:
    """Load a flow from the bytes of its file; its audio files, and those that it includes, are in `folder`."""
    whole = read_whole(file, text, beside(folder))
    reading = whole.reading
    validated = validate(reading)
    findings = [*reading.findings, *validated.findings]
    if validated.model is None:
        ordered = in_order(named(reading.source, found) for found in findings)
        return LoadedFlow(None, None, {}, ordered, tuple(whole.named))
    document = Document(reading.source, validated.model, validated.damaged)
    audio = assets.collect(document, folder)
    everything = [*findings, *check(document, Environment(audio, channel, missing, phrases))]
    ordered = in_order(named(reading.source, found) for found in unacknowledged(document, everything))
    if any(found.is_error for found in ordered):
        name = validated.model.flow if document.is_sound("flow") else None
        return LoadedFlow(None, None, {}, ordered, (*audio, *whole.named), name)
    zone = validated.model.time_zone or default_zone
    rules = zone_data(zone)
    if rules is None:
        raise FlowError(f'unknown time zone "{zone}"')
    files = {name: data for name, data in audio.items() if isinstance(data, bytes)}  # all: a refusal is an error
    holidays, zones = _holidays(document), _zones(document)
    bundle = Bundle(file, text, files, zone, rules, included=whole.included, holidays=holidays, zones=zones)
    if bundle.included or bundle.holidays or bundle.zones:
        bundle = replace(bundle, format=2)
    return _built(document, bundle, ordered)


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
    reading = _read_again(bundle)
    validated = validate(reading)
    findings = in_order([*reading.findings, *validated.findings])
    if validated.model is None or any(found.is_error for found in findings):
        raise FlowError(as_text(findings))
    return _built(Document(reading.source, validated.model), bundle, findings)


def texts_of(bundle: Bundle) -> tuple[FlowText, ...]:
    """Return every text that a flow speaks, in the order of its file."""
    reading = _read_again(bundle)
    model = validate(reading).model
    return flow_texts(Document(reading.source, model)) if model else ()  # a bundle is of a sound file


def _read_again(bundle: Bundle) -> Reading:
    return read_whole(bundle.file, bundle.text, from_bundle(bundle.included)).reading


def _built(document: Document, bundle: Bundle, findings: tuple[Finding, ...]) -> LoadedFlow:
    flow = build(document, bundle)
    files = {assets.asset_id(data): data for data in bundle.audio.values()}
    return LoadedFlow(flow, bundle, files, findings, (*bundle.audio, *bundle.included), flow.name)


def asks_the_clock(file: str, text: bytes) -> bool:
    """Return whether any expression of a flow file reads the time; of a file that is not sound, what can be told."""
    reading = read_whole(file, text, beside(Path(file).parent)).reading
    model = validate(reading).model
    if model is None:
        return False
    return any(_reads_time(use.text, bare=use.is_bare) for use in uses(Document(reading.source, model)))


def _reads_time(text: str, *, bare: bool) -> bool:
    what = compiled(text, bare=bare)
    if isinstance(what, ExpressionError):
        return False
    return any(name == fact or name.startswith(f"{fact}.") for name in what.names for fact in CLOCK)
