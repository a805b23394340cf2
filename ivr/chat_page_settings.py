"""The settings of the chat on a company's own pages (docs/chat-page.md)."""

import re
from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ivr.placing_settings import require_long_token
from ivr.setting_sources import split_commas

_SITE: Final = re.compile(
    r"https://[a-z0-9.-]{1,253}(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.ASCII
)


class ChatPageSettings(BaseSettings):
    """What it needs; without its secret it is off."""

    chat_page_secret: SecretStr | None = Field(
        None,
        description="The token with which a site's server asks for tokens of its visitors (POST /chat/tokens), 16 "
        "characters or more; none: no page of another site has the chat.",
    )
    chat_page_sites: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="The sites whose pages may show the chat, such as https://www.example.com, separated by commas; "
        "http for this machine alone.",
    )
    chat_page_token_life: float = Field(
        600.0, ge=30, le=3600, description="Seconds for which a visitor's token is good to begin a conversation."
    )
    chat_page_title: str = Field("Chat", min_length=1, max_length=60, description="What stands above the chat.")
    chat_page_forwarded: bool = Field(
        False,
        description="A proxy of ours writes the visitor's address at the end of X-Forwarded-For; else the address "
        "that connects counts as the visitor's.",
    )

    @field_validator("chat_page_secret")
    @classmethod
    def _is_long_page_secret(cls, value: SecretStr | None) -> SecretStr | None:
        return require_long_token(value)

    @field_validator("chat_page_sites", mode="before")
    @classmethod
    def _split_sites(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("chat_page_sites")
    @classmethod
    def _are_sites(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for site in value:
            if not _SITE.fullmatch(site):
                raise ValueError(f"{site} is not the origin of a site, such as https://www.example.com")
        return value
