"""What the texts of some settings mean: addresses to listen at, ports, secrets in files."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from ivr.setting_sources import SettingsError, split_commas
from ivr.smallfiles import read_small

GATEWAY_PREFIX = "IVR_GATEWAY_"
MAX_PASSWORD_FILE = 4096
"Bytes."
NO_LISTEN = "must be a list of addresses such as udp://127.0.0.1:5070, tcp://[::1]:5070 or tls://192.0.2.1:5061"


def split_list(value: object) -> object:
    """Return a list that is written with commas, or given by a flag that was repeated, as a tuple."""
    texts = isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return split_commas(",".join(value) if texts and isinstance(value, tuple) else value)


def listen_parts(address: str) -> tuple[Literal["udp", "tcp", "tls"], str, int]:
    """Return transport, host and port of an address that SIP is taken at; raise ValueError."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        ip_address(host)
    except ValueError:
        raise ValueError(NO_LISTEN) from None
    rest = parts.path or parts.query or parts.fragment or parts.username
    if parts.scheme not in {"udp", "tcp", "tls"} or rest or (port is None and ":" in parts.netloc.rpartition("]")[2]):
        raise ValueError(NO_LISTEN)
    transport: Literal["udp", "tcp", "tls"] = (
        "udp" if parts.scheme == "udp" else "tcp" if parts.scheme == "tcp" else "tls"
    )
    return transport, host, (5061 if transport == "tls" else 5060) if port is None else port


def port_range(text: str) -> tuple[int, int]:
    """Return the first and the last port of `FIRST-LAST`; raise ValueError."""
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()) or not 1 <= int(first) < int(last) <= 65535:
        raise ValueError("must be two ports, such as 20000-29999")
    return int(first), int(last)


def is_loopback(address: str) -> bool:
    """Return whether SIP that is taken there comes from this machine."""
    return ip_address(listen_parts(address)[1]).is_loopback


def secret_of(value: SecretStr | None, file: Path | None, name: str) -> str:
    """Return a secret that is given itself or by the file that has it; empty: there is none. Raise SettingsError."""
    if value is not None and file is not None:
        raise SettingsError(f"{name} and {name}_FILE are both set; one of them is enough.")
    if file is None:
        return value.get_secret_value() if value else ""
    try:
        text = read_small(file, MAX_PASSWORD_FILE).decode().strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE: {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{name}_FILE: {file} is not text.") from error
    if not text:
        raise SettingsError(f"{name}_FILE: {file} is empty.")
    return text
