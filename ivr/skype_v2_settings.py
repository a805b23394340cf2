"""The settings of the channel `skype-v2` (docs/chat.md)."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ivr.setting_sources import refuse_user, split_commas


class SkypeV2Settings(BaseSettings):
    """What the channel needs; without its app id it is off."""

    skype_v2_app_id: str | None = Field(
        None, min_length=1, max_length=128, description="The bot's app id (client id); none: this line is off."
    )
    skype_v2_password: SecretStr | None = Field(None, description="The bot's secret (client secret); needed.")
    skype_v2_url: str = Field(
        "https://apis.skype.com",
        description="The address of the platform, to which alone messages and the bot's token go.",
    )
    skype_v2_wire: Literal["v2", "v3"] = Field(
        "v2", description="How messages are sent: v2, or as the Bot Framework at the same host (v3, message/text)."
    )
    skype_v2_tenant: str = Field(
        "common",
        pattern=r"^[A-Za-z0-9.-]{1,128}$",
        description="Whose tokens are asked for: a directory's id, or common.",
    )
    skype_v2_login_url: str = Field(
        "https://login.microsoftonline.com", description="The address of the identity provider for what is sent."
    )
    skype_v2_scope: str = Field(
        "https://graph.microsoft.com/.default", max_length=256, description="What the token for it is good for."
    )
    skype_v2_issuer: str = Field(
        "https://api.botframework.com", max_length=256, description="Who makes the tokens of what comes in."
    )
    skype_v2_openid_metadata: Annotated[tuple[str, ...], NoDecode] = Field(
        ("https://api.aps.skype.com/v1/.well-known/openidconfiguration",),
        description="Addresses of the OpenID metadata whose keys sign these, separated by commas.",
    )
    skype_v2_patience: float = Field(
        180.0, ge=10, le=86_400, description="Seconds that somebody may think about an answer."
    )
    skype_v2_greets: bool = Field(True, description="Write first to whoever adds the bot to their contacts.")

    @field_validator("skype_v2_openid_metadata", mode="before")
    @classmethod
    def _split_skype_v2_lists(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("skype_v2_url", "skype_v2_login_url", "skype_v2_openid_metadata")
    @classmethod
    def _skype_v2_addresses_shown_whole(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in (value,) if isinstance(value, str) else value:
            refuse_user(address)
        return value
