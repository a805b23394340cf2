"""`ivr serve` without its command line: puts the parts together, keeps them running, takes them down again.

The order of going up is the order of what leans on what: folder, store, keys, flows, worker, port. Going down is the
reverse, so that nobody loses what it stands on while it still works.
"""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.auth.development import AcceptAll
from ivr.auth.keys import KeyRing
from ivr.auth.tokens import BearerVerifier
from ivr.channels.skype import SkypeChannel
from ivr.channels.skype.wire import CONVERSATION_RESULT, RECORDED_AUDIO
from ivr.engine.actions.record import TRANSCRIBE
from ivr.errors import IvrError
from ivr.flowfile.load import load_flow
from ivr.phone.platform import Target
from ivr.ports import Verifier
from ivr.server.app import App, Pages
from ivr.server.arrivals import Arrivals
from ivr.server.body import BodyLimits
from ivr.server.connection import ConnectionLimits
from ivr.server.console.console_routes import LOGIN, Console
from ivr.server.console.counting import Counts
from ivr.server.console.login import Sessions
from ivr.server.console.playback import Playback
from ivr.server.flow_registry import FlowRegistry
from ivr.server.jobs import Worker
from ivr.server.listener import DRAIN, Listener, bind, port_instead
from ivr.server.multipart import Form
from ivr.server.openfiles import fitted
from ivr.server.origin import is_loopback_name
from ivr.server.phone.own_bot import OwnBot
from ivr.server.phone.routes import PhonePages
from ivr.server.phone.shared_phone import SharedPhone
from ivr.server.readiness import Check, can_be_written
from ivr.server.recordings import Recordings
from ivr.server.refusals import Refusals
from ivr.server.services import Transcription, concurrency_of, engine_of, missing_of, phrases_of
from ivr.server.start_page import StartPages
from ivr.server.ticker import Forgetting, every, sweep_recordings, wake_due
from ivr.server.watchdog import Watchdog
from ivr.server.webhook import Webhook
from ivr.settings import Settings, SettingsError
from ivr.store.blocks import CallBlocks
from ivr.store.data_folder import DataFolder
from ivr.store.read_only import Reader
from ivr.store.sqlite import SqliteStore
from ivr.store.statements import shown_id
from ivr.trace.folders import CASES
from ivr.turn import Turns

log = logging.getLogger(__name__)

DEVELOPMENT_ACCOUNT = "development"
"The app id of a server that has none."

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0

FORM = Form(json=CONVERSATION_RESULT, upload=RECORDED_AUDIO)


class Running(Struct, frozen=True):
    """A server that answers."""

    url: str
    "Where it listens."
    public: str
    "Where the platform reaches it."
    flows: Sequence[str]
    default: str | None
    "The flow of `/call`, if there is one."
    broken: Sequence[Path] = ()
    "Flow files that nothing is served of."
    routed: bool = False
    "Whether `/call` leads some called identities to flows of their own."
    console: str | None = None
    "Where a person logs in to the console; None: there is none."
    phone: str | None = None
    "Where a person calls from the browser; None: there is no phone here."


def check(settings: Settings, *, dev: bool) -> None:
    """Refuse settings with which nobody should serve; raise SettingsError that says what to do."""
    patience = SkypeChannel.can.reply_within
    if settings.reply_budget >= patience:
        raise SettingsError(f"IVR_REPLY_BUDGET must be under the {patience:g} seconds that the platform waits.")
    if dev:
        return
    if settings.app_id is None:
        raise SettingsError(
            "There is no app id, so no caller could be told from a stranger. Set IVR_APP_ID to the bot's app id, "
            "or try things out on this machine alone with: ivr serve --dev"
        )
    if settings.public_url is None or not _may_be_public(settings.public_url, settings):
        raise SettingsError(
            "Set IVR_PUBLIC_URL to the https address under which the platform reaches this server, "
            "such as https://ivr.example.com: callbacks and prompt files are fetched there."
        )


def _may_be_public(address: str, settings: Settings) -> bool:
    """Return whether the platform may be sent there: by https, or where the platform is a phone on this machine."""
    url = urlsplit(address)
    return url.scheme == "https" or (settings.openid_loopback and is_loopback_name(url.netloc))


