"""Everything that can be set of a gateway: by flag, by environment (`IVR_GATEWAY_…`), or in a TOML file.

A flag wins over the environment, the environment over the file (`ivr.setting_sources`). Secrets have no flag, since the
list of processes shows flags: they are in the environment or in a file that a flag names.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from ivr.gateway.numbers import NumberPlan, UnusableTarget
from ivr.gateway.order_settings import ORDER_SECRETS, OrderSettings, order_exposures, order_problems
from ivr.gateway.setting_texts import (
    GATEWAY_PREFIX,
    NO_LISTEN,
    is_loopback,
    listen_parts,
    port_range,
    secret_of,
    split_list,
)
from ivr.gateway.trunk_registration import NoExtension, order_of
from ivr.phone.wire.transfer_targets import is_target
from ivr.setting_sources import LoadedSettings, SettingsError, host_port_of, load, refuse_user

PREFIX = GATEWAY_PREFIX
SHORTEST_PASSWORD = 12
"Characters of the password that callers prove themselves with: a digest can be tried out offline."
FLAGS = {"user": "--password", "register_as": "--register"}
"Flags that have another name than their setting."
GATEWAY_SECRETS = ("password", "register_password", *ORDER_SECRETS)
"Settings without a flag."
WIDE = 8
"Bits of a network with so many addresses that anybody is meant."

_NO_MAP = 'must be NUMBER=TARGET, or a table such as {"+4989123456": "/call/support"}'
_NO_EXTENSION = "must be an address such as sip:200@pbx.example.com, sip:200@192.0.2.7:5062;transport=tcp, or sips:…"


class GatewaySettings(OrderSettings):
    """The settings of one gateway."""

    bot: str = Field(
        "http://127.0.0.1:8080/call", description="The bot's calling webhook, for every number that is not mapped."
    )
    map: Annotated[Mapping[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Called number to bot: NUMBER=/path at the bot's host, or NUMBER=URL; * is any other number, "
        "{number} stands for the called number. With a map but without *, other numbers get 404.",
    )
    allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts to connect to as bots, besides this machine, separated by commas."
    )
    allow_transfer: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses that bots may transfer calls to, such as sip:*@pbx.example or tel:+4930*, separated by "
        "commas; none: no transfer.",
    )
    app_id: str = Field("development", min_length=1, max_length=200, description="The bot's app id: tokens are for it.")
    key: Path | None = Field(
        None,
        description="The file of the key that signs tokens; created if it does not exist; none: a new key each time.",
    )
    identity_port: int = Field(
        0, ge=0, le=65535, description="The port of the metadata and keys for bots that check tokens; 0: any free one."
    )
    language: str = Field(
        "en-US",
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="The language that callers are expected to speak, such as de-DE.",
    )
    sip: Annotated[tuple[str, ...], NoDecode] = Field(
        ("udp://127.0.0.1:5070", "tcp://127.0.0.1:5070"),
        description="Where SIP is taken, separated by commas: udp://ADDRESS:PORT, tcp://…, tls://….",
    )
    rtp: str = Field("20000-29999", description="The UDP ports for sound, FIRST-LAST; a call takes two.")
    advertise: str | None = Field(
        None, description="The IP address that SIP and SDP name, where it is another one than that of --sip (NAT)."
    )
    tls_certificate: Path | None = Field(None, description="The certificate chain for tls:// (PEM).")
    tls_key: Path | None = Field(None, description="Its private key (PEM); none: it is in the certificate's file.")
    tls_authorities: Path | None = Field(
        None, description="The certificates that registrars are verified with (PEM); none: those of the system."
    )
    codecs: Annotated[tuple[Literal["PCMA", "PCMU", "G722", "opus"], ...], NoDecode] = Field(
        ("PCMA", "PCMU", "G722", "opus"),
        min_length=1,
        description="What sound may be sent as, separated by commas; the caller's order decides.",
    )
    srtp_without_tls: bool = Field(
        False, description="Let encrypted sound be agreed on over UDP and TCP, where its keys can be read."
    )
    allow_from: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks that may call without a password, separated by commas; none: this machine "
        "and private networks, or nobody if there is a password.",
    )
    user: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="The user whose password callers must know (digest), wherever they call from.",
    )
    password: SecretStr | None = Field(None, description="That password, 12 characters or more.")
    password_file: Path | None = Field(None, description="The file with that password, instead.")
    digest: Annotated[tuple[Literal["SHA-256", "MD5"], ...], NoDecode] = Field(
        ("SHA-256", "MD5"),
        min_length=1,
        description="What callers may prove it with, in this order; MD5 alone for telephones that give up at SHA-256.",
    )
    register_as: str | None = Field(
        None,
        description="Register as an extension of a PBX: sip:USER@HOST, sip:USER@HOST:PORT;transport=tcp, or sips:….",
    )
    register_user: str | None = Field(
        None, min_length=1, max_length=100, description="The user to register with; none: the one of --register."
    )
    register_password: SecretStr | None = Field(None, description="The password to register with.")
    register_password_file: Path | None = Field(None, description="The file with that password, instead.")
    calls: int = Field(200, ge=1, le=5000, description="Calls at the same time, at most; others get 503.")
    calls_per_address: int | None = Field(
        None, ge=1, description="Calls of one address at the same time, at most; none: as many as of all."
    )
    invites_per_second: float = Field(
        20.0, gt=0, description="Calls that one address may begin a second; twice as many at once, then no answer."
    )
    ringing_per_address: int = Field(50, ge=1, description="Calls of one address that are not answered yet, at most.")
    answer_time: float = Field(15.0, gt=0, le=300, description="Seconds for a reply of the bot.")
    retry_time: float = Field(
        30.0, gt=0, le=600, description="Seconds for all tries of a message to the bot; then it is away."
    )
    call_length: float = Field(3600.0, gt=0, le=86400, description="Seconds of a call, at most.")
    drain_time: float = Field(
        60.0, ge=0, description="Seconds that calls may go on after SIGTERM; then they are hung up."
    )
    apology: Path | None = Field(
        None, description="The audio file for callers whose bot is away; none: a spoken sentence."
    )
    status: str | None = Field(
        None, description="Where /healthz and /metrics are served, such as 127.0.0.1:9070; none: nowhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The lowest level that is logged."
    )

    @field_validator("allow", "allow_transfer", "sip", "codecs", "allow_from", "digest", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_list(value)

    @field_validator("map", mode="before")
    @classmethod
    def _table(cls, value: object) -> object:
        return _map_of(value)

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("bot")
    @classmethod
    def _absolute(cls, value: str) -> str:
        refuse_user(value)
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address such as http://127.0.0.1:8080/call")
        return value

    @field_validator("sip")
    @classmethod
    def _listens(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError(NO_LISTEN)
        for address in value:
            listen_parts(address)
        return value

    @field_validator("allow_transfer")
    @classmethod
    def _targets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(is_target, value)):
            raise ValueError("must be addresses such as sip:*@pbx.example or tel:+4930*")
        return value

    @field_validator("register_as")
    @classmethod
    def _extension(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                order_of(value, user=None, password="")
            except NoExtension:
                raise ValueError(_NO_EXTENSION) from None
        return value

    @field_validator("rtp")
    @classmethod
    def _range(cls, value: str) -> str:
        port_range(value)
        return value

    @field_validator("advertise")
    @classmethod
    def _number(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ip_address(value)
            except ValueError:
                raise ValueError("must be an IP address, such as 203.0.113.7") from None
        return value

    @field_validator("allow_from")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network)
            except ValueError as error:
                meant = "; did you set bits to the right of the mask?" if "host bits" in str(error) else ""
                raise ValueError(f"must be addresses or networks, such as 10.0.0.0/8{meant}") from None
        return value

    @field_validator("status")
    @classmethod
    def _host_port(cls, value: str | None) -> str | None:
        if value is not None:
            host_port_of(value)
        return value


def load_gateway_settings(
    *, file: Path | None = None, flags: Mapping[str, Any] | None = None, also: Iterable[str] = ()
) -> LoadedSettings[GatewaySettings]:
    """Put the settings together; raise SettingsError, with everything that is wrong, if they cannot be used.

    `also` are the names of other settings in the file.
    """
    loaded = load(GatewaySettings, file=file, flags=flags, listed_by="ivr settings --gateway", also=also)
    problems = list(_problems(loaded.settings))
    if problems:
        raise SettingsError("\n".join(problems))
    return loaded


def plan_of(settings: GatewaySettings) -> NumberPlan:
    """Return which number leads where; raise SettingsError."""
    try:
        return NumberPlan.of(settings.bot, settings.map)
    except UnusableTarget as error:
        raise SettingsError(f"{PREFIX}MAP: {error}") from error


def password_of(settings: GatewaySettings) -> str:
    """Return the password that callers must know; empty: there is none. Raise SettingsError."""
    return secret_of(settings.password, settings.password_file, f"{PREFIX}PASSWORD")


def register_password_of(settings: GatewaySettings) -> str:
    """Return the password to register with; empty: there is none. Raise SettingsError."""
    return secret_of(settings.register_password, settings.register_password_file, f"{PREFIX}REGISTER_PASSWORD")


def exposures(settings: GatewaySettings) -> Iterator[str]:
    """Yield a sentence for each thing that is open to more people than is usual, for the operator's eyes."""
    networks = [ip_network(network) for network in settings.allow_from]
    if settings.user is None and any(network.prefixlen < WIDE for network in networks):
        yield "Anybody can call: --allow-from names nearly every address, and no password is asked for (--password)."
    elif settings.user is None and not networks and not all(is_loopback(address) for address in settings.sip):
        yield "Every private network can call without a password; --allow-from names those that are meant."
    if settings.status is not None and not ip_address(host_port_of(settings.status)[0]).is_loopback:
        yield "Other machines can read /metrics: --status is not an address of this machine alone."
    if settings.srtp_without_tls:
        yield "Keys of encrypted sound travel in the clear over UDP and TCP (--srtp-without-tls)."
    yield from order_exposures(settings, here_alone=all(is_loopback(address) for address in settings.sip))


