"""What the lines can do that flows are checked against: those of the channels, and two more.

A gateway (`sip`) carries calls with the messages of a channel, and so does the phone of development; what differs is
who speaks and listens there: the voice and the ear of the settings.
"""

from typing import Final

from msgspec.structs import replace

from ivr.line_settings import CheckedLine
from ivr.ports import Capabilities
from ivr.server.plugs import SOURCES, sources_on
from ivr.server.plugs.plug import Source
from ivr.server.plugs.skype import SOURCE as CARRIED
from ivr.settings import Settings, SettingsError
from ivr.speech_settings import dictates_on_live_lines, spoken_on_live_lines, understood_on_live_lines

GATEWAY: Final = "sip"


def line_of_flows(settings: Settings, name: CheckedLine | None = None) -> Capabilities:
    """Return what the line can do that flows are checked against, that of the settings unless it is named.

    Where neither names one it is the first that is on, or the first of all. Raises SettingsError if a gateway would
    have no voice.
    """
    wanted = name or settings.check_channel
    if wanted == GATEWAY:
        return _gateway_line(settings)
    return _source(settings, wanted).can


def development_line(settings: Settings) -> Capabilities:
    """Return what the line can do that flows are checked against in development: that of the phone in the browser.

    It speaks what the voice speaks; where there is none, or the settings name a line, it is as for real calls.
    """
    has_voice = spoken_on_live_lines(settings) != frozenset()
    return line_of_flows(settings, GATEWAY if settings.check_channel is None and has_voice else None)


def _source(settings: Settings, name: str | None) -> Source:
    if name is None:
        return next(iter(sources_on(settings, dev=False)), SOURCES[0])
    return next(source for source in SOURCES if source.name == name)


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
