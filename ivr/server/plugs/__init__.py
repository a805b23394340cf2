"""The channels of this server: one file for each, and here the list of all; nothing else in the server names one.

`docs/channels.md` says how a channel is added.
"""

from collections.abc import Sequence
from typing import Final

from ivr.server.plugs import chat, jambonz, page, skype, skype_v2, twiml
from ivr.server.plugs.plug import Source
from ivr.settings import Settings

SOURCES: Final[tuple[Source, ...]] = (
    skype.SOURCE,
    *twiml.SOURCES,
    jambonz.SOURCE,
    chat.SOURCE,
    skype_v2.SOURCE,
    page.SOURCE,
)
"In the order in which they are named to people."


def sources_on(settings: Settings, *, dev: bool) -> Sequence[Source]:
    """Return the channels that are on: those whose secret is set, and in development mode all."""
    return [source for source in SOURCES if dev or source.is_on(settings)]
