"""What a caller hears when the bot is away: made before the first call, so that nothing is needed when it is due."""

from collections.abc import Mapping
from pathlib import Path

from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.media.prompt_renderer import samples_of
from ivr.media.sound import PromptRenderer, Unplayable
from ivr.setting_sources import SettingsError

TEXTS = {
    "en": "Sorry, this service is not available at the moment. Please call again later. Goodbye.",
    "de": "Dieser Dienst ist im Moment leider nicht erreichbar. Bitte rufen Sie später wieder an. Auf Wiederhören.",
    "fr": "Ce service n'est pas disponible pour le moment. Veuillez rappeler plus tard. Au revoir.",
    "es": "Este servicio no está disponible en este momento. Por favor, vuelva a llamar más tarde. Adiós.",
}
"By language; others hear the English one, which a file replaces."
TO_CALLED = {
    "en": "Sorry, this call cannot go on, because of a technical problem on our side. Goodbye.",
    "de": "Dieser Anruf kann wegen einer Störung bei uns leider nicht fortgesetzt werden. Auf Wiederhören.",
    "fr": "Cet appel ne peut pas continuer en raison d'un problème technique de notre côté. Au revoir.",
    "es": "Esta llamada no puede continuar por un problema técnico nuestro. Adiós.",
}
"The same for people whom we have called."


async def apology_samples(
    file: Path | None,
    renderer: PromptRenderer,
    workers: Workers,
    *,
    language: str = "en-US",
    texts: Mapping[str, str] = TEXTS,
) -> bytes:
    """Return the apology, 16 kHz, mono, 16 bit; empty: there is no voice. Raise SettingsError for an unusable file."""
    if file is not None:
        try:
            return await samples_of(file, workers)
        except OSError as error:
            raise SettingsError(f"The apology {file} cannot be read: {error.strerror}") from error
        except Unplayable as error:
            raise SettingsError(f"The apology {file} cannot be played: {error}") from error
    known = language.partition("-")[0].lower()
    text = Text(texts.get(known, texts["en"]), "female", language if known in texts else "en-US")
    try:
        return b"".join([piece.samples async for piece in renderer.render([text])])
    except Unplayable:  # a voice that cannot be reached now; the call ends without it
        return b""
