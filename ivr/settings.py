"""Everything that can be set, each with its meaning: by flag, by environment (`IVR_…`), or in a TOML file.

A flag wins over the environment, the environment over the file. `ivr settings` prints this table with the values now
in force and where each comes from. Development mode is no setting on purpose: it is a flag alone, so that no forgotten
variable can open a server to everyone.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec.structs import replace
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from ivr.allowed_hosts import read_pattern
from ivr.bot_state_settings import BotStateSettings
from ivr.engine.naming import is_name
from ivr.engine.secret_values import Secrets
from ivr.flowfile.zones import never_summer, zone_data, zone_meant
from ivr.line_settings import LineSettings
from ivr.mail_address import is_address
from ivr.placing_settings import PlacingSettings
from ivr.setting_sources import (
    NO_ADDRESS,
    LoadedSettings,
    SettingsError,
    load,
    refuse_user,
    secret_text,
    split_commas,
    value_text,
)
from ivr.sign_in_settings import SignInSettings
from ivr.smallfiles import read_small
from ivr.speech_settings import PREFIX, SpeechSettings
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation, is_url
from ivr.telemetry_settings import TelemetrySettings
from ivr.twiml_settings import unfetched

__all__ = ["Settings", "SettingsError", "load_settings", "secret_text", "secrets_of", "value_text", "variable"]

OTHERS = ("IVR_GATEWAY_",)
"Beginnings of variables that are settings of another process."
SHORTEST_WEBHOOK_KEY = 24
"Bytes."
SHORTEST_TOKEN = 16
"Characters."

_NO_ROUTES = 'must be a table from called identity to flow, such as {"28:bot-id": "voicemail"}'
_NO_SECRETS = 'must be a table from names, made of letters, digits and _, to secrets, such as {"shop": "..."}'
MAX_SECRET = 64 * 1024
"Bytes of a secret in a file."
SQLITE = "sqlite"


class Settings(LineSettings, PlacingSettings, SignInSettings, BotStateSettings, TelemetrySettings, SpeechSettings):
    """The settings of one server."""

    public_url: str | None = Field(
        None,
        description="The https address at which the platform reaches this server; callback addresses start with it.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="The port to listen on; 0 picks a free one.")
    data: Path = Field(
        Path("recordings/live"),
        description="The folder for calls and recordings, which one server owns; with a shared store, for what the "
        "servers of this machine can make anew.",
    )
    store: SecretStr | None = Field(
        None,
        description="Where calls are kept: postgresql://user@host/database, which any number of servers can share, or "
        "sqlite; none: sqlite, in the data folder.",
    )
    workers: int = Field(
        1, ge=1, le=64, description="Processes that serve on the same port; more than one needs a shared store."
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
    closed: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Calendars of flows that are closed, whatever their hours, such as office,shop."
    )
    http_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts that flows may ask by http, such as api.example.com,*.example.com:8443; none: no host."
    )
    http_private: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks beside the public internet where those hosts may be, such as 10.1.0.0/16.",
    )
    secrets: Annotated[Mapping[str, SecretStr], NoDecode] = Field(
        default_factory=dict, description='Secrets of flows, as JSON or a TOML table: {"shop": "..."}.'
    )
    secrets_folder: Path | None = Field(
        None, description="A folder of secrets, each in a file of its name, as Docker and systemd give them."
    )
    jobs: int | None = Field(
        None,
        ge=1,
        le=64,
        description="How many transcriptions run at the same time; none: 4 with pocketsphinx, 2 with whisper, "
        "16 with a hosted engine.",
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
    smtp_server: str | None = Field(
        None, min_length=1, max_length=253, description="The mail server for notifications; none: no mail is sent."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="The port of the mail server.")
    smtp_encryption: Literal["starttls", "tls", "none"] | None = Field(
        None,
        description="starttls, tls (from the first byte, mostly at port 465) or none; default: none for a mail server "
        "on this machine, else starttls.",
    )
    smtp_user: str | None = Field(None, min_length=1, description="The user at the mail server; none: no login.")
    smtp_password: SecretStr | None = Field(None, description="The password of that user.")
    smtp_from: str | None = Field(None, description="The address that mails come from; needed with a mail server.")
    mail_to: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses, or patterns such as *@example.com, that a flow may put together in a call, separated "
        "by commas; those that are written out in a flow need none.",
    )
    mail_attach_limit: int = Field(
        10 * 1024 * 1024, ge=0, description="Bytes of recordings that are attached to a mail; more are linked."
    )
    webhook_secret: SecretStr | None = Field(
        None, description="The secret that signs webhooks: whsec_ and base64, of 24 bytes or more; none: none is sent."
    )
    watchdog: float = Field(
        30.0,
        ge=1,
        description="Seconds without an answer to its own health check after which the server exits, for a restart.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The lowest level that is logged."
    )

    @field_validator("closed", "mail_to", "http_hosts", "http_private", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("routes", mode="before")
    @classmethod
    def _routes(cls, value: object) -> object:
        return _table(value, _NO_ROUTES)

    @field_validator("secrets", mode="before")
    @classmethod
    def _secrets(cls, value: object) -> object:
        table = _table(value, _NO_SECRETS)
        if not all(is_name(name) for name in table):
            raise ValueError(_NO_SECRETS)
        return table

    @field_validator("http_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            read_pattern(host)
        return value

    @field_validator("http_private")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError("must be networks such as 10.1.0.0/16") from None
        return value

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

    @field_validator("smtp_from")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not is_address(value):
            raise ValueError("must be a mail address such as ivr@example.com")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_webhook_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(webhook_key(value.get_secret_value())) < SHORTEST_WEBHOOK_KEY:
            raise ValueError("must be whsec_ and base64 of 24 bytes or more; to make it: openssl rand -base64 24")
        return value

    @field_validator("public_url")
    @classmethod
    def _shown_whole(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_user(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(NO_ADDRESS)
        return value.rstrip("/")

    @field_validator("store")
    @classmethod
    def _is_store(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value else SQLITE
        if text != SQLITE and not is_url(text):
            raise ValueError(
                "must be an address such as postgresql://user@db.example.com/ivr, or sqlite; in a password, / ? # @ "
                "are written as %2F %3F %23 %40"
            )
        return value

    @field_validator("seal_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            secret = value.get_secret_value()
            if len(secret) != 64 or set(secret.lower()) - set("0123456789abcdef"):
                raise ValueError("must be 64 hexadecimal digits; to make them: openssl rand -hex 32")
        return value


def _table(value: object, problem: str) -> Mapping[str, str]:
    """Read a table from names to texts, JSON or of TOML; raise ValueError."""
    try:
        table = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise ValueError(problem) from None  # its own words are about JSON, with a place in the value
    if not isinstance(table, Mapping) or not all(isinstance(text, str) for text in table.values()):
        raise ValueError(problem)
    return table


def secrets_of(settings: Settings) -> Secrets:
    """Return the secrets of flows, those of the folder too; raise SettingsError if one cannot be read.

    One without a value is none: whoever keys nothing would have the right one.
    """
    found = {name: secret.get_secret_value() for name, secret in settings.secrets.items()}
    folder = settings.secrets_folder
    try:
        files = sorted(file for file in folder.iterdir() if is_name(file.name) and file.is_file()) if folder else []
        for file in files:
            # A file ends with the end of a line, which an editor has put there.
            found.setdefault(file.name, read_small(file, MAX_SECRET).decode().removesuffix("\n").removesuffix("\r"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "a secret is too long, or not UTF-8"
        raise SettingsError(f"{variable('secrets_folder')}: {folder} cannot be read: {why}") from error
    return Secrets({name: secret for name, secret in found.items() if secret.strip()})


def location_of(settings: Settings) -> StoreLocation:
    """Return where calls are kept."""
    url = secret_text(settings.store)
    return StoreLocation(
        DataFolder(settings.data), "" if url == SQLITE else url, secret_text(settings.seal_key) or None
    )


def load_settings(*, file: Path | None = None, flags: Mapping[str, Any] | None = None) -> LoadedSettings[Settings]:
    """Put the settings together; raise SettingsError, with everything that is wrong, if they cannot be used."""
    loaded = load(Settings, file=file, flags=flags, listed_by="ivr settings", others=OTHERS)
    doubts = {"zone": never_summer(loaded.settings.zone), "signalwire_signing_key": unfetched(loaded.settings)}
    told = (f"{variable(name)} ({loaded.sources[name]}): {doubt}" for name, doubt in doubts.items() if doubt)
    return replace(loaded, doubtful=tuple(told))


def webhook_key(secret: str) -> bytes:
    """Return the key in a webhook's secret, as Standard Webhooks writes it; empty: there is none in it."""
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return b""


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()
