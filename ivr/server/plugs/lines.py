"""What the lines can do that flows are checked against: those of the channels, and two more.

A gateway (`sip`) carries calls with the messages of a channel, and so does the phone of development; what differs is
who speaks and listens there: the voice and the ear of the settings.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from ivr.capabilities import Capabilities
from ivr.line_settings import CheckedLine
from ivr.server.plugs import SOURCES, sources_on
from ivr.server.plugs.skype import SOURCE as CARRIED
from ivr.settings import Settings, SettingsError
from ivr.speech_settings import dictates_on_live_lines, spoken_on_live_lines, understood_on_live_lines

GATEWAY: Final = "sip"


def line_named(settings: Settings, name: CheckedLine) -> Capabilities:
    """Return what a line can do; raise SettingsError if a gateway would have no voice."""
    if name == GATEWAY:
        return _gateway_line(settings)
    return next(source for source in SOURCES if source.name == name).can


def lines_of_flows(settings: Settings, name: CheckedLine | None = None) -> Mapping[str, Capabilities]:
    """Return what the lines can do that flows are checked against, by name: that of the settings unless it is named.

    Where neither names one they are all that are on, or the first of all. Raises SettingsError if a gateway would have
    no voice.
    """
    wanted = name or settings.check_channel
    if wanted is not None:
        return {wanted: line_named(settings, wanted)}
    return {source.name: source.can for source in sources_on(settings, dev=False) or SOURCES[:1]}


def development_lines(settings: Settings) -> Mapping[str, Capabilities]:
    """Return what the line can do that flows are checked against in development: that of the phone in the browser.

    It speaks what the voice speaks; where there is none, or the settings name a line, it is as for real calls.
    """
    has_voice = spoken_on_live_lines(settings) != frozenset()
    return lines_of_flows(settings, GATEWAY if settings.check_channel is None and has_voice else None)


def _gateway_line(settings: Settings) -> Capabilities:
    spoken, understood = spoken_on_live_lines(settings), understood_on_live_lines(settings)
    if spoken == frozenset():
        raise SettingsError("the channel sip has no voice here: pip install 'ivr[phone]', or set IVR_VOICE")
    return gateway_line(spoken, understood, dictates=dictates_on_live_lines(settings))


def gateway_line(spoken: frozenset[str] | None, understood: frozenset[str] | None, *, dictates: bool) -> Capabilities:
    """Return what a gateway can do whose voice speaks and whose ear understands these languages (None: any).

    Whom it may call is its operator's affair; that it can is what a flow is checked against. `dictates`: its ear
    understands values, too.
    """
    can = replace(
        CARRIED.can,
        speech=understood != frozenset(),
        transfer=True,
        barge_in_by_kind=True,
        type_ahead=True,
        free_speech=dictates,
        long_keys=True,
    )
    return replace(can, languages=spoken, understands=understood)