def _problems(settings: GatewaySettings) -> Iterator[str]:
    """Find what is wrong with settings that are right each by itself."""
    for check in (plan_of, password_of, register_password_of):
        try:
            check(settings)
        except SettingsError as error:
            yield str(error)
            return
    password = password_of(settings)
    if (settings.user is None) != (not password):
        yield (
            f"{PREFIX}USER (--password) and the password belong together: set both, the password by {PREFIX}PASSWORD "
            "or --password-file."
        )
    elif password and len(password) < SHORTEST_PASSWORD:
        yield f"{PREFIX}PASSWORD must have {SHORTEST_PASSWORD} characters or more; to make one: openssl rand -hex 16"
    if settings.register_as is None and (settings.register_user or register_password_of(settings)):
        yield f"{PREFIX}REGISTER_AS (--register) is not set, so there is nothing to register."
    if any(address.startswith("tls:") for address in settings.sip) and settings.tls_certificate is None:
        yield f"{PREFIX}SIP has a tls:// address, which needs {PREFIX}TLS_CERTIFICATE."
    yield from order_problems(settings, registers=settings.register_as is not None)


def _map_of(value: object) -> object:
    """Return a map, however it was given: flags `NUMBER=TARGET`, JSON, or a table."""
    if isinstance(value, tuple | list):
        pairs = [item.partition("=") for item in value if isinstance(item, str)]
        if not all(number and equals for number, equals, _ in pairs):
            raise ValueError(_NO_MAP)
        return {number: target for number, _, target in pairs}
    try:
        table = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise ValueError(_NO_MAP) from None
    if not isinstance(table, Mapping) or not all(isinstance(target, str) for target in table.values()):
        raise ValueError(_NO_MAP)
    return table
