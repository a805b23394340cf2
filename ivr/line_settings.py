"""The settings of lines: what each channel needs to know its platform by. A channel without its secret is off.

`ivr.settings.Settings` has them among its own. What belongs to one channel begins with its name (`IVR_TWILIO_…`); only
the native one has no name before its settings.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from ivr.auth.documents import DOCUMENTS
from ivr.chat_page_settings import ChatPageSettings
from ivr.chat_settings import ChatSettings
from ivr.jambonz_settings import JambonzSettings
from ivr.placing_settings import require_long_token
from ivr.setting_sources import refuse_user, split_commas
from ivr.skype_v2_settings import SkypeV2Settings
from ivr.speech_settings import PREFIX
from ivr.twiml_settings import TwimlSettings

CheckedLine: TypeAlias = Literal[
    "skype", "twilio", "telnyx", "signalwire", "plivo", "jambonz", "chat", "skype-v2", "page", "sip"
]
"What `IVR_CHECK_CHANNEL` can be: each channel, and the line of a gateway."


class LineSettings(TwimlSettings, JambonzSettings, ChatSettings, SkypeV2Settings, ChatPageSettings):
    """What each channel needs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    check_channel: CheckedLine | None = Field(
        None,
        description="The line that flows are checked against: skype, twilio, telnyx, signalwire, plivo, jambonz, "
        "chat, skype-v2, page, or sip (a gateway with the voice and the speech engine of these settings); none: all "
        "lines that are on, or skype, and with --dev sip, since its phone speaks what the voice speaks.",
    )
    app_id: str | None = Field(
        None, min_length=1, max_length=200, description="The bot's app id; tokens must be issued for it."
    )
    openid_metadata: Annotated[tuple[str, ...], NoDecode] = Field(
        DOCUMENTS, description="Addresses of the OpenID metadata whose keys sign tokens, separated by commas."
    )
    openid_loopback: bool = Field(
        False,
        description="For trials with a phone on this machine: allow http for the metadata and IVR_PUBLIC_URL.",
    )

    skype_gateway_url: str | None = Field(
        None,
        description="Where a gateway takes orders of calls, such as http://127.0.0.1:9071; none: skype places no "
        "calls. https, except on this machine.",
    )
    skype_gateway_token: SecretStr | None = Field(
        None, description="The token of those orders, 16 characters or more, as the gateway has it."
    )

    @field_validator("skype_gateway_url")
    @classmethod
    def _gateway_is_shown_whole(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_user(value)
        return value

    @field_validator("skype_gateway_token")
    @classmethod
    def _is_long_gateway_token(cls, value: SecretStr | None) -> SecretStr | None:
        return require_long_token(value)

    @field_validator("openid_metadata", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("openid_metadata")
    @classmethod
    def _all_shown_whole(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            refuse_user(address)
        return value
