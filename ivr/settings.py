"""Everything that can be set, each with its meaning: by flag, by environment (`IVR_…`), or in a TOML file.

A flag wins over the environment, the environment over the file. `ivr settings` prints this table with the values now
in force and where each comes from. Development mode is no setting on purpose: it is a flag alone, so that no forgotten
variable can open a server to everyone.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ivr.auth.documents import DOCUMENTS
from ivr.errors import IvrError
from ivr.flowfile.zones import never_summer, zone_data, zone_meant
from ivr.nearest import nearest
from ivr.smallfiles import read_small
from ivr.speech.accounts import OPENAI
from ivr.speech.registry import Engine

PREFIX = "IVR_"

MAX_FILE = 1 << 20
"Bytes of a file of settings."
SHORTEST_TOKEN = 16
"Characters."

_NO_ROUTES = 'must be a table from called identity to flow, such as {"28:bot-id": "voicemail"}'
_NO_ADDRESS = "must be an address such as https://ivr.example.com"


class SettingsError(IvrError):
    """Settings that cannot be used; the text names each one and what to do."""


class Settings(BaseSettings):
    """The settings of one server."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

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
    public_url: str | None = Field(
        None,
        description="The https address at which the platform reaches this server; callback addresses start with it.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="The port to listen on; 0 picks a free one.")
    data: Path = Field(
        Path("recordings/live"), description="The folder for calls and recordings; only one server can use it."
    )
    seal_key: SecretStr | None = Field(
        None,
        description="The key that encrypts sensitive values, 64 hexadecimal digits; none: a file in the data folder.",
    )
    default_flow: str | None = Field(None, description="The flow of /call if several are served.")
    routes: Annotated[Mapping[str, str], NoDecode] = Field(
        default_factory=dict,
        description='Called identity to flow, as JSON or a TOML table: {"28:bot-id": "voicemail"}.',
    )
    zone: str = Field("UTC", description="The time zone of flows that do not set one, such as Europe/Vienna.")
    stt: Engine = Field(
        "none",
        description="The speech engine: none (no transcripts), pocketsphinx (on this machine, for phrases), azure, "
        "azure-fast, openai, or scripted (fixed answers, for tests).",
    )
    stt_dictation: bool = Field(
        False,
        description="Let pocketsphinx transcribe free speech when a state has no phrases; many words will be wrong.",
    )
    stt_script: Path | None = Field(None, description="The JSON file with the answers of the scripted speech engine.")
    azure_key: SecretStr | None = Field(
        None, description="The key of the Azure Speech resource, for azure and azure-fast."
    )
    azure_region: str | None = Field(None, description="The region of the Azure Speech resource, such as westeurope.")
    azure_endpoint: str | None = Field(
        None, description="The address of the Azure Speech resource or of a container, instead of a region."
    )
    openai_url: str = Field(OPENAI, description="The server for the engine openai; many servers support its protocol.")
    openai_key: SecretStr | None = Field(
        None, description="The key for the server of IVR_OPENAI_URL; none: no key is sent."
    )
    openai_model: str = Field("whisper-1", min_length=1, description="The model that the engine openai asks for.")
    jobs: int | None = Field(
        None,
        ge=1,
        le=64,
        description="How many transcriptions run at the same time; none: 4 with pocketsphinx, 16 with a hosted engine.",
    )
    reply_budget: float = Field(
        2.0, gt=0, le=15, description="Seconds to wait for a service, from the request's first byte."
    )
    idle: float = Field(900.0, gt=0, description="Seconds without a message after which a call is closed.")
    recording_wait: float = Field(
        60.0,
        ge=0,
        description="Seconds to wait for a recording after the platform has reported the end of its call.",
    )
    max_recording: int = Field(64 * 1024 * 1024, ge=1, description="The largest recording that is accepted, in bytes.")
    max_json: int = Field(256 * 1024, ge=1024, description="The largest JSON body that is accepted, in bytes.")
    stall: float = Field(10.0, gt=0, description="Seconds that a body may pause while it is sent.")
    body_time: float = Field(300.0, gt=0, description="Seconds that a whole body may take.")
    head_time: float = Field(10.0, gt=0, description="Seconds that the head of a request may take.")
    keep_alive: float = Field(75.0, gt=0, description="Seconds that a connection may be idle.")
    max_connections: int = Field(512, ge=1, description="The largest number of connections at the same time.")
    sweep_after: float = Field(
        86400.0, ge=600, description="The age in seconds at which a recording that belongs to no call is deleted."
    )
    console_token: SecretStr | None = Field(
        None, description="The token for the console at /console, 16 characters or more; none: no console."
    )
    retention: float | None = Field(
        None, gt=0, description="Days to keep finished calls and their recordings; none: until they are erased."
    )
    watchdog: float = Field(
        30.0,
        ge=1,
        description="Seconds without an answer to its own health check after which the server exits, for a restart.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The lowest level that is logged."
    )

    @field_validator("openid_metadata", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("routes", mode="before")
    @classmethod
    def _table(cls, value: object) -> object:
        try:
            table = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            raise ValueError(_NO_ROUTES) from None  # its own words are about JSON, with a place in the value
        if not isinstance(table, Mapping) or not all(isinstance(name, str) for name in table.values()):
            raise ValueError(_NO_ROUTES)
        return table

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        if zone_data(value) is None:
            raise ValueError(f"unknown time zone. {zone_meant(value) or 'Use a name such as Europe/Vienna.'}")
        return value

    @field_validator("console_token")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"must have {SHORTEST_TOKEN} characters or more; to make one: openssl rand -hex 24")
        return value

    @field_validator("public_url", "azure_endpoint", "openai_url")
    @classmethod
    def _shown_whole(cls, value: str | None) -> str | None:
        if value is not None:
            _without_user(value)
        return value

    @field_validator("openid_metadata")
    @classmethod
    def _all_shown_whole(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            _without_user(address)
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(_NO_ADDRESS)
        return value.rstrip("/")

    @field_validator("seal_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            secret = value.get_secret_value()
            if len(secret) != 64 or set(secret.lower()) - set("0123456789abcdef"):
                raise ValueError("must be 64 hexadecimal digits; to make them: openssl rand -hex 32")
        return value


class LoadedSettings(Struct, frozen=True):
    """Settings, and where they come from."""

    settings: Settings
    sources: Mapping[str, str]
    "By name: `flag`, `environment`, the file's name, or `default`."
    unknown: tuple[str, ...] = ()
    "Sentences on `IVR_` variables that are not settings."
    doubtful: tuple[str, ...] = ()
    "Sentences on settings that can be used and may not be what was meant."


def load_settings(*, file: Path | None = None, flags: Mapping[str, Any] | None = None) -> LoadedSettings:
    """Put the settings together; raise SettingsError, with everything that is wrong, if they cannot be used."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    variables = {name.upper(): value for name, value in os.environ.items() if value != ""}
    names = Settings.model_fields
    set_outside = {name for name in names if variable(name) in variables} | set(given)
    written = _read(file) if file else {}
    strangers = [name for name in written if name not in names]
    if strangers:
        raise SettingsError("\n".join(f"{file}: unknown setting {_meant(name, names)}" for name in strangers))
    sources = dict.fromkeys(names, "default")
    sources |= {name: str(file) for name in written}
    sources |= {name: "environment" for name in names if variable(name) in variables}
    sources |= dict.fromkeys(given, "flag")
    try:
        settings = Settings(**{name: value for name, value in written.items() if name not in set_outside}, **given)
    except ValidationError as error:
        raise SettingsError(_explained(error, sources)) from error
    unknown = [
        f"unknown setting {_meant(name, [variable(known) for known in names])}"
        for name in sorted(variables)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in names
    ]
    doubts = [f"{variable('zone')} ({sources['zone']}): {doubt}"] if (doubt := never_summer(settings.zone)) else []
    return LoadedSettings(settings, sources, tuple(unknown), tuple(doubts))


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def secret_text(secret: SecretStr | None) -> str:
    """Return a secret as text; empty: it is not set."""
    return secret.get_secret_value() if secret else ""


def _without_user(address: str) -> None:
    """Refuse an address that holds a password: addresses are printed and logged."""
    try:
        host = urlsplit(address).netloc
    except ValueError:
        raise ValueError(_NO_ADDRESS) from None  # its own words may repeat the address
    if "@" in host:
        raise ValueError(f"{_NO_ADDRESS}, without user or password: addresses appear in the log")


def value_text(value: object) -> str:
    """Write a setting's value for people; a secret is not written."""
    match value:
        case None:
            return "none"
        case SecretStr():
            return "(hidden)"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ",".join(str(item) for item in value)
        case Mapping():
            return json.dumps(dict(value))
    return str(value)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small(file, MAX_FILE).decode())
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise SettingsError(f"{file} is not TOML: {error}") from error


def _meant(name: str, names: Iterable[str]) -> str:
    meant = nearest(name, names)
    return f"{name}. Did you mean {meant}?" if meant else f"{name}. `ivr settings` lists all settings."


_PLAIN = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number, without a unit",
    "bool_parsing": "must be yes or no",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
}
"What pydantic finds, by its name for it, in words for operators."


def _explained(error: ValidationError, sources: Mapping[str, str]) -> str:
    """Return what is wrong with each setting, never with what value: it may be a secret."""
    lines = []
    for one in error.errors(include_url=False, include_input=False):
        name = str(one["loc"][0])
        said = one["msg"].removeprefix("Value error, ")
        if plain := _PLAIN.get(one["type"]):
            said = plain.format(**one.get("ctx", {})).replace("'", "")
        if one["type"].endswith("_parsing"):
            said += f": {Settings.model_fields[name].description}"
        lines.append(f"{variable(name)} ({sources.get(name, 'flag')}): {said}")
    return "\n".join(lines)
