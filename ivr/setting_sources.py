"""Puts settings together: a flag wins over the environment, the environment over a TOML file.

The same for every process that has settings: `ivr.settings` has those of the server, `ivr.gateway.gateway_settings`
those of the gateway. A secret is not repeated in any text that is made here.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from ivr.errors import IvrError
from ivr.nearest import nearest
from ivr.smallfiles import read_small

MAX_FILE = 1 << 20
"Bytes of a file of settings."
NO_ADDRESS = "must be an address such as https://ivr.example.com"

Model = TypeVar("Model", bound=BaseSettings)


class SettingsError(IvrError):
    """Settings that cannot be used; the text names each one and what to do."""


class LoadedSettings(Struct, Generic[Model], frozen=True):
    """Settings, and where they come from."""

    settings: Model
    sources: Mapping[str, str]
    "By name: `flag`, `environment`, the file's name, or `default`."
    unknown: tuple[str, ...] = ()
    "Sentences on variables of this prefix that are not settings."
    doubtful: tuple[str, ...] = ()
    "Sentences on settings that can be used and may not be what was meant."


def load(
    model: type[Model],
    *,
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    listed_by: str,
    others: tuple[str, ...] = (),
    also: Iterable[str] = (),
) -> LoadedSettings[Model]:
    """Put the settings of a model together; raise SettingsError, with everything that is wrong, if they are unusable.

    `listed_by` is the command that lists them; `others` are beginnings of variables that belong to another model, and
    `also` the names of its settings, where they are in the same file.
    """
    prefix = prefix_of(model)
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    variables = {name.upper(): value for name, value in os.environ.items() if value != ""}
    names = model.model_fields
    in_environment = {name for name in names if prefix + name.upper() in variables}
    whole, elsewhere = _read(file) if file else {}, set(also)
    written = {name: value for name, value in whole.items() if name in names or name not in elsewhere}
    strangers = [name for name in written if name not in names]
    if strangers:
        raise SettingsError(
            "\n".join(f"{file}: unknown setting {_meant(name, names, listed_by)}" for name in strangers)
        )
    sources = dict.fromkeys(names, "default")
    sources |= {name: str(file) for name in written}
    sources |= dict.fromkeys(in_environment, "environment")
    sources |= dict.fromkeys(given, "flag")
    outside = in_environment | set(given)
    try:
        settings = model(**{name: value for name, value in written.items() if name not in outside}, **given)
    except ValidationError as error:
        raise SettingsError(_explained(model, error, sources)) from error
    known = [prefix + name.upper() for name in names]
    unknown = tuple(
        f"unknown setting {_meant(name, known, listed_by)}"
        for name in sorted(variables)
        if name.startswith(prefix) and not name.startswith(others) and name not in known
    )
    return LoadedSettings(settings, sources, unknown)


def fields_of(model: type[BaseSettings]) -> dict[str, FieldInfo]:
    """Return a model's settings by name, in the order for people: its own before those that it shares."""
    fields = model.model_fields
    named = [name for one in model.__mro__ for name in vars(one).get("__annotations__", ())]
    return {name: fields[name] for name in named if name in fields}


def can_be_flag(field: FieldInfo) -> bool:
    """Return whether a setting can be a flag: a secret would be seen in the list of processes; a table is none."""
    parts = {field.annotation, *get_args(field.annotation)}
    return SecretStr not in parts and not any(get_origin(part) is Mapping for part in parts)


def prefix_of(model: type[BaseSettings]) -> str:
    """Return what the variables of a model's settings begin with."""
    return model.model_config.get("env_prefix", "")


def secret_text(secret: SecretStr | None) -> str:
    """Return a secret as text; empty: it is not set."""
    return secret.get_secret_value() if secret else ""


def refuse_user(address: str) -> None:
    """Refuse an address that holds a password: addresses are printed and logged. Raise ValueError."""
    try:
        host = urlsplit(address).netloc
    except ValueError:
        raise ValueError(NO_ADDRESS) from None  # its own words may repeat the address
    if "@" in host:
        raise ValueError(f"{NO_ADDRESS}, without user or password: addresses appear in the log")


def host_port_of(text: str) -> tuple[str, int]:
    """Return host and port of `ADDRESS:PORT`; raise ValueError."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
        ip_address(host or "")
    except ValueError:
        host, port = None, None
    if not host or port is None or parts.path or parts.username:
        raise ValueError("must be an address and a port, such as 127.0.0.1:9070")
    return host, port


def split_commas(value: object) -> object:
    """Return a text as its parts between commas, and anything else as it is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


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
            return ",".join(str(item) for item in value) or "none"
        case Mapping():
            shown = {name: "(hidden)" if isinstance(item, SecretStr) else item for name, item in value.items()}
            return json.dumps(shown) if value else "none"
    return str(value)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small(file, MAX_FILE).decode())
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise SettingsError(f"{file} is not TOML: {error}") from error


def _meant(name: str, names: Iterable[str], listed_by: str) -> str:
    meant = nearest(name, names)
    return f"{name}. Did you mean {meant}?" if meant else f"{name}. `{listed_by}` lists all settings."


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
    "too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
}
"What pydantic finds, by its name for it, in words for operators."


def _explained(model: type[BaseSettings], error: ValidationError, sources: Mapping[str, str]) -> str:
    """Return what is wrong with each setting, never with what value: it may be a secret."""
    lines = []
    found = error.errors(include_url=False, include_input=False)
    wrong_items = {one["loc"][0] for one in found if len(one["loc"]) > 1}
    for one in found:
        name = str(one["loc"][0])
        if one["type"] == "too_short" and name in wrong_items:
            continue  # a list is short of the items that are wrong: not another mistake
        said = one["msg"].removeprefix("Value error, ")
        if plain := _PLAIN.get(one["type"]):
            said = plain.format(**one.get("ctx", {})).replace("'", "")
        if one["type"].endswith("_parsing"):
            said += f": {model.model_fields[name].description}"
        lines.append(f"{prefix_of(model)}{name.upper()} ({sources.get(name, 'flag')}): {said}")
    return "\n".join(lines)
