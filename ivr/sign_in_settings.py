"""The settings of signing callers in (docs/sign-in.md). Without a client id nobody is asked to."""

import re
from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ivr.allowed_hosts import read_pattern
from ivr.setting_sources import refuse_user, split_commas
from ivr.speech_settings import PREFIX

_DIRECTORY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def is_directory_id(text: str) -> bool:
    """Return whether a text is the id of a directory, in lower case; its names, such as `example.com`, are not."""
    return _DIRECTORY.fullmatch(text) is not None


class SignInSettings(BaseSettings):
    """Our application at the identity provider, and what its tokens may be used for."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    sign_in_client_id: str | None = Field(
        None,
        pattern=r"^[!-~]{1,128}$",
        description="Our application (client id) at the identity provider of callers; none: nobody is asked to sign "
        "in.",
    )
    sign_in_secret: SecretStr | None = Field(None, description="The secret of that application; needed.")
    sign_in_tenant: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]{1,128}$",
        description="The directory of the people who sign in, by its id, or organizations for those of many; needed.",
    )
    sign_in_tenants: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Ids of the directories whose people may sign in, separated by commas; none: IVR_SIGN_IN_TENANT.",
    )
    sign_in_login_url: str = Field(
        "https://login.microsoftonline.com", description="The address of the identity provider."
    )
    sign_in_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("graph.microsoft.com",), description="Hosts to which a flow may send a caller's token, separated by commas."
    )
    sign_in_name: str | None = Field(
        None, min_length=1, max_length=80, description="The organisation, as the pages name it to callers; needed."
    )
    sign_in_device: bool = Field(
        False, description="Let flows sign callers in by device codes, which help phishers most; see the documentation."
    )

    @field_validator("sign_in_tenants", "sign_in_hosts", mode="before")
    @classmethod
    def _split_sign_in_lists(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("sign_in_tenants")
    @classmethod
    def _are_directories(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        directories = tuple(one.lower() for one in value)
        if not all(is_directory_id(one) for one in directories):
            raise ValueError("must be ids of directories such as f8cdef31-a31e-4b4a-93e4-5f571e91255a")
        return directories

    @field_validator("sign_in_hosts")
    @classmethod
    def _are_token_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            read_pattern(host)
        return value

    @field_validator("sign_in_login_url")
    @classmethod
    def _login_is_shown_whole(cls, value: str) -> str:
        refuse_user(value)
        return value.rstrip("/")
