"""The settings of calls that this server places (docs/calls.md). Without a token nothing is placed."""

from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ivr.callable_targets import read_callers, read_target_pattern
from ivr.setting_sources import split_commas
from ivr.speech_settings import PREFIX

SHORTEST_CALLS_TOKEN: Final = 16
"Characters."


def require_long_token(value: SecretStr | None) -> SecretStr | None:
    """Return a token with which calls are ordered; raise ValueError for one that is short enough to be guessed."""
    if value is not None and len(value.get_secret_value()) < SHORTEST_CALLS_TOKEN:
        raise ValueError(f"must have {SHORTEST_CALLS_TOKEN} characters or more; to make one: openssl rand -hex 24")
    return value


class PlacingSettings(BaseSettings):
    """Who may have calls placed, whom they may reach, and how many."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    calls_token: SecretStr | None = Field(
        None, description="The token for POST /calls, 16 characters or more; none: this server places no calls."
    )
    call_targets: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Whom calls may reach, such as +43*,sip:*@pbx.example.com; !+43900* is never called; none: nobody.",
    )
    call_callers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Numbers that calls may show as their caller; the first, unless an order names another."
    )
    calls_per_minute: int = Field(30, ge=1, le=6000, description="How many calls are placed in a minute at most.")
    calls_at_once: int = Field(10, ge=1, le=10_000, description="How many placed calls are under way at most.")

    @field_validator("call_targets", "call_callers", mode="before")
    @classmethod
    def _split_call_lists(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("call_targets")
    @classmethod
    def _are_target_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple([read_target_pattern(one) for one in value])

    @field_validator("call_callers")
    @classmethod
    def _are_call_numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return read_callers(value)

    @field_validator("calls_token")
    @classmethod
    def _is_long_calls_token(cls, value: SecretStr | None) -> SecretStr | None:
        return require_long_token(value)
