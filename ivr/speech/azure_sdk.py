"""The door of Microsoft's Speech SDK, an extra: no other module imports it."""

from typing import Any
from urllib.parse import urlsplit

from ivr.speech.accounts import AzureAccount

__all__ = ["NEEDED", "sdk", "speech_config", "voice_config"]

try:
    from azure.cognitiveservices import speech as sdk
except ImportError:  # the extra is not installed, or one of the SDK's system libraries is not
    sdk = None

NEEDED = "needs Microsoft's SDK (pip install 'ivr[azure]') and the system libraries libssl3 and libuuid1"


def speech_config(account: AzureAccount) -> Any:
    """Return the SDK's settings for recognition; an address with a path is taken as it is."""
    if account.endpoint and urlsplit(account.endpoint).path.strip("/"):
        return sdk.SpeechConfig(subscription=account.key, endpoint=account.endpoint)
    return voice_config(account)


def voice_config(account: AzureAccount) -> Any:
    """Return the SDK's settings for synthesis, whose path on the server is another one than that of recognition."""
    if not account.endpoint:
        return sdk.SpeechConfig(subscription=account.key, region=account.region)
    parts = urlsplit(account.endpoint)
    base = f"{parts.scheme}://{parts.netloc}"
    if account.endpoint.startswith("ws"):
        return sdk.SpeechConfig(subscription=account.key, host=base)
    return sdk.SpeechConfig(subscription=account.key, endpoint=base)
