"""The settings of the channel `jambonz` (docs/jambonz.md)."""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ivr.channels.jambonz.voices import Voices
from ivr.phone.wire.transfer_targets import is_target
from ivr.setting_sources import refuse_user, split_commas

SHORTEST_SECRET = 8
"Characters of a webhook secret: fewer can be guessed."

_NO_VOICES = 'must be a table from languages to voices, such as {"de-DE": "google/de-DE-Wavenet-B"}'


class JambonzSettings(BaseSettings):
    """What the channel needs; without its secret it is off."""

    jambonz_webhook_secret: SecretStr | None = Field(
        None,
        description="The webhook secret of the account at jambonz; none: this line is off. Several, separated by "
        "commas, while one is replaced.",
    )
    jambonz_account_sid: str | None = Field(
        None, min_length=1, max_length=128, description="The one account at jambonz that is served; none: any."
    )
    jambonz_allow_transfer: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses that jambonz may connect callers with, such as tel:+43* or sip:*@pbx.example, separated "
        "by commas; none: no transfer.",
    )
    jambonz_refer: bool = Field(
        False, description="Let the caller's own line call whom they are connected with (SIP REFER), not jambonz."
    )
    jambonz_voices: Annotated[Mapping[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Voices at jambonz for languages other than the application's, as JSON or a TOML table: "
        '{"de-DE": "google/de-DE-Wavenet-B"}.',
    )

    jambonz_api_url: str | None = Field(
        None,
        description="The REST API of jambonz, such as https://jambonz.example.com/api, by which calls are placed; "
        "none: none are.",
    )
    jambonz_api_key: SecretStr | None = Field(None, description="The key of that API, of the account that is served.")

    @field_validator("jambonz_webhook_secret")
    @classmethod
    def _secrets_are_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(len(secret) >= SHORTEST_SECRET for secret in secrets_in(value)):
            raise ValueError(f"must have {SHORTEST_SECRET} characters or more")
        return value

    @field_validator("jambonz_api_url")
    @classmethod
    def _api_is_shown_whole(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_user(value)
        return value

    @field_validator("jambonz_allow_transfer", mode="before")
    @classmethod
    def _split_targets(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("jambonz_allow_transfer")
    @classmethod
    def _are_targets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(is_target, value)):
            raise ValueError("must be addresses such as sip:*@pbx.example or tel:+4930*")
        return value

    @field_validator("jambonz_voices", mode="before")
    @classmethod
    def _voices_are_a_table(cls, value: object) -> object:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise ValueError(_NO_VOICES) from None
        if not isinstance(value, dict) or not all(isinstance(voice, str) for voice in value.values()):
            raise ValueError(_NO_VOICES)
        return value

    @field_validator("jambonz_voices")
    @classmethod
    def _are_voices(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        Voices(value)
        return value


def secrets_in(secret: SecretStr) -> list[bytes]:
    """Return the secrets of a setting that may hold several; an empty one is none."""
    parts = (part.strip() for part in secret.get_secret_value().split(","))
    return [part.encode() for part in parts if part] or [b""]
