"""`ivr serve` without its command line: puts the parts together, keeps them running, takes them down again.

The order of going up is the order of what leans on what: port, folder, store, flows, worker, keys, pages, routes. Going
down is the reverse, so that no part loses what it stands on while it still works.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from aiohttp import http_parser
from msgspec import Struct

from ivr.errors import IvrError
from ivr.server.app import App, Pages
from ivr.server.backend import Backend, open_backend
from ivr.server.body import BodyLimits
from ivr.server.chores import begin_chores
from ivr.server.guarded_server import ConnectionLimits
from ivr.server.listener import DRAIN, Listener
from ivr.server.pages import (
    console_address,
    console_token,
    make_bot_state_pages,
    make_call_order_pages,
    make_console,
    make_phone,
    make_recording_pages,
    make_wav_assets,
)
from ivr.server.phone.routes import PhonePages
from ivr.server.plugs.lines import development_lines, lines_of_flows
from ivr.server.plugs.plug import Behind, Example, LinePages, Plug, Registration
from ivr.server.readiness import Check, are_writable
from ivr.server.refusals import Refusals
from ivr.server.short_way import ShortWay
from ivr.server.start_page import StartPages
from ivr.server.startup import address_of, bind_port, fit_to_open_files
from ivr.server.telemetry.telemetry_setup import open_telemetry, show_metrics
from ivr.server.watchdog import Watchdog
from ivr.server.webhook import Webhook
from ivr.server.webhook_routes import WebhookRoutes
from ivr.settings import Settings
from ivr.store.media_files import new_name
from ivr.store.opened import Opener
from ivr.store.opening import open_store
from ivr.trace.folders import CASES

log = logging.getLogger(__name__)

SAME_PARSER = http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy
"Whether aiohttp reads requests by llhttp, as the short way does: there are machines without its compiled part."


class Running(Struct, frozen=True):
    """A server that answers."""

    url: str
    "Where it listens."
    listener: Listener
    "The open port, for whoever asks what is under way there, and on which way."
    public: str
    "Where the platform reaches it."
    flows: Sequence[str]
    default: str | None
    "The flow of an address that names none, if there is one."
    registrations: Sequence[Registration]
    "What is to be told the platforms of all channels."
    example: Example | None
    "A call, as a platform tells of it."
    broken: Sequence[Path] = ()
    "Flow files of which nothing is served."
    routed: bool = False
    "Whether an address that names no flow leads some called identities to flows of their own."
    console: str | None = None
    "Where a person logs in to the console; None: there is no console."
    phone: str | None = None
    "Where a person calls from the browser; None: there is no phone here."


@asynccontextmanager
async def running(
    settings: Settings,
    paths: Sequence[Path],
    *,
    dev: bool,
    pretends: bool = False,
    cases: Path = CASES,
    watched: bool = False,
    short: bool = True,
    opener: Opener = open_store,
    worker: int = 0,
) -> AsyncIterator[Running]:
    """Serve as long as the context lasts. `settings` have passed `check_settings`, `paths` are flow files or folders.

    `pretends`: flows are tried out, and callers may say what time it is to be, as in development mode (protocol 21);
    web services may be on this machine, and without a mail server, mails are files. `cases` is where the
    phone keeps calls. `watched`: this process ends if the server does not answer itself any more. `short`: plain
    requests take the short way; never in development mode, where each request's host and origin are looked at. `opener`
    opens the store, which several servers may share. `worker`: the number of this process, counted from 0, among those
    that have the same settings on this machine.

    Raises what keeps a server from starting: SettingsError, FolderInUse, DataUnusable, FlowError.
    """
    async with AsyncExitStack() as stack:
        refusals = Refusals()
        stack.callback(refusals.close)
        sock = stack.enter_context(bind_port(settings, dev=dev))
        address = address_of(sock)
        public = settings.public_url or address
        checked = await asyncio.to_thread(development_lines if dev else lines_of_flows, settings)  # it may load a voice
        telemetry = open_telemetry(stack, settings, worker=worker)
        backend = await open_backend(
            stack,
            settings,
            paths,
            public=public,
            lines=checked,
            dev=dev,
            pretends=pretends,
            opener=opener,
            watch=telemetry.watch,
        )
        for plug in backend.plugs:
            if plug.begin is not None:
                await plug.begin(stack)
        token = console_token(settings, dev=dev)
        console = make_console(stack, backend, token, refusals, dev=dev) if token else None
        phone, start = await _development_pages(stack, settings, backend, address, cases) if dev else (None, None)
        lines = _pages_of_channels(backend, refusals)
        pages = [*lines, *await _other_pages(stack, settings, backend, dev=dev), console, phone, start]
        routes = WebhookRoutes([plug.channel for plug in backend.plugs])
        app = _app(settings, backend, routes, [one for one in pages if one is not None], refusals, dev=dev)
        begin_chores(stack, settings, backend)
        way = _short_way(settings, routes, backend) if short and SAME_PARSER and not dev else None
        limits = _connection_limits(settings)
        listener = await Listener.open(app.handle, sock, limits=limits, now=time.time, refusals=refusals, short=way)
        await show_metrics(stack, telemetry, backend=backend, port=listener, refusals=refusals)
        stack.push_async_callback(_drain, [*([phone] if phone else []), *lines], listener)
        if watched:
            stack.callback(Watchdog(listener.adopt, patience=settings.watchdog).stop)
        log.info("serving")
        yield _described(settings, backend, address, token, listener, dev=dev)
        log.info("draining")
    log.info("stopped")


async def _development_pages(
    stack: AsyncExitStack, settings: Settings, backend: Backend, address: str, cases: Path
) -> tuple[PhonePages, StartPages]:
    """Make what only development mode has: the phone that calls this server, and the page at `/`."""
    plug = next(plug for plug in backend.plugs if plug.phone)
    phone = await make_phone(stack, settings, backend, address, plug, cases=cases)
    mails = backend.folder.mail if settings.smtp_server is None else None
    return phone, StartPages(backend.registry, backend.closings, mails=mails)


async def _other_pages(
    stack: AsyncExitStack, settings: Settings, backend: Backend, *, dev: bool
) -> Sequence[Pages | None]:
    """Make what is neither a channel's nor a person's: files, what bots keep, signing in, orders of calls."""
    return (
        make_recording_pages(stack, backend),
        make_wav_assets(stack, backend),
        await make_bot_state_pages(stack, settings, backend, dev=dev),
        backend.sign_in.pages,
        make_call_order_pages(settings, backend),
    )


def _described(
    settings: Settings, backend: Backend, address: str, token: str | None, listener: Listener, *, dev: bool
) -> Running:
    return Running(
        address,
        listener,
        settings.public_url or address,
        backend.registry.names,
        backend.registry.default,
        [one for plug in backend.plugs for one in plug.registrations],
        next((plug.example for plug in backend.plugs if plug.example), None),
        broken=backend.registry.broken,
        routed=bool(settings.routes),
        console=console_address(settings, address, token),
        phone=f"{address}/phone" if dev else None,
    )


def _pages_of_channels(backend: Backend, refusals: Refusals) -> Sequence[LinePages]:
    behind = Behind(
        backend.store.calls,
        backend.store.recordings,
        backend.arrivals,
        backend.turns,
        refusals,
        backend.registry,
        time.time,
    )
    return [one for plug in backend.plugs if plug.pages for one in plug.pages(behind)]


def _app(
    settings: Settings,
    backend: Backend,
    routes: WebhookRoutes,
    pages: Sequence[Pages],
    refusals: Refusals,
    *,
    dev: bool,
) -> App:
    return App(
        routes=routes,
        webhooks={plug.channel.name: _webhook(settings, plug, backend, refusals) for plug in backend.plugs},
        asset=backend.registry.asset,
        checks=_readiness_checks(backend),
        pages=pages,
        dev=dev,
        refusals=refusals,
    )


def _webhook(settings: Settings, plug: Plug, backend: Backend, refusals: Refusals) -> Webhook:
    return Webhook(
        channel=plug.channel,
        verifier=plug.verifier,
        turns=backend.turns,
        store=backend.store.calls,
        recordings=backend.store.recordings,
        arrivals=backend.arrivals,
        limits=_body_limits(settings),
        now=time.time,
        refusals=refusals,
        proof=plug.proof,
        before=plug.before,
    )


def _short_way(settings: Settings, routes: WebhookRoutes, backend: Backend) -> ShortWay | None:
    """Make the short way, if the channel that may take it is on."""
    plug = next((plug for plug in backend.plugs if plug.short_way), None)
    if plug is None:
        return None
    return ShortWay(
        routes=routes,
        channel=plug.channel,
        verifier=plug.verifier,
        turns=backend.turns,
        limits=_body_limits(settings),
        new_name=new_name,
    )


def _connection_limits(settings: Settings) -> ConnectionLimits:
    asked = ConnectionLimits(most=settings.max_connections, head=settings.head_time, idle=settings.keep_alive)
    return fit_to_open_files(asked)


def _body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(settings.max_json, settings.max_recording, settings.stall, settings.body_time)


def _readiness_checks(backend: Backend) -> Mapping[str, Check]:
    """Return what has to be right before calls can be taken."""

    async def store() -> bool:
        try:
            await backend.store.calls.probe()
        except IvrError:
            return False
        return True

    async def flows() -> bool:
        return bool(backend.registry.names)

    disk = partial(are_writable, (backend.folder.path, backend.folder.audio))
    own: Mapping[str, Check] = {"store": store, "disk": disk, "flows": flows}
    return {**own, **{name: check for plug in backend.plugs for name, check in plug.checks.items()}}


class Closes(Protocol):
    """What has lines of its own."""

    async def close(self) -> None:
        """Hang up."""


async def _drain(lines: Sequence[Closes], listener: Listener) -> None:
    """Let our own lines hang up, which take requests to this server, then everybody else; all within one patience."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + DRAIN
    await asyncio.gather(*(one.close() for one in lines))  # first: a line of a page would be drained for ever
    await listener.close(drain=max(0.0, ends - loop.time()))