@asynccontextmanager
async def running(
    settings: Settings,
    places: Sequence[Path],
    *,
    dev: bool,
    pretends: bool = False,
    cases: Path = CASES,
    watched: bool = False,
) -> AsyncIterator[Running]:
    """Serve as long as the context lasts; `settings` have passed `check`, `places` are flow files or folders of them.

    `pretends`: who calls may say what time it is to be, as in development mode (protocol 21). `cases` is where the
    phone keeps calls. `watched`: this process ends where the server does not answer itself any more.

    Raises what keeps a server from starting: SettingsError, FolderInUse, DataUnusable, FlowError.
    """
    async with AsyncExitStack() as stack:
        refusals = Refusals()
        stack.callback(refusals.close)
        sock = stack.enter_context(_bound(settings, dev=dev))
        address = _address(sock)
        channel = _channel(settings, public=settings.public_url or address, pretends=dev or pretends)
        parts = await _parts(stack, settings, places, channel, strict=dev)
        keys = None if dev else await _keys(stack, settings, parts.folder)
        verifier = BearerVerifier(settings.app_id or "", keys) if keys else AcceptAll()
        token = _console_token(settings, dev=dev)
        phone = _phone(channel, parts, address, cases) if dev else None
        pages: list[Pages] = [_console(stack, parts, token, refusals, dev=dev)] if token else []
        pages += [phone, StartPages(parts.registry)] if phone else []
        app = App(
            webhook=_webhook(settings, channel, parts, verifier, refusals),
            form=FORM,
            asset=parts.registry.asset,
            checks=_checks(parts, keys),
            pages=pages,
            dev=dev,
            refusals=refusals,
        )
        _begin_chores(stack, settings, parts, keys)
        asked = ConnectionLimits(most=settings.max_connections, head=settings.head_time, idle=settings.keep_alive)
        limits = fitted(asked)
        listener = await Listener.open(app.handle, sock, limits=limits, now=time.time, refusals=refusals)
        stack.push_async_callback(_drain, phone, listener)
        if watched:
            stack.callback(Watchdog(listener.adopt, patience=settings.watchdog).stop)
        log.info("serving")
        yield _described(settings, parts.registry, address, token, dev=dev)
        log.info("draining")
    log.info("stopped")


def _described(settings: Settings, registry: FlowRegistry, address: str, token: str | None, *, dev: bool) -> Running:
    return Running(
        address,
        settings.public_url or address,
        registry.names,
        registry.default,
        broken=registry.broken,
        routed=bool(settings.routes),
        console=_console_address(settings, address, token),
        phone=f"{address}/phone" if dev else None,
    )


class _Parts(Struct, frozen=True):
    """What stands between the port and the disk."""

    folder: DataFolder
    store: SqliteStore
    registry: FlowRegistry
    recordings: Recordings
    arrivals: Arrivals
    worker: Worker
    turns: Turns


def _channel(settings: Settings, *, public: str, pretends: bool) -> SkypeChannel:
    account = settings.app_id or DEVELOPMENT_ACCOUNT
    callback, media = f"{public}/callback", f"{public}/media"
    return SkypeChannel(account=account, callback=callback, media_base=media, pretends=pretends)


async def _parts(
    stack: AsyncExitStack, settings: Settings, places: Sequence[Path], channel: SkypeChannel, *, strict: bool
) -> _Parts:
    """Own the data folder, open the store, load the flows (`strict`: all), begin with the work that was left."""
    workers = Workers()
    stack.push_async_callback(workers.close)
    speech = engine_of(settings, workers)
    folder = stack.enter_context(DataFolder.open(settings.data))
    key = settings.seal_key.get_secret_value() if settings.seal_key else None
    store = await SqliteStore.open(folder.database, seal_key=key, seal_file=folder.seal_key)
    stack.push_async_callback(store.close)
    for one in store.damaged:
        log.error("call set aside", extra={"call": shown_id(one.id), "reason": one.what})
    registry = await _registry(settings, places, store, channel, strict=strict)
    recordings = Recordings(folder.audio)
    stack.callback(recordings.close)
    arrivals = Arrivals()
    services = {TRANSCRIBE: Transcription(speech, recordings)}
    worker = Worker(store, services, at_once=concurrency_of(settings))
    turns = Turns(
        store=store,
        channels={channel.name: channel},
        flows=registry,
        jobs=worker,
        uploads=arrivals,
        now=time.time,
        mint=lambda: secrets.token_hex(16),
        idle=settings.idle,
        grace=settings.recording_wait,
        budget=settings.reply_budget,
    )
    worker.start(turns.wake)
    stack.push_async_callback(worker.close)
    return _Parts(folder, store, registry, recordings, arrivals, worker, turns)


async def _registry(
    settings: Settings, places: Sequence[Path], store: SqliteStore, channel: SkypeChannel, *, strict: bool
) -> FlowRegistry:
    missing = None if settings.stt == "none" else missing_of(settings)  # "none" says by itself that there are no words
    load = partial(
        load_flow,
        default_zone=settings.zone,
        channel=channel.can,
        missing=missing,
        phrases=phrases_of(settings),
    )
    registry = FlowRegistry(store, places, load=load, default=settings.default_flow, routes=settings.routes)
    await registry.open(strict=strict)
    await registry.restore(store.flows_under_way)
    return registry


async def _keys(stack: AsyncExitStack, settings: Settings, folder: DataFolder) -> KeyRing:
    """Have the platform's keys, from the last run if its host is away."""
    documents, loopback = settings.openid_metadata, settings.openid_loopback
    try:
        keys = KeyRing(documents, file=folder.openid_keys, allow_loopback=loopback)
    except ValueError as error:
        raise SettingsError(f"IVR_OPENID_METADATA: {error}") from error
    await keys.start(now=time.time())
    stack.push_async_callback(keys.close)
    return keys


