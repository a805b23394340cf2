"""The settings of the channel `chat` (docs/chat.md)."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ivr.allowed_hosts import read_pattern
from ivr.setting_sources import refuse_user, split_commas


class ChatSettings(BaseSettings):
    """What the channel needs; without its app id it is off."""

    chat_app_id: str | None = Field(
        None, min_length=1, max_length=128, description="The bot's app id (client id); none: this line is off."
    )
    chat_password: SecretStr | None = Field(None, description="The bot's secret (client secret); needed.")
    chat_tenant: str = Field(
        "botframework.com",
        pattern=r"^[A-Za-z0-9.-]{1,128}$",
        description="Where the bot is registered: its directory's id, or botframework.com for bots of many tenants.",
    )
    chat_login_url: str = Field(
        "https://login.microsoftonline.com", description="The address of the identity provider for what is sent."
    )
    chat_scope: str = Field(
        "https://api.botframework.com/.default", max_length=256, description="What the token for it is good for."
    )
    chat_issuer: str = Field(
        "https://api.botframework.com", max_length=256, description="Who makes the tokens of what comes in."
    )
    chat_openid_metadata: Annotated[tuple[str, ...], NoDecode] = Field(
        ("https://login.botframework.com/v1/.well-known/openidconfiguration",),
        description="Addresses of the OpenID metadata whose keys sign these, separated by commas.",
    )
    chat_endorsed: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",),
        description="Channels (msteams, webchat, …) whose keys have to say so; *: all. Of others, "
        "keys that say nothing are taken, too.",
    )
    chat_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*.botframework.com", "smba.trafficmanager.net", "*.teams.microsoft.com"),
        description="Hosts of connectors that are served, separated by commas: the bot's token goes to them alone.",
    )
    chat_file_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Other hosts from which voice messages are fetched, without the token."
    )
    chat_patience: float = Field(
        180.0, ge=10, le=86_400, description="Seconds that somebody may think about an answer in a chat."
    )
    chat_greets: bool = Field(True, description="Write first to whoever joins a conversation or adds the bot.")
    chat_handoff: bool = Field(
        False, description="Transfers are hand-offs (handoff.initiate) to whoever takes over; else there are none."
    )

    @field_validator("chat_openid_metadata", "chat_endorsed", "chat_hosts", "chat_file_hosts", mode="before")
    @classmethod
    def _split_chat_lists(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("chat_hosts", "chat_file_hosts")
    @classmethod
    def _are_chat_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            read_pattern(host)
        return value

    @field_validator("chat_login_url", "chat_openid_metadata")
    @classmethod
    def _chat_addresses_shown_whole(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in (value,) if isinstance(value, str) else value:
            refuse_user(address)
        return value
