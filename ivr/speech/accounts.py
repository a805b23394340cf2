"""Where a speech service is, and the key to it. Addresses come from settings alone, never from a flow or a caller."""

import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

OPENAI = "https://api.openai.com/v1"

_REGION = re.compile(r"[a-z0-9]{2,40}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class AzureAccount(Struct, frozen=True):
    """A Speech resource of Azure: its key, and its region or its own address."""

    key: str = ""
    region: str = ""
    "Such as `westeurope`."
    endpoint: str = ""
    "https://… or wss://…; of a container in one's own house, also http or ws on this machine."

    def __post_init__(self) -> None:
        """Raise ValueError, with what to do, if this cannot be used."""
        if not self.key:
            raise ValueError("Azure needs IVR_AZURE_KEY, the key of a Speech resource")
        if self.endpoint:
            _checked(self.endpoint, "IVR_AZURE_ENDPOINT", secret=True, schemes=("https", "wss", "http", "ws"))
        elif not _REGION.fullmatch(self.region):
            raise ValueError("Azure needs IVR_AZURE_REGION, such as westeurope, or IVR_AZURE_ENDPOINT")

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"AzureAccount(region={self.region!r}, endpoint={self.endpoint!r})"

    @property
    def rest(self) -> str:
        """Return the address of the REST services, without a slash at its end."""
        if not self.endpoint:
            return f"https://{self.region}.api.cognitive.microsoft.com"
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme.replace('ws', 'http')}://{parts.netloc}"


class OpenAiServer(Struct, frozen=True):
    """A server that speaks OpenAI's transcription protocol."""

    url: str = OPENAI
    "With or without the `/v1` at its end."
    key: str = ""
    "Empty: it wants none, as many in one's own house."
    model: str = "whisper-1"

    def __post_init__(self) -> None:
        """Raise ValueError, with what to do, if this cannot be used."""
        parts = _checked(self.url, "IVR_OPENAI_URL", secret=bool(self.key), schemes=("https", "http"))
        if not self.key and parts.hostname == "api.openai.com":
            raise ValueError("OpenAI needs IVR_OPENAI_KEY. For your own server, set IVR_OPENAI_URL")

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"OpenAiServer(url={self.url!r}, model={self.model!r})"

    @property
    def transcriptions(self) -> str:
        """Return the address that transcribes."""
        return f"{_versioned(self.url)}/audio/transcriptions"


class VoiceServer(Struct, frozen=True):
    """A server that speaks OpenAI's speech protocol, and what is asked of it."""

    url: str = OPENAI
    "With or without the `/v1` at its end."
    key: str = ""
    "Empty: it wants none, as many in one's own house."
    model: str = "tts-1"
    form: Literal["wav", "pcm"] = "wav"
    "What it is to send: a file, or 16 bit samples at 24 kHz."

    def __post_init__(self) -> None:
        """Raise ValueError, with what to do, if this cannot be used."""
        parts = _checked(self.url, "IVR_VOICE_URL", secret=bool(self.key), schemes=("https", "http"))
        if not self.key and parts.hostname == "api.openai.com":
            raise ValueError("OpenAI needs IVR_VOICE_KEY. For your own server, set IVR_VOICE_URL")

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"VoiceServer(url={self.url!r}, model={self.model!r}, form={self.form!r})"

    @property
    def speech(self) -> str:
        """Return the address that speaks."""
        return f"{_versioned(self.url)}/audio/speech"


def _versioned(url: str) -> str:
    base = url.rstrip("/")
    return base if base.endswith("/v1") else f"{base}/v1"


def _checked(url: str, setting: str, *, secret: bool, schemes: tuple[str, ...]) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{setting} must be an address such as https://speech.example.com")
    if secret and parts.scheme in {"http", "ws"} and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{setting} must begin with https, because the key is sent to it")
    return parts