def _webhook(
    settings: Settings, channel: SkypeChannel, parts: _Parts, verifier: Verifier, refusals: Refusals
) -> Webhook:
    return Webhook(
        channel=channel,
        verifier=verifier,
        turns=parts.turns,
        store=parts.store,
        recordings=parts.recordings,
        arrivals=parts.arrivals,
        limits=BodyLimits(settings.max_json, settings.max_recording, settings.stall, settings.body_time),
        now=time.time,
        refusals=refusals,
    )


def _phone(channel: SkypeChannel, parts: _Parts, address: str, cases: Path) -> PhonePages:
    """Make the phone that calls this very server."""
    ours = OwnBot(address, DEVELOPMENT_ACCOUNT, channel.name, parts.store, parts.store, parts.registry, cases)
    return PhonePages(SharedPhone(Target(ours.address("")), ours=ours))


def _console_token(settings: Settings, *, dev: bool) -> str | None:
    """Return what opens the console; in development mode a new one, unless one is set."""
    if settings.console_token:
        return settings.console_token.get_secret_value()
    return secrets.token_urlsafe(16) if dev else None


def _console_address(settings: Settings, address: str, token: str | None) -> str | None:
    """Return the console's address, with the token behind `#`, which no log sees, if it was made up just now."""
    if token is None:
        return None
    return f"{address}{LOGIN}" if settings.console_token else f"{address}{LOGIN}#{token}"


def _console(stack: AsyncExitStack, parts: _Parts, token: str, refusals: Refusals, *, dev: bool) -> Console:
    workers = Workers(size=1)
    stack.push_async_callback(workers.close)
    reader = Reader(parts.folder.database)
    stack.push_async_callback(reader.close)
    return Console(
        archive=parts.store,
        counts=Counts(CallBlocks(reader)),
        registry=parts.registry,
        playback=Playback(parts.recordings, workers),
        sessions=Sessions(token, now=time.time, plain=dev),
        now=time.time,
        development=dev,
        refusals=refusals,
    )


def _checks(parts: _Parts, keys: KeyRing | None) -> Mapping[str, Check]:
    """Return what has to be right before calls can be taken."""

    async def store() -> bool:
        try:
            await parts.store.probe()
        except IvrError:
            return False
        return True

    async def flows() -> bool:
        return bool(parts.registry.names)

    async def has_keys() -> bool:
        return keys is not None and not keys.empty

    disk = partial(can_be_written, (parts.folder.path, parts.folder.audio))
    return {"store": store, "disk": disk, "flows": flows, **({"keys": has_keys} if keys else {})}


def _begin_chores(stack: AsyncExitStack, settings: Settings, parts: _Parts, keys: KeyRing | None) -> None:
    """Begin with everything that happens because time passes."""

    async def wake() -> None:
        parts.worker.kick()  # for orders that the store could not give out
        await wake_due(parts.store, parts.turns.wake, time.time())

    forgetting = Forgetting(parts.store, parts.recordings)

    async def forget() -> None:
        if settings.retention is not None:
            await forgetting.look(before=time.time() - settings.retention * DAY)

    async def sweep() -> None:
        await sweep_recordings(parts.store, parts.recordings, before=time.time() - settings.sweep_after)

    async def tend() -> None:
        if keys is not None:
            keys.tend(now=time.time())

    _begin(stack, every(SECOND, wake, name="wake"))
    _begin(stack, every(SECOND, parts.registry.refresh, name="flows"))
    _begin(stack, every(MINUTE, tend, name="keys"))
    _begin(stack, every(MINUTE, forget, name="forget"))
    _begin(stack, every(HOUR, sweep, name="sweep"))


async def _drain(phone: PhonePages | None, listener: Listener) -> None:
    """Let our own pages hang up, which takes requests of theirs, then everybody else; both within one patience."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + DRAIN
    if phone:
        await phone.close()  # first: a page's line would be drained for ever
    await listener.close(drain=max(0.0, ends - loop.time()))


def _bound(settings: Settings, *, dev: bool) -> socket.socket:
    try:
        return bind(settings.host, settings.port, loopback_only=dev)
    except OSError as error:
        instead = _instead(error, settings.port, dev=dev)
        raise SettingsError(
            f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}. {instead}"
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"Development mode asks for no tokens, and {error}. Leave --host out, or leave --dev out."
        ) from error


def _instead(error: OSError, port: int, *, dev: bool) -> str:
    """Return how a port is chosen, in the ways in which a server is started; a developer mostly does it with make."""
    other = port_instead(error, port)
    if other is None:
        return "Choose another address with --host."
    return f"Choose another port: {f'PORT={other} make serve, or ' if dev else ''}ivr serve --port {other}"


def _begin(stack: AsyncExitStack, chore: Coroutine[Any, Any, None]) -> None:
    """Run a chore until the server goes down."""
    task = asyncio.create_task(chore)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"http://{host}:{port}"
