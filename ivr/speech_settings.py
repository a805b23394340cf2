"""The settings of speech, which several processes share: the speech engine, and the voice and ear of live sound.

`ivr serve` has them among its own (`ivr.settings`); a gateway reads them from the same variables.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec.structs import replace
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed
from ivr.media.installed import ear_is_installed, installed_ear, sound_of_parts
from ivr.media.phrase_ear import PhraseEar
from ivr.media.prompt_renderer import Fetch
from ivr.media.sound import Sound
from ivr.ports import Ear, SpeechToText, Voice
from ivr.setting_sources import LoadedSettings, SettingsError, load, refuse_user, secret_text, split_commas
from ivr.speech.accounts import OPENAI, AzureAccount, OpenAiServer, VoiceServer
from ivr.speech.engines.whisper.model_folder import PACKAGED, model_folder
from ivr.speech.registry import ENGINES, Engine, EngineOptions, capabilities
from ivr.speech.voice_names import VoiceNames
from ivr.speech.voice_registry import VOICES, NamedVoice, VoiceName, VoiceOptions, languages_of, voice_chain, voice_of

PREFIX = "IVR_"
MEBIBYTE = 1 << 20
_IN_THIS_MACHINE = frozenset({"none", "scripted", "pocketsphinx"})
"Engines with which the ear is pocketsphinx: it takes nothing out of this machine."


class SpeechSettings(BaseSettings):
    """What turns speech into words, and words into speech."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    stt: Engine = Field(
        "none",
        description="The speech engine: none (no transcripts), pocketsphinx (on this machine, for phrases), "
        "whisper (on this machine, for any speech), azure, azure-fast, openai, or scripted (fixed answers, for tests).",
    )
    stt_dictation: bool = Field(
        False,
        description="Let pocketsphinx transcribe free speech when a state has no phrases; many words will be wrong.",
    )
    whisper_model: str = Field(
        PACKAGED,
        min_length=1,
        description="The model of the engine whisper: a folder in CTranslate2's form, or packaged: the one of "
        "ivr[local-speech-model].",
    )
    stt_script: Path | None = Field(None, description="The JSON file with the answers of the scripted speech engine.")
    azure_key: SecretStr | None = Field(
        None, description="The key of the Azure Speech resource, for azure and azure-fast."
    )
    azure_region: str | None = Field(None, description="The region of the Azure Speech resource, such as westeurope.")
    azure_endpoint: str | None = Field(
        None, description="The address of the Azure Speech resource or of a container, instead of a region."
    )
    openai_url: str = Field(OPENAI, description="The server for the engine openai; many servers support its protocol.")
    openai_key: SecretStr | None = Field(
        None, description="The key for the server of IVR_OPENAI_URL; none: no key is sent."
    )
    openai_model: str = Field("whisper-1", min_length=1, description="The model that the engine openai asks for.")
    voice: VoiceName = Field(
        "espeak",
        description="The voice of live prompts: espeak (on this machine, if it is installed), hibari (on this machine, "
        "English, if it is installed), openai (any server with OpenAI's speech protocol), or azure (with IVR_AZURE_KEY "
        "and IVR_AZURE_REGION).",
    )
    voice_url: str = Field(OPENAI, description="The server for the voice openai; many servers support its protocol.")
    voice_key: SecretStr | None = Field(
        None, description="The key for the server of IVR_VOICE_URL; none: no key is sent."
    )
    voice_model: str = Field("tts-1", min_length=1, description="The model that the voice openai asks for.")
    voice_format: Literal["wav", "pcm"] = Field(
        "wav", description="What the server of IVR_VOICE_URL is to send: wav, or pcm (16 bit, 24 kHz)."
    )
    voice_female: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="The service's voice for female prompts, and others for some languages, separated by commas: "
        "nova,de=katja,fr-CA=sylvie; none: one that the service is known to have.",
    )
    voice_male: Annotated[tuple[str, ...], NoDecode] = Field((), description="The same for male prompts.")
    voice_cache: Path | None = Field(
        None, description="The folder where what was spoken is kept; none: it is kept in memory alone."
    )
    voice_cache_size: int = Field(256, ge=1, le=1_000_000, description="The largest size of that folder, in MiB.")
    voice_fallback: Annotated[tuple[Literal[VoiceName, "none"], ...], NoDecode] = Field(
        ("espeak",),
        description="The voices that speak what that of IVR_VOICE cannot, in this order, separated by commas: espeak "
        "(if it is installed), hibari, openai, azure; none: the prompt fails.",
    )

    @field_validator("voice_female", "voice_male", "voice_fallback", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("voice_female", "voice_male")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        VoiceNames.of(value, ())
        return value

    @field_validator("voice_fallback")
    @classmethod
    def _none_is_alone(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "none" in value and len(value) > 1:
            raise ValueError("must be none, or names of voices")
        return value

    @field_validator("azure_endpoint", "openai_url", "voice_url")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_user(value)
        return value


def load_speech_settings(
    *, file: Path | None = None, flags: Mapping[str, Any] | None = None, also: Iterable[str] = ()
) -> LoadedSettings[SpeechSettings]:
    """Put the settings together, for a process that has others, too; raise SettingsError.

    `also` are the names of the others in the file.
    """
    loaded = load(SpeechSettings, file=file, flags=flags, listed_by="ivr settings", also=also)
    return LoadedSettings(loaded.settings, loaded.sources)  # an unknown variable may be a server's


def engine_of(settings: SpeechSettings, workers: Workers) -> SpeechToText:
    """Make the engine; raise SettingsError, with what to do, if something that it needs is missing.

    `workers` decode recordings, and stay the caller's: they are to be closed after the last transcription.
    """
    options = EngineOptions(
        workers,
        script=settings.stt_script,
        dictation=settings.stt_dictation,
        whisper=lambda: model_folder(settings.whisper_model),
        azure=lambda: _azure_account(settings),
        openai=lambda: OpenAiServer(settings.openai_url, secret_text(settings.openai_key), settings.openai_model),
    )
    try:
        return ENGINES[settings.stt].make(options)
    except ValueError as error:
        raise SettingsError(str(error)) from error


async def load_models(workers: Workers) -> None:
    """Load the models of engines and voices that were made with these workers; raise SettingsError if one is bad.

    Nobody has to do it; without it, the first recording waits for its model.
    """
    try:
        await workers.prepare()
    except TranscriptionFailed as error:
        raise SettingsError(f"What turns speech into words, or words into speech, cannot begin: {error}") from error


def live_sound(settings: SpeechSettings, workers: Workers, fetch: Fetch) -> Sound:
    """Return the sound of live lines, good for any number of calls; raise SettingsError, with what to do.

    `workers` decode, and stay the caller's; `fetch` returns a file of a prompt.
    """
    half = max(1, VOICES[settings.voice].at_once // 2)
    voice, ear = live_voice(settings, workers), live_ear(settings, workers)
    return sound_of_parts(voice, ear, workers, fetch, prepares_at_once=half)


def live_voice(settings: SpeechSettings, workers: Workers) -> Voice | None:
    """Return what speaks on live lines; None: espeak-ng is not installed. Raise SettingsError, with what to do."""
    with _explained(settings):
        return voice_of(settings.voice, voice_options(settings, workers))


def named_voices(settings: SpeechSettings, workers: Workers) -> tuple[NamedVoice, ...]:
    """Return the voices of live lines one by one, in the order in which they are asked; raise SettingsError.

    One that fails does not rest: each text is tried. Empty: espeak-ng is not installed, and there is no other.
    """
    with _explained(settings):
        return voice_chain(settings.voice, replace(voice_options(settings, workers), rests=False))


@contextmanager
def _explained(settings: SpeechSettings) -> Iterator[None]:
    """Raise SettingsError for what a voice that cannot be made raises."""
    try:
        yield
    except ValueError as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise SettingsError(f"{PREFIX}VOICE_CACHE: {settings.voice_cache} cannot be used: {error.strerror}") from error


def voice_options(settings: SpeechSettings, workers: Workers) -> VoiceOptions:
    """Return what the settings say of voices; `workers` decode, and stay the caller's."""
    return VoiceOptions(
        workers,
        names=VoiceNames.of(settings.voice_female, settings.voice_male),
        server=lambda: VoiceServer(
            settings.voice_url, secret_text(settings.voice_key), settings.voice_model, settings.voice_format
        ),
        azure=lambda: _azure_account(settings),
        cache=settings.voice_cache,
        cache_size=settings.voice_cache_size * MEBIBYTE,
        fallback=_fallback(settings),
    )


def live_ear(settings: SpeechSettings, workers: Workers) -> Ear | None:
    """Return what understands choices on live lines; None: pocketsphinx is not installed. Raise SettingsError."""
    if settings.stt in _IN_THIS_MACHINE:
        return installed_ear(workers)
    return PhraseEar(engine_of(settings, workers), at_once=ENGINES[settings.stt].at_once)


def spoken_on_live_lines(settings: SpeechSettings) -> frozenset[str] | None:
    """Return the languages of the voices, as `Capabilities.languages` has them; None: any. Empty: there is no voice."""
    return languages_of((settings.voice, *_fallback(settings)))


def understood_on_live_lines(settings: SpeechSettings) -> frozenset[str] | None:
    """Return the languages of the ear, as `Capabilities.understands` has them; None: any. Empty: there is no ear."""
    if settings.stt in _IN_THIS_MACHINE:
        return capabilities("pocketsphinx").languages if ear_is_installed() else frozenset()
    return capabilities(settings.stt).languages


def dictates_on_live_lines(settings: SpeechSettings) -> bool:
    """Return whether the ear understands values that are said, not only choices (`Capabilities.free_speech`)."""
    return settings.stt not in _IN_THIS_MACHINE and capabilities(settings.stt).dictation


def _fallback(settings: SpeechSettings) -> tuple[VoiceName, ...]:
    return tuple(name for name in settings.voice_fallback if name != "none")


def _azure_account(settings: SpeechSettings) -> AzureAccount:
    return AzureAccount(secret_text(settings.azure_key), settings.azure_region or "", settings.azure_endpoint or "")
