"""What the server needs to know of the Skype calling platform: its channel, the form it posts, who may call.

Everything in the server that is of this one channel stands here; another channel gets a file like this one.
"""

import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from ivr.auth.keys import KeyRing
from ivr.auth.tokens import AcceptAll, BearerVerifier
from ivr.channels.skype import CALLBACK, SkypeChannel
from ivr.ports import Capabilities, Channel, Verifier
from ivr.server.app import MEDIA
from ivr.server.recording_links import RecordingLinks
from ivr.settings import CheckedLine, Settings, SettingsError
from ivr.speech_settings import dictates_on_live_lines, spoken_on_live_lines, understood_on_live_lines

CHANNEL: Final = SkypeChannel.name
"The channel's name in stored calls."

REPLY_WITHIN: Final = SkypeChannel.can.reply_within
"Seconds in which the platform wants its reply."

DEVELOPMENT_ACCOUNT = "development"
"The app id of a server that has none."


def make_channel(settings: Settings, links: RecordingLinks, *, public: str, pretends: bool) -> Channel:
    """Make the channel; `public` is the address under which the platform reaches this server."""
    account = settings.app_id or DEVELOPMENT_ACCOUNT
    media = f"{public}{MEDIA}".rstrip("/")
    return SkypeChannel(
        account=account,
        callback=f"{public}{CALLBACK}",
        media_base=media,
        recording=links.for_prompt,
        pretends=pretends,
    )


def line_of_flows(settings: Settings, name: CheckedLine | None = None) -> Capabilities:
    """Return what the line can do that flows are checked against, that of the settings unless it is named.

    The same messages carry calls by Skype's platform and by a gateway (`sip`); what differs is who speaks and listens
    there. Raises SettingsError if a gateway would have no voice.
    """
    if (name or settings.check_channel or "skype") == "skype":
        return SkypeChannel.can
    spoken, understood = spoken_on_live_lines(settings), understood_on_live_lines(settings)
    if spoken == frozenset():
        raise SettingsError("the channel sip has no voice here: pip install 'ivr[phone]', or set IVR_VOICE")
    # Whom the gateway may call is its operator's affair; that it can is what a flow is checked against.
    can = replace(
        SkypeChannel.can,
        speech=understood != frozenset(),
        transfer=True,
        barge_in_by_kind=True,
        type_ahead=True,
        free_speech=dictates_on_live_lines(settings),
        long_keys=True,
    )
    return replace(can, languages=spoken, understands=understood)


def development_line(settings: Settings) -> Capabilities:
    """Return what the line can do that flows are checked against in development: that of the phone in the browser.

    It speaks what the voice speaks; where there is none, or the settings name a line, it is as for real calls.
    """
    has_voice = spoken_on_live_lines(settings) != frozenset()
    return line_of_flows(settings, "sip" if settings.check_channel is None and has_voice else None)


async def fetch_keys(stack: AsyncExitStack, settings: Settings, file: Path) -> KeyRing:
    """Return the platform's keys, those of the last run (in `file`) if its hosts do not answer."""
    try:
        keys = KeyRing(settings.openid_metadata, file=file, allow_loopback=settings.openid_loopback)
    except ValueError as error:
        raise SettingsError(f"IVR_OPENID_METADATA: {error}") from error
    await keys.start(now=time.time())
    stack.push_async_callback(keys.close)
    return keys


def make_verifier(settings: Settings, keys: KeyRing | None) -> Verifier:
    """Return the token check; without keys (development mode) the one that accepts everything."""
    return BearerVerifier(settings.app_id or "", keys) if keys else AcceptAll()
