"""Which voice of a service speaks a text."""

import pytest

from ivr.engine.commands import Text
from ivr.speech.voice_names import VoiceNames


@pytest.mark.parametrize(
    ("gender", "language", "name"),
    [
        ("female", "en-US", "nova"),
        ("female", "de-DE", "katja"),
        ("female", "de-AT", "ingrid"),
        ("female", "DE-at", "ingrid"),
        ("male", "de-DE", "onyx"),
        ("male", "fr", "henri"),
    ],
)
def test_the_nearest_language_decides(gender: str, language: str, name: str) -> None:
    names = VoiceNames.of(["nova", "de=katja", "de-AT = ingrid"], ["fr=henri"]).with_default("alloy", "onyx")
    assert names.name(Text("Hello.", gender, language)) == name  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [["=nova"], ["de="], [""], ["nova", "alloy"], ["de=a", "DE=b"]])
def test_names_that_cannot_be_meant_are_refused(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match="voice"):
        VoiceNames.of(wrong, [])
