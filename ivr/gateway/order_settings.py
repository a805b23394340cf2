"""The settings of calls that a server orders (docs/gateway.md). Without an address for orders nothing is placed."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ivr.callable_targets import read_callers, read_target_pattern
from ivr.gateway.dial_plan import CallerPlace, NotTrunk, trunk_uri
from ivr.gateway.setting_texts import GATEWAY_PREFIX, secret_of, split_list
from ivr.setting_sources import SettingsError, host_port_of

SHORTEST_ORDERS_TOKEN: Final = 16
"Characters."
ORDER_SECRETS: Final = ("orders_token", "call_password")
"Settings without a flag."

_HERE = ("127.0.0.1", "::1", "localhost")
_NO_TRUNK = "must be an address such as sip:trunk.example.com, sip:00{digits}@pbx.example.com;transport=tcp, or sips:…"


class OrderSettings(BaseSettings):
    """Where calls are ordered, whom they may reach and show, and by whom they go."""

    model_config = SettingsConfigDict(
        env_prefix=GATEWAY_PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    orders: str | None = Field(
        None, description="Where a server orders calls, such as 127.0.0.1:9071; none: this gateway places no calls."
    )
    orders_token: SecretStr | None = Field(None, description="The token of orders, 16 characters or more.")
    orders_token_file: Path | None = Field(None, description="The file with that token, instead.")
    call_targets: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Whom placed calls may reach, such as +43*,sip:*@pbx.example.com; !+43900* is never called; none: "
        "nobody.",
    )
    call_callers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Numbers that placed calls may show; the first, unless an order names another."
    )
    call_caller_in: CallerPlace = Field(
        "from", description="The header that shows them: from, p-asserted-identity or p-preferred-identity."
    )
    call_via: str | None = Field(
        None,
        description="The trunk or PBX that takes calls to numbers: sip:HOST, sip:HOST:PORT;transport=tcp, sips:HOST, "
        "or with the place of the number, sip:00{digits}@HOST; none: the registrar of --register.",
    )
    call_user: str | None = Field(
        None, min_length=1, max_length=100, description="The user to prove to the trunk; none: the one of --register."
    )
    call_password: SecretStr | None = Field(None, description="That user's password.")
    call_password_file: Path | None = Field(None, description="The file with that password, instead.")
    placed_per_minute: int = Field(30, ge=1, le=6000, description="Calls that are placed in a minute, at most.")
    placed_at_once: int = Field(10, ge=1, le=5000, description="Placed calls at the same time, at most.")

    @field_validator("call_targets", "call_callers", mode="before")
    @classmethod
    def _split_call_lists(cls, value: object) -> object:
        return split_list(value)

    @field_validator("orders")
    @classmethod
    def _is_order_place(cls, value: str | None) -> str | None:
        if value is not None:
            host_port_of(value)
        return value

    @field_validator("call_targets")
    @classmethod
    def _are_target_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple([read_target_pattern(one) for one in value])

    @field_validator("call_callers")
    @classmethod
    def _are_callers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return read_callers(value)

    @field_validator("call_via")
    @classmethod
    def _is_trunk(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                trunk_uri(value)
            except NotTrunk:
                raise ValueError(_NO_TRUNK) from None
        return value


def orders_token_of(settings: OrderSettings) -> str:
    """Return the token of orders; empty: there is none. Raise SettingsError."""
    return secret_of(settings.orders_token, settings.orders_token_file, f"{GATEWAY_PREFIX}ORDERS_TOKEN")


def call_password_of(settings: OrderSettings) -> str:
    """Return the password for the trunk; empty: there is none. Raise SettingsError."""
    return secret_of(settings.call_password, settings.call_password_file, f"{GATEWAY_PREFIX}CALL_PASSWORD")


def order_problems(settings: OrderSettings, *, registers: bool) -> Iterator[str]:
    """Find what is wrong with settings that are right each by itself; `registers`: there is a registrar."""
    try:
        token, password = orders_token_of(settings), call_password_of(settings)
    except SettingsError as error:
        yield str(error)
        return
    if settings.orders is None:
        if token:
            yield f"{GATEWAY_PREFIX}ORDERS is not set, so there is nothing that its token opens."
        return
    if len(token) < SHORTEST_ORDERS_TOKEN:
        yield (
            f"{GATEWAY_PREFIX}ORDERS needs {GATEWAY_PREFIX}ORDERS_TOKEN, {SHORTEST_ORDERS_TOKEN} characters or more; "
            "to make one: openssl rand -hex 24"
        )
    if (settings.call_user is None) != (not password):
        yield f"{GATEWAY_PREFIX}CALL_USER and {GATEWAY_PREFIX}CALL_PASSWORD belong together: set both."
    if settings.call_via is None and not registers:
        if any(target.lstrip("!").startswith("+") for target in settings.call_targets):
            yield f"{GATEWAY_PREFIX}CALL_TARGETS names numbers, which need a trunk: set {GATEWAY_PREFIX}CALL_VIA."
        elif password:
            yield f"{GATEWAY_PREFIX}CALL_PASSWORD is for a trunk: set {GATEWAY_PREFIX}CALL_VIA."


def order_exposures(settings: OrderSettings, *, here_alone: bool) -> Iterator[str]:
    """Yield a sentence for each thing that is open to more people than is usual, or closed to all.

    `here_alone`: SIP is taken at loopback addresses alone, so that nobody else can be called either.
    """
    if settings.orders is None:
        return
    if not settings.call_targets:
        yield "Nobody can be called: --call-targets names nobody."
    if here_alone and settings.call_via is not None and trunk_uri(settings.call_via)[1].host not in _HERE:
        yield "The trunk cannot be reached from the addresses of --sip, which are of this machine alone."
    if not ip_address(host_port_of(settings.orders)[0]).is_loopback:
        yield "Other machines can reach the door for orders (--orders), and its token travels in the clear."
