"""Who speaks: the application's voice, unless the operator names one for the language."""

import pytest

from ivr.channels.jambonz.voices import Voices
from ivr.channels.jambonz.wire import Synthesizer
from ivr.engine.commands import Gender, Text

NAMED = Voices({"de-DE": "google/de-DE-Wavenet-B", "de-DE/male": "google/de-DE-Wavenet-D", "fr": "Celine"})


@pytest.mark.parametrize(
    ("language", "gender", "spoken"),
    [
        ("de-DE", "female", Synthesizer(vendor="google", language="de-DE", voice="de-DE-Wavenet-B")),
        ("DE-de", "male", Synthesizer(vendor="google", language="DE-de", voice="de-DE-Wavenet-D")),
        ("fr-CA", "male", Synthesizer(vendor="default", language="fr-CA", voice="Celine")),
        ("de-AT", "male", Synthesizer(vendor="default", language="de-AT", gender="MALE")),
        ("en-US", "female", Synthesizer(vendor="default", language="en-US", gender="FEMALE")),
    ],
)
def test_the_nearest_name_counts(language: str, gender: Gender, spoken: Synthesizer) -> None:
    assert NAMED.of(Text("Hello.", gender, language)) == spoken


@pytest.mark.parametrize(
    "named", [{"german!": "a"}, {"de/other": "a"}, {"": "a"}, {"de": ""}, {"de": "a/b/c"}, {"de": "a b"}]
)
def test_what_is_no_voice_is_refused(named: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is no"):
        Voices(named)
