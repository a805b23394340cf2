"""Who speaks a text: the application's own voice at jambonz, or one that the operator names for its language.

A voice speaks one language, mostly, and an application has one. So a flow of several languages needs a voice for each
of the others, or jambonz asks a vendor for German by an English voice, gets nothing, and passes it over in silence.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from ivr.channels.jambonz import wire
from ivr.engine.commands import Gender, Text

_NAME = re.compile(r"(?P<language>[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)(/(?P<gender>male|female))?", re.ASCII)
_VOICE = re.compile(r"((?P<vendor>[^/\s]{1,64})/)?(?P<voice>[^/\s]{1,128})")
_GENDERS: Mapping[Gender, wire.Gender] = {"male": "MALE", "female": "FEMALE"}


class Voice(Struct, frozen=True):
    """A voice that the operator names."""

    vendor: str
    voice: str


class Voices:
    """The voices by language, and by gender where there are two."""

    def __init__(self, named: Mapping[str, str] | None = None) -> None:
        """Read what the operator names: `de-DE`, `de` or `de-DE/male`, and `VOICE` or `VENDOR/VOICE` for it.

        Raises ValueError for what is no such name, or no such voice.
        """
        self._named = {_language(name): _voice(name, voice) for name, voice in (named or {}).items()}

    def of(self, text: Text) -> wire.Synthesizer:
        """Return who speaks a text."""
        tag = text.language.lower()
        places = (f"{tag}/{text.voice}", tag, f"{tag.partition('-')[0]}/{text.voice}", tag.partition("-")[0])
        named = next((self._named[place] for place in places if place in self._named), None)
        if named is None:
            return wire.Synthesizer(vendor=wire.DEFAULT, language=text.language, gender=_GENDERS[text.voice])
        return wire.Synthesizer(vendor=named.vendor, language=text.language, voice=named.voice)


def _language(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no language, such as de-DE, or de-DE/male")
    return name.lower()


def _voice(name: str, written: str) -> Voice:
    found = _VOICE.fullmatch(written)
    if found is None:
        raise ValueError(f"{name}: {written!r} is no voice, such as google/de-DE-Wavenet-B")
    return Voice(found["vendor"] or wire.DEFAULT, found["voice"])
