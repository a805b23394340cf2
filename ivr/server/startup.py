"""What has to be right before the server starts: settings, port, open files. Each refusal says what to do."""

import logging
import resource
import socket
from urllib.parse import urlsplit

from msgspec.structs import replace

from ivr.server.guarded_server import ConnectionLimits
from ivr.server.listener import bind, port_instead
from ivr.server.origin import is_loopback_name
from ivr.server.plugs import SOURCES, sources_on
from ivr.server.sign_in.sign_in_setup import check_sign_in
from ivr.settings import Settings, SettingsError, location_of
from ivr.telemetry_settings import check_telemetry

log = logging.getLogger(__name__)

RESERVED = 96
"Open files that are not connections: the database, workers, recordings that arrive."
LEAST = 12
"Connections without which a server is of no use."


def check_settings(settings: Settings, *, dev: bool) -> None:
    """Refuse settings with which a server must not start; raise SettingsError, which says what to do."""
    on = sources_on(settings, dev=dev)
    if on:
        hasty = min(on, key=lambda source: source.can.reply_within)
        if settings.reply_budget >= hasty.can.reply_within:
            raise SettingsError(
                f"IVR_REPLY_BUDGET must be under the {hasty.can.reply_within:g} seconds that the platform of the "
                f"channel {hasty.name} waits."
            )
    if settings.smtp_server is not None and settings.smtp_from is None:
        raise SettingsError("IVR_SMTP_SERVER needs IVR_SMTP_FROM, the address that mails come from.")
    check_sign_in(settings)
    check_telemetry(settings)
    _check_workers(settings, dev=dev)
    if settings.chat_page_sites and settings.chat_page_secret is None:
        raise SettingsError(
            "IVR_CHAT_PAGE_SITES needs IVR_CHAT_PAGE_SECRET, which your site's server shows: openssl rand -hex 24"
        )
    if dev:
        return
    if not on:
        raise SettingsError(
            "No channel is on, since no platform's requests could be verified. Set what one of them needs:\n"
            + "".join(f"  {source.name}: {source.needs}\n" for source in SOURCES)
            + "To try the server on this machine only: ivr serve --dev"
        )
    if settings.public_url is None or not _may_be_public(settings.public_url, settings):
        raise SettingsError(
            "Set IVR_PUBLIC_URL to the https address under which the platform reaches this server, "
            "such as https://ivr.example.com: the platform sends callbacks and fetches prompt files there."
        )


def _check_workers(settings: Settings, *, dev: bool) -> None:
    if settings.workers == 1:
        return
    if not location_of(settings).shared:
        raise SettingsError(
            "IVR_WORKERS: only one process can use an SQLite database. For several, set IVR_STORE to a PostgreSQL "
            "database, such as postgresql://user@db.example.com/ivr"
        )
    if dev:
        raise SettingsError("IVR_WORKERS: development mode has one process. Omit --workers or --dev.")


def _may_be_public(address: str, settings: Settings) -> bool:
    """Return whether the platform may be sent there: by https, or where the platform is a phone on this machine."""
    url = urlsplit(address)
    return url.scheme == "https" or (settings.openid_loopback and is_loopback_name(url.netloc))


# --- the port --------------------------------------------------------------------------------------------------------


def bind_port(settings: Settings, *, dev: bool) -> socket.socket:
    """Take the address of the settings; raise SettingsError if it is in use, not allowed, or too public for `dev`.

    Of several workers each takes it.
    """
    return _bind(settings, dev=dev, shared=settings.workers > 1)


def reserve_port(settings: Settings) -> socket.socket:
    """Take the address for several workers, which is in use by nobody else; raise SettingsError.

    It is not listened on: while it is open, no other user has the port, also if all workers are dead.
    """
    with _bind(settings, dev=False, shared=False) as alone:
        port = alone.getsockname()[1]
    return _bind(settings.model_copy(update={"port": port}), dev=False, shared=True)


def _bind(settings: Settings, *, dev: bool, shared: bool) -> socket.socket:
    try:
        return bind(settings.host, settings.port, loopback_only=dev, shared=shared)
    except OSError as error:
        instead = _instead(error, settings.port, dev=dev)
        raise SettingsError(
            f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}. {instead}"
        ) from error
    except ValueError as error:
        raise SettingsError(f"--dev accepts requests without a token, and {error}. Omit --host or --dev.") from error


def address_of(sock: socket.socket) -> str:
    """Return the address under which this machine reaches a socket."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"http://{host}:{port}"


def _instead(error: OSError, port: int, *, dev: bool) -> str:
    """Return how a port is chosen, in the ways in which a server is started; a developer mostly does it with make."""
    other = port_instead(error, port)
    if other is None:
        return "Choose another address with --host."
    return f"Choose another port: {f'PORT={other} make serve, or ' if dev else ''}ivr serve --port {other}"


# --- open files ------------------------------------------------------------------------------------------------------


def fit_to_open_files(limits: ConnectionLimits) -> ConnectionLimits:
    """Lower the limits to what `ulimit -n` allows, and log it; raise SettingsError if it allows too little.

    Each connection is an open file, and so is much else.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return limits
    lowered = within(files, limits)
    if lowered != limits:
        log.warning(
            "fewer connections",
            extra={
                "reason": f"`ulimit -n` allows {files} open files. That is enough for {lowered.most} connections, "
                f"not for {limits.most}. Raise it (LimitNOFILE= in systemd), or lower IVR_MAX_CONNECTIONS."
            },
        )
    return lowered


def within(files: int, limits: ConnectionLimits) -> ConnectionLimits:
    """Return the limits, lowered as far as so many open files require; raise SettingsError if they are too few."""
    room = files - RESERVED
    if room < LEAST:
        raise SettingsError(
            f"`ulimit -n` allows {files} open files, and {RESERVED + LEAST} are needed. "
            "Raise it: LimitNOFILE= in systemd."
        )
    if limits.most + limits.spare + limits.lobby <= room:
        return limits
    spare, lobby = min(limits.spare, room // 12), min(limits.lobby, room // 4)
    return replace(limits, most=min(limits.most, room - spare - lobby), spare=spare, lobby=lobby)
