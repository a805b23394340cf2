"""From the setting `IVR_STT` to a speech engine."""

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from ivr.audio.workers import Workers
from ivr.ports import SpeechToText
from ivr.speech.abilities import Engine
from ivr.speech.accounts import AzureAccount, OpenAiServer
from ivr.speech.engines.none import NoSpeech
from ivr.speech.engines.scripted import Scripted


def speech_engine(
    name: Engine,
    *,
    workers: Workers | None = None,
    script: Path | None = None,
    dictation: bool = False,
    azure: Callable[[], AzureAccount] = AzureAccount,
    openai: Callable[[], OpenAiServer] = OpenAiServer,
) -> SpeechToText:
    """Make the engine of that name; raise ValueError, with what to do, if it lacks something.

    `workers` decode the recordings; whoever passes them closes them. `azure` and `openai` are asked for their account
    if it is wanted. An engine is imported when it is chosen: each brings a library that nobody else needs.
    """
    workers = workers or Workers()
    match name:
        case "none":
            return NoSpeech()
        case "scripted" if script is not None:
            return Scripted.read(script)
        case "scripted":
            raise ValueError("IVR_STT=scripted needs IVR_STT_SCRIPT, the JSON file with what is to be heard")
        case "pocketsphinx":
            from ivr.speech.engines.sphinx.engine import Sphinx  # noqa: PLC0415

            return Sphinx(workers, dictation=dictation)
        case "azure":
            from ivr.speech.engines.azure import Azure  # noqa: PLC0415

            return Azure(azure(), workers)
        case "azure-fast":
            from ivr.speech.engines.azure_fast import AzureFast  # noqa: PLC0415

            return AzureFast(azure(), workers)
        case "openai":
            from ivr.speech.engines.openai import OpenAi  # noqa: PLC0415

            return OpenAi(openai(), workers)
        case _:
            assert_never(name)
