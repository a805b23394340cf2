"""The settings of the state service (docs/bot-state.md). Without the app id of a bot it is off."""

from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ivr.setting_sources import refuse_user, split_commas

MULTI_TENANT: Final = "d6d49420-f39b-4df7-a1dc-d59a935871db"
"The directory botframework.com, in which bots of many tenants are registered."
LONGEST_APP: Final = 128
"Characters of an app id."


class BotStateSettings(BaseSettings):
    """Which bots keep state here, by whose tokens they are known, and how much they keep."""

    bot_state_apps: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="App ids of the bots that keep state here, separated by commas; none: this service is off."
    )
    bot_state_issuers: Annotated[tuple[str, ...], NoDecode] = Field(
        (f"https://sts.windows.net/{MULTI_TENANT}/", f"https://login.microsoftonline.com/{MULTI_TENANT}/v2.0"),
        description="Who makes the tokens of those bots, separated by commas; for bots of one tenant, its own issuers.",
    )
    bot_state_audience: str = Field(
        "https://api.botframework.com", min_length=1, max_length=256, description="What those tokens are made out for."
    )
    bot_state_openid_metadata: Annotated[tuple[str, ...], NoDecode] = Field(
        ("https://login.microsoftonline.com/botframework.com/v2.0/.well-known/openid-configuration",),
        description="Addresses of the OpenID metadata whose keys sign those tokens, separated by commas.",
    )
    bot_state_records: int = Field(
        100_000, ge=1, le=100_000_000, description="The largest number of records that a bot may keep."
    )
    bot_state_retention: float | None = Field(
        None, ge=1, description="Days after which a record that nobody used is forgotten, 1 or more; none: never."
    )

    bot_state_url: str | None = Field(
        None, description="The state service that `ivr botstate` asks; none: that of the server on this machine."
    )

    @field_validator("bot_state_apps", "bot_state_issuers", "bot_state_openid_metadata", mode="before")
    @classmethod
    def _split_state_lists(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("bot_state_apps")
    @classmethod
    def _are_apps(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(app) > LONGEST_APP or not app.isascii() or not app.isprintable() for app in value):
            raise ValueError("must be app ids such as 1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a")
        return value

    @field_validator("bot_state_openid_metadata", "bot_state_url")
    @classmethod
    def _state_addresses_shown_whole(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for address in (value,) if isinstance(value, str) else value or ():
            refuse_user(address)
        return value
