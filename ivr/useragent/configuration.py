"""What a user agent is given: where it listens, which ports carry sound, what it proves itself with, its limits."""

import ssl
from pathlib import Path

from msgspec import Struct

from ivr.sip.outputs import Transport
from ivr.sip.policy import EndpointConfig

ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not bound
"Hosts that mean every address of the machine."


class ListenAddress(Struct, frozen=True):
    """One address that SIP is taken at."""

    transport: Transport
    host: str
    "An address of this machine, IPv4 or IPv6 without brackets; `0.0.0.0` or `::` for all of a kind."
    port: int
    "0: any free one."


class PortRange(Struct, frozen=True):
    """UDP ports for sound, from the first to the last; a call takes two."""

    first: int
    last: int


class TlsFiles(Struct, frozen=True):
    """PEM files."""

    certificate: Path | None = None
    "The chain that this side proves itself with; needed to listen."
    key: Path | None = None
    authorities: Path | None = None
    "Who is believed when the other side proves itself; None: the system's."


class StreamLimits(Struct, frozen=True):
    """How many connections there may be, and how long one may keep us waiting; times in seconds."""

    most: int = 512
    per_address: int = 64
    "Accepted from one address."
    message: float = 10.0
    "From the first byte of a message to its last, for a TLS handshake, and for a new connection to send a message."
    idle: float = 600.0
    "Without a byte, where no call was made by the connection."
    unsent: int = 1024 * 1024
    "Bytes that the other side has not taken; more, and the connection is cut."


class UserAgentConfig(Struct, frozen=True):
    """Everything but what the operator allows, which is a `Policy`."""

    listen: tuple[ListenAddress, ...]
    rtp: PortRange
    advertised: str | None = None
    "The address that Contact, Via and SDP name; None: that of the socket which the call came by."
    endpoint: EndpointConfig = EndpointConfig()
    tls: TlsFiles = TlsFiles()
    limits: StreamLimits = StreamLimits()


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """Return the context of the listening side; raise OSError (an ssl.SSLError too) if the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, files)
    return context


def load_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Let handshakes from now on use what the files hold; raise OSError if they cannot be used."""
    if files.certificate is None:
        raise OSError("TLS needs a certificate to listen with")
    context.load_cert_chain(files.certificate, files.key)


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Return the context of the connecting side, which verifies chain and name (RFC 5922 section 7)."""
    context = ssl.create_default_context(cafile=files.authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context
