"""The settings of the channels `twilio`, `telnyx`, `signalwire` and `plivo` (docs/twiml.md)."""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ivr.setting_sources import refuse_user, split_commas

_NO_KEYS = 'must be a table from names of keys to their secrets, such as {"webhooks_sharedkey_1": "..."}'

Account = Annotated[str | None, Field(min_length=1, max_length=128)]


class TwimlSettings(BaseSettings):
    """What each of these channels needs; without its secret it is off."""

    twilio_auth_token: SecretStr | None = Field(
        None, description="The auth token of the account at Twilio; none: this line is off."
    )
    twilio_account_sid: Account = Field(None, description="The account at Twilio (AC…); needed with its token.")
    twilio_webhook_keys: Annotated[Mapping[str, SecretStr], NoDecode] = Field(
        default_factory=dict,
        description="Keys for webhooks at Twilio, as JSON or a TOML table from names to secrets; then only requests "
        "signed with them are taken.",
    )
    twilio_api_url: str = Field("https://api.twilio.com", description="The address of Twilio's API.")
    twilio_delete_recordings: bool = Field(
        False, description="Delete recordings at Twilio once they are kept here, so that there is one copy."
    )
    telnyx_public_key: str | None = Field(
        None, description="The public key of the account at Telnyx, base64; none: this line is off."
    )
    telnyx_account_sid: Account = Field(None, description="The account at Telnyx (AccountSid of TeXML); needed.")
    telnyx_api_key: SecretStr | None = Field(
        None, description="The API key at Telnyx; none: recordings are not deleted there, and no calls are placed."
    )
    telnyx_application_id: Account = Field(
        None, description="The id of the TeXML application at Telnyx; needed to place calls."
    )
    telnyx_api_url: str = Field("https://api.telnyx.com", description="The address of Telnyx's API.")
    telnyx_recording_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*.amazonaws.com",), description="Hosts from which recordings of Telnyx are fetched, separated by commas."
    )
    telnyx_delete_recordings: bool = Field(
        False, description="Delete recordings at Telnyx once they are kept here, so that there is one copy."
    )
    signalwire_signing_key: SecretStr | None = Field(
        None, description="The signing key of the project at SignalWire; none: this line is off."
    )
    signalwire_project: Account = Field(None, description="The project at SignalWire (AccountSid); needed.")
    signalwire_api_token: SecretStr | None = Field(
        None, description="The API token of the project at SignalWire; needed with its address."
    )
    signalwire_api_url: str | None = Field(
        None,
        description="The address of the space at SignalWire, such as https://example.signalwire.com; none: recordings "
        "are not fetched, and no calls are placed.",
    )
    signalwire_delete_recordings: bool = Field(
        False, description="Delete recordings at SignalWire once they are kept here, so that there is one copy."
    )
    plivo_auth_token: SecretStr | None = Field(
        None, description="The auth token of the account at Plivo; none: this line is off."
    )
    plivo_auth_id: Account = Field(None, description="The account at Plivo (auth id); needed with its token.")
    plivo_api_url: str = Field("https://api.plivo.com", description="The address of Plivo's API.")
    plivo_recording_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*.plivo.com", "*.amazonaws.com"),
        description="Hosts from which recordings of Plivo are fetched, separated by commas.",
    )
    plivo_delete_recordings: bool = Field(
        False, description="Delete recordings at Plivo once they are kept here, so that there is one copy."
    )

    @field_validator("telnyx_recording_hosts", "plivo_recording_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("twilio_webhook_keys", mode="before")
    @classmethod
    def _keys_are_a_table(cls, value: object) -> object:
        try:
            table = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            raise ValueError(_NO_KEYS) from None  # its own words are about JSON, with a place in the value
        if isinstance(table, Mapping) and all(name and one for name, one in table.items()):
            return table
        raise ValueError(_NO_KEYS)

    @field_validator("twilio_api_url", "telnyx_api_url", "signalwire_api_url", "plivo_api_url")
    @classmethod
    def _api_shown_whole(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_user(value)
        return value


def unfetched(settings: TwimlSettings) -> str | None:
    """Return a sentence where the recordings of a line that is on cannot be fetched; None: they all can.

    Of these carriers SignalWire alone has an API with credentials of its own, which a line without recordings can do
    without. The others' are those that turn them on, or their recordings need none.
    """
    if settings.signalwire_signing_key is None or (settings.signalwire_api_url and settings.signalwire_api_token):
        return None
    return (
        "without IVR_SIGNALWIRE_API_URL and IVR_SIGNALWIRE_API_TOKEN no recording can be fetched from there, so that "
        "flows which record fail, and no call can be placed"
    )
