"""Which voice of a service speaks: by the gender that a prompt asks for, and by its language."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from ivr.engine.commands import Gender, Text
from ivr.speech.languages import without_region


class VoiceNames(Struct, frozen=True):
    """Names of voices, as a service calls them."""

    female: Mapping[str, str] = field(default_factory=dict)
    "By language tag (`de-AT`, or `de` for all of a language), in lower case; empty: all other languages."
    male: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, female: Sequence[str], male: Sequence[str]) -> "VoiceNames":
        """Read names as they are set: `NAME`, or `LANGUAGE=NAME`; raise ValueError."""
        return cls(_by_language(female), _by_language(male))

    def name(self, text: Text) -> str:
        """Return the voice of a text."""
        names = self._of_gender(text.voice)
        tag = text.language.lower()
        return names.get(tag) or names.get(without_region(tag)) or names[""]

    def with_default(self, female: str, male: str) -> "VoiceNames":
        """Return names that have a voice for every language."""
        return VoiceNames({"": female, **self.female}, {"": male, **self.male})

    def _of_gender(self, gender: Gender) -> Mapping[str, str]:
        return self.female if gender == "female" else self.male


def _by_language(names: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for entry in names:
        language, equals, name = entry.partition("=")
        tag, voice = (language.strip().lower(), name.strip()) if equals else ("", entry.strip())
        if not voice or (equals and not tag):
            raise ValueError("must be the name of a voice, or LANGUAGE=NAME, separated by commas")
        if tag in found:
            raise ValueError(f"names two voices for {tag or 'all languages'}")
        found[tag] = voice
    return found
