"""Addresses and keys of speech services: what is refused before anything is sent."""

import pytest

from ivr.speech.accounts import AzureAccount, OpenAiServer, VoiceServer
from ivr.speech.languages import with_region, without_region


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ({"region": "westeurope"}, "IVR_AZURE_KEY"),
        ({"key": "k"}, "IVR_AZURE_REGION"),
        ({"key": "k", "region": "evil.example.com/"}, "IVR_AZURE_REGION"),
        ({"key": "k", "endpoint": "evil"}, "IVR_AZURE_ENDPOINT must be an address"),
        ({"key": "k", "endpoint": "file:///etc/passwd"}, "IVR_AZURE_ENDPOINT must be an address"),
        ({"key": "k", "endpoint": "https://user:pass@host"}, "IVR_AZURE_ENDPOINT must be an address"),
        ({"key": "k", "endpoint": "http://speech.example.com"}, "must begin with https"),
        ({"key": "k", "endpoint": "ws://speech.example.com"}, "must begin with https"),
    ],
)
def test_an_azure_account_that_cannot_be_used_says_which_setting(account: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AzureAccount(**account)


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ({}, "IVR_OPENAI_KEY"),
        ({"key": "k", "url": "http://whisper.example.com"}, "must begin with https"),
        ({"url": "whisper"}, "IVR_OPENAI_URL must be an address"),
        ({"url": "https://whisper.example.com?key=1"}, "IVR_OPENAI_URL must be an address"),
    ],
)
def test_an_openai_server_that_cannot_be_used_says_which_setting(server: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        OpenAiServer(**server)


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ({}, "OpenAI needs IVR_VOICE_KEY. For your own server, set IVR_VOICE_URL"),
        ({"key": "k", "url": "http://voice.example.com"}, "IVR_VOICE_URL must begin with https"),
        ({"url": "voice"}, "IVR_VOICE_URL must be an address"),
    ],
)
def test_a_server_that_speaks_and_cannot_be_used_says_which_setting(server: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        VoiceServer(**server)  # type: ignore[arg-type]


def test_a_server_in_the_house_may_be_plain_if_no_key_travels() -> None:
    assert OpenAiServer("http://whisper:9000").transcriptions == "http://whisper:9000/v1/audio/transcriptions"
    assert VoiceServer("http://kokoro:8880/v1/").speech == "http://kokoro:8880/v1/audio/speech"
    assert AzureAccount("k", endpoint="ws://127.0.0.1:5000").rest == "http://127.0.0.1:5000"


def test_an_azure_region_is_an_address_of_microsofts() -> None:
    assert AzureAccount("k", "westeurope").rest == "https://westeurope.api.cognitive.microsoft.com"


def test_keys_are_not_printed() -> None:
    assert "secret" not in repr(AzureAccount("secret", "westeurope"))
    assert "secret" not in repr(OpenAiServer(key="secret"))
    assert "secret" not in repr(VoiceServer(key="secret"))


@pytest.mark.parametrize(
    ("tag", "full", "short"),
    [("en", "en-US", "en"), ("en-GB", "en-GB", "en"), ("de", "de-DE", "de"), ("zh-Hans-CN", "zh-Hans-CN", "zh")],
)
def test_services_get_the_language_in_their_own_form(tag: str, full: str, short: str) -> None:
    assert with_region(tag) == full
    assert without_region(tag) == short
