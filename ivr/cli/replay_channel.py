"""`ivr replay --channel`: what the callers of recorded calls would notice on another line."""

from collections.abc import Iterable
from typing import get_args

import click
from msgspec import to_builtins

from ivr.capabilities import Capabilities
from ivr.cli.replayed_calls import Subject
from ivr.cli.terminal_text import json_text
from ivr.errors import FlowError
from ivr.line_settings import CheckedLine
from ivr.server.plugs.lines import line_named
from ivr.settings import Settings, SettingsError, load_settings
from ivr.trace.case import Case
from ivr.trace.current_flows import CurrentFlows, NoSuchFlow
from ivr.trace.flow_places import FlowPlaces
from ivr.trace.moved_report import Moved, as_text
from ivr.trace.other_line import is_live_line, noticed

CHANNELS: tuple[CheckedLine, ...] = get_args(CheckedLine)
SHOWN = 20
"Groups that are written out."


def moved_to(channel: CheckedLine, subjects: Iterable[Subject], registry: CurrentFlows, *, only: bool) -> Moved:
    """Look at calls through the limits of a line; `only`: leave out those of flows that are not in `registry`."""
    try:
        lines = _Lines(load_settings().settings)
        after = lines.named(channel)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    moved = Moved(channel)
    for subject in subjects:
        recorded = subject.recorded
        if recorded is None:
            moved.unreadable.append((subject.name, subject.trouble))
        elif only and recorded.header.flow not in registry.names():
            moved.left_out += 1
        else:
            found = noticed(recorded, lines.that_took(recorded, subject.kind), after)
            moved.add(subject.name, recorded, found, subject.then or _places(recorded, registry))
    return moved


def show(moved: Moved, *, as_json: bool) -> None:
    """Print what was found, for people or as one JSON document."""
    if as_json:
        document = {
            "channel": moved.channel,
            "same": moved.unchanged,
            "noticed": moved.noticed,
            "unreadable": dict(moved.unreadable),
            "leftOut": moved.left_out,
            "groups": to_builtins(moved.groups()),
        }
        click.echo(json_text(document, indent=2))
        return
    groups = moved.groups()
    for group in groups[:SHOWN]:
        click.echo(as_text(group) + "\n")
    if len(groups) > SHOWN:
        click.echo(f"… and {len(groups) - SHOWN} more places; --json lists all.\n")
    for name, why in moved.unreadable:
        click.echo(f"{name}: {why}", err=True)
    click.echo(moved.summary())


class _Lines:
    """What lines can do, by their names."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[CheckedLine, Capabilities | None] = {}

    def named(self, name: CheckedLine) -> Capabilities:
        """Return what a line can do; raise SettingsError."""
        return line_named(self._settings, name)

    def that_took(self, recorded: Case, kind: str | None) -> Capabilities | None:
        """Return what the line of a call can do; None: it is not known here."""
        native = recorded.header.channel == "skype"
        is_sip = native and (kind == "sip" or is_live_line(recorded))
        name = next((one for one in CHANNELS if one == ("sip" if is_sip else recorded.header.channel)), None)
        if name is None:
            return None
        if name not in self._known:
            try:
                self._known[name] = self.named(name)
            except SettingsError:  # a gateway without a voice here: what it can do is not known
                self._known[name] = None
        return self._known[name]


def _places(recorded: Case, registry: CurrentFlows) -> FlowPlaces | None:
    """Find where things stand in the flow of a case, as its file is now."""
    try:
        return registry.get(recorded).places
    except (NoSuchFlow, FlowError):
        return None
